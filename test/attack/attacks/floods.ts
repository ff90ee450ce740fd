/** Packets in numbers. */

import { R2, V } from "../../e2e/network.ts";
import type { Attack, Extent } from "../attack.ts";
import type { FloodName } from "../flood-frames.ts";
import { OTHER_PORT, SERVICE_PORT, type StageSettings, V6 } from "../stage.ts";

interface Plan {
  readonly name: string;
  readonly title: string;
  readonly flood: FloodName;
  /** Frames a second. */
  readonly rate: number;
  readonly shortRate?: number;
  readonly address?: string;
  readonly port?: number;
  readonly mayFail: number;
  readonly stage?: StageSettings;
  /** What is set as long as the flood lasts. */
  readonly knob?: { readonly name: string; readonly during: number; readonly after: number };
  readonly isLong?: boolean;
}

const UDP_PORT = 53;
const UDP_SERVICE = [
  `-A -u ${V}:${UDP_PORT} -s rr`,
  `-a -u ${V}:${UDP_PORT} -r ${R2}:${UDP_PORT} -m`,
] as const;

const SECONDS = 10;
const SHORT_SECONDS = 2;
/** A machine that is busy with other tests. */
const SHORT_RATE = 5_000;

export const FLOOD_ATTACKS: readonly Attack[] = [
  flood({
    name: "syn-flood",
    title: "SYNs from random IPv4 addresses at the clients' own service",
    flood: "syn",
    rate: 30_000,
    mayFail: 0.2,
  }),
  flood({
    name: "syn-flood-on-link",
    title: "SYNs from random IPv6 neighbours, who do not answer",
    flood: "syn-on-link",
    rate: 5_000,
    shortRate: 2_000,
    address: V6,
    mayFail: 0.05,
  }),
  flood({
    name: "full-table",
    title: "SYNs at another service, with room for 10,000 connections",
    flood: "syn",
    rate: 50_000,
    shortRate: 10_000,
    port: OTHER_PORT,
    mayFail: 0.2,
    stage: { daemonOptions: ["--connections", "10000"] },
  }),
  flood({
    name: "full-table-of-established",
    title: "ACKs that establish connections of another service (sloppy_tcp), with room for 10,000",
    flood: "acks",
    rate: 20_000,
    shortRate: 10_000,
    port: OTHER_PORT,
    mayFail: 0.2,
    stage: { daemonOptions: ["--connections", "10000"], sysctls: ["net.ipv4.vs.sloppy_tcp=1"] },
  }),
  flood({
    name: "drop-entry",
    title: "SYNs at the clients' own service while drop_entry gives half-open connections up",
    flood: "syn",
    rate: 30_000,
    mayFail: 0.2,
    stage: { daemonOptions: ["--connections", "100000"], sysctls: ["net.ipv4.vs.drop_entry=3"] },
    isLong: true,
  }),
  flood({
    name: "drop-packet",
    title: "SYNs at another service while drop_packet drops one of ten first packets",
    flood: "syn",
    rate: 30_000,
    port: OTHER_PORT,
    mayFail: 0.3,
    // By itself it drops clients' packets at rest, too: then nobody could tell whether they recover.
    knob: { name: "net.ipv4.vs.drop_packet", during: 3, after: 0 },
    isLong: true,
  }),
  flood({
    name: "udp-flood",
    title: "datagrams from random addresses at a UDP service",
    flood: "udp",
    rate: 30_000,
    port: UDP_PORT,
    mayFail: 0.2,
    stage: { commands: UDP_SERVICE },
    isLong: true,
  }),
  flood({
    name: "fragments",
    title: "first fragments of datagrams that never become whole, at a UDP service",
    flood: "fragments",
    rate: 30_000,
    port: UDP_PORT,
    mayFail: 0.2,
    stage: { commands: UDP_SERVICE },
    isLong: true,
  }),
  flood({
    name: "icmp-flood",
    title: "ICMP errors about packets that the clients' own service never sent",
    flood: "icmp",
    rate: 30_000,
    mayFail: 0.05,
    isLong: true,
  }),
  flood({
    name: "malformed",
    title: "malformed packets and fragments of nothing at the clients' own service",
    flood: "malformed",
    rate: 30_000,
    mayFail: 0.05,
  }),
  flood({
    name: "absurd-segments",
    title: "frames of 60,000 bytes, to be cut into segments of one byte",
    flood: "segments",
    rate: 50,
    shortRate: 20,
    mayFail: 0.1,
  }),
];

function flood(plan: Plan): Attack {
  const {
    name,
    title,
    mayFail,
    address = V,
    port = SERVICE_PORT,
    stage = {},
    knob,
    isLong = false,
  } = plan;
  return {
    name,
    title,
    mayFail,
    stage,
    isLong,
    carryOut: async (where, { isShort }: Extent) => {
      const seconds = isShort ? SHORT_SECONDS : SECONDS;
      const rate = isShort ? (plan.shortRate ?? SHORT_RATE) : plan.rate;
      if (knob !== undefined) where.home.sluice(`sysctl -w ${knob.name}=${knob.during}`);
      const sent = await where.flood({ name: plan.flood, rate, seconds }, address, port);
      if (knob !== undefined) where.home.sluice(`sysctl -w ${knob.name}=${knob.after}`);
      return `${sent} frames/s, ${seconds} s`;
    },
  };
}
