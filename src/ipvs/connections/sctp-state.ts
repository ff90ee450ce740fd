/**
 * SCTP as a load balancer sees it: the association at the real server, guessed from what passes.
 *
 * States, transitions and timeouts follow sctp_states[] and sctp_timeouts[] in the kernel's ip_vs_proto_sctp.c. Most
 * chunks change nothing in most states, so the tables name the changes; sctp-state.test.ts has them whole.
 */
import { SCTP_CHUNK } from "../../net/sctp.ts";
import type { StateTable } from "./state-machine.ts";

/** The kernel's order, which gives the numbers: IP_VS_SCTP_S_*. */
const STATES = [
  "none",
  "init1",
  "init",
  "cookieSent",
  "cookieReplied",
  "cookieWait",
  "cookie",
  "cookieEchoed",
  "established",
  "shutdownSent",
  "shutdownReceived",
  "shutdownAckSent",
  "rejected",
  "closed",
] as const;

type SctpState = (typeof STATES)[number];

export const SCTP_STATE = {
  none: 0,
  init1: 1,
  init: 2,
  cookieSent: 3,
  cookieReplied: 4,
  cookieWait: 5,
  cookie: 6,
  cookieEchoed: 7,
  established: 8,
  shutdownSent: 9,
  shutdownReceived: 10,
  shutdownAckSent: 11,
  rejected: 12,
  closed: 13,
} as const satisfies Record<SctpState, number>;

/** The chunk that decides; `data` is every other one too. */
export const SCTP_EVENT = {
  data: 0,
  init: 1,
  initAck: 2,
  cookieEcho: 3,
  cookieAck: 4,
  shutdown: 5,
  shutdownAck: 6,
  shutdownComplete: 7,
  error: 8,
  abort: 9,
} as const;

type SctpEvent = keyof typeof SCTP_EVENT;

/** Events by chunk type: 0 to 14; later ones are extensions, which count as data. */
// biome-ignore format: a table
const EVENTS: readonly SctpEvent[] = [
  "data",        // DATA
  "init",        // INIT
  "initAck",     // INIT ACK
  "data",        // SACK
  "data",        // HEARTBEAT
  "data",        // HEARTBEAT ACK
  "abort",       // ABORT
  "shutdown",    // SHUTDOWN
  "shutdownAck", // SHUTDOWN ACK
  "error",       // ERROR
  "cookieEcho",  // COOKIE ECHO
  "cookieAck",   // COOKIE ACK
  "data",        // ECNE
  "data",        // CWR
  "shutdownComplete",
];

const EVENT_BY_CHUNK = Uint8Array.from(
  { length: 256 },
  (_, type) => SCTP_EVENT[EVENTS[type] ?? "data"],
);

/**
 * The event in a packet's first two chunk types; -1 for no second chunk. The first decides, unless it is a COOKIE
 * chunk with an ABORT behind it.
 */
export function sctpEvent(first: number, second: number): number {
  const mayPrecedeAbort = first === SCTP_CHUNK.cookieEcho || first === SCTP_CHUNK.cookieAck;
  return EVENT_BY_CHUNK[mayPrecedeAbort && second === SCTP_CHUNK.abort ? second : first]!;
}

/** From which states an event leads to which; in all others it changes nothing. */
type Changes = readonly (readonly [to: SctpState, from: readonly SctpState[]])[];

type Direction = Readonly<Record<SctpEvent, Changes>>;

const CLIENT_SETUP = ["none", "init1", "init", "cookieSent", "cookieReplied"] as const;
const SETUP = [...CLIENT_SETUP, "cookieWait", "cookie", "cookieEchoed"] as const;

function allBut(state: SctpState): readonly SctpState[] {
  return STATES.filter((other) => other !== state);
}

// biome-ignore format: a table
const INPUT: Direction = {
  data:             [["established", ["none"]]],
  init:             [["init1", ["none"]], ["init", ["init1", "rejected", "closed"]]],
  initAck:          [["cookieWait", ["none", "init1", "init"]], ["cookie", ["cookieWait"]]],
  cookieEcho:       [["cookieReplied", ["none", "cookieSent"]], ["init", ["init1"]]],
  cookieAck:        [["established", ["none", "cookieEchoed"]]],
  shutdown:         [["shutdownReceived", ["none", "established"]]],
  shutdownAck:      [["closed", ["none", "shutdownSent", "shutdownAckSent"]], ["init", ["init1"]]],
  shutdownComplete: [["closed", ["none", "init1", "init", "shutdownAckSent"]]],
  error:            [["closed", ["none", "cookieEchoed"]]],
  abort:            [["closed", allBut("cookieWait")], ["rejected", ["cookieWait"]]],
};

// biome-ignore format: a table
const OUTPUT: Direction = {
  data:             [["established", ["none"]]],
  init:             [["cookieWait", allBut("established")]],
  initAck:          [["cookieSent", ["none", "init1", "init"]]],
  cookieEcho:       [["cookieEchoed", SETUP]],
  cookieAck:        [["established", SETUP]],
  shutdown:         [["shutdownSent", [...SETUP, "established"]]],
  shutdownAck:      [["shutdownAckSent", [...CLIENT_SETUP, "shutdownSent", "shutdownReceived"]]],
  shutdownComplete: [["closed", ["none"]]],
  error:            [["closed", CLIENT_SETUP]],
  abort:            [["closed", allBut("init1")], ["rejected", ["init1"]]],
};

// biome-ignore format: a table
const INPUT_ONLY: Direction = {
  data:             [["established", ["none", "cookieWait"]]],
  init:             [["init1", ["none"]], ["init", ["init1", "cookieSent", "cookieReplied", "cookieWait", "rejected", "closed"]]],
  initAck:          [["cookieEchoed", [...CLIENT_SETUP, "cookieWait"]]],
  cookieEcho:       [["established", [...CLIENT_SETUP, "cookieWait"]]],
  cookieAck:        [["established", ["none", "cookieSent", "cookieReplied", "cookie", "cookieEchoed"]]],
  shutdown:         [["shutdownReceived", ["none", "established"]]],
  shutdownAck:      [["closed", ["none", "established", "shutdownSent", "shutdownAckSent"]], ["init", ["init1"]]],
  shutdownComplete: [["closed", [...CLIENT_SETUP, "shutdownReceived", "shutdownAckSent"]]],
  error:            [["closed", ["none"]]],
  abort:            [["closed", allBut("cookieWait")], ["rejected", ["cookieWait"]]],
};

function rows(direction: Direction): number[][] {
  return (Object.keys(SCTP_EVENT) as SctpEvent[]).map((event) =>
    STATES.map((state) => {
      const change = direction[event].find(([, from]) => from.includes(state));
      return SCTP_STATE[change?.[0] ?? state];
    }),
  );
}

// biome-ignore format: a table
export const SCTP: StateTable = {
  names:           ["NONE", "INIT1", "INIT", "C-SENT", "C-REPLIED", "C-WAIT", "COOKIE", "C-ECHOED", "ESTABLISHED", "S-SENT", "S-RECEIVED", "S-ACK-SENT", "REJECTED", "CLOSED"],
  timeoutsSeconds: [2,      4,       61,     61,       61,          61,       61,       61,         900,           61,       61,           61,           4,          61],
  active:          [SCTP_STATE.established],
  transitions:     [rows(INPUT), rows(OUTPUT), rows(INPUT_ONLY)],
};
