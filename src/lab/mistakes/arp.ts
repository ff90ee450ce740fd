/** What mistakes about ARP look at. */
import { SITE, VIP } from "./healthy.ts";

/** Every question goes to everybody: without -b arping turns to the first who answers. */
export const ASK_FOR_VIP = `arping -b -c 2 -I eth0 ${VIP}`;
/** The director, and nobody else. */
export const ONE_ANSWER = /^(?=[\s\S]*96:0B\])(?![\s\S]*96:0[CD]\])/i;
/** node02, too. */
export const SERVER_ANSWERS = /96:0C\]/i;

export const ASK_AND_LOOK = `curl -sS -m 2 ${SITE} ${SITE}; ip neigh show ${VIP}`;
/** The client takes node02 for the VIP's owner. */
export const POISONED = /lladdr 02:00:c0:a8:96:0c/i;
export const NOT_POISONED =
  /^(?=[\s\S]*from 192\.168\.150\.12)(?=[\s\S]*from 192\.168\.150\.13)[\s\S]*lladdr 02:00:c0:a8:96:0b/i;

/** Gratuitous ARP from the director: all that have an entry for the VIP take this MAC address into it. */
export const ANNOUNCE = `arping -U -c 1 -I eth0 ${VIP}`;
