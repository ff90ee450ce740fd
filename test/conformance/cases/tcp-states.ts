/** A connection, segment by segment: its state, timer and counts after each, by forwarding method and reuse mode. */
import { prng } from "../../../src/base/prng.ts";
import type { Case, CaseFile } from "../case.ts";
import {
  byEveryWay,
  conversation,
  type Part,
  type Protocol,
  type Way,
  walk,
} from "./conversations.ts";

const TCP: Protocol = { group: "TCP states", name: "tcp", option: "-t" };

// biome-ignore format: a table
export const CONVERSATIONS: Readonly<Record<string, readonly Part[]>> = {
  "the client closes first":        ["> S", "< SA", "> A", "> PA", "< A", "> FA", "< A", "< FA", "> A"],
  "the server closes first":        ["> S", "< SA", "> A", "< PA", "> A", "< FA", "> A", "> FA", "< A"],
  "both close together":            ["> S", "< SA", "> A", "> FA", "< FA", "> A", "< A"],
  "the client resets":              ["> S", "< SA", "> A", "> R"],
  "the server resets":              ["> S", "< SA", "> A", "< R"],
  "the server refuses":             ["> S", "< RA"],
  "the client only":                ["> S", "> A", "> PA", "> FA", "> A"],
  "the client only, resets":        ["> S", "> A", "> RA"],
  "SYN again and again":            ["> S", "> S", "< SA", "> S", "> A", "> S", "> FA", "> S"],
  "a segment without flags":        ["> S", "> A", "> -", "> A"],
  "SYN and FIN together":           ["> SF", "> A"],
  "no SYN":                         ["> A", "> FA", "> R"],
  "SYN and RST together":           ["> SR", "> A"],
  "SYN with ACK from the client":   ["> SA", "> A"],
  "a closed connection again":      ["> S", "> A", "> R", "> S", "> A", "> FA", "> S", "> A"],
  "a connection in TIME_WAIT again": ["> S", "< SA", "> A", "> FA", "< FA", "> A", "> S", "< SA", "> A"],
  "urgent and pushed":              ["> S", "> UA", "> PUA", "> U", "> P"],
};

const REUSE_MODES = [0, 1, 2, 3];
const WALKS_PER_MODE = { inet: 8, inet6: 2 };
export const WALK_LENGTH = 14;

export const TCP_STATES: CaseFile = {
  features: {
    [TCP.group]:
      "TCP states, timers and counts, segment by segment, both directions, conn_reuse_mode 0 to 3, sloppy_tcp, IPv6",
  },
  cases: () => byEveryWay(casesOf, WALKS_PER_MODE),
};

function casesOf(way: Way, walks: number): Case[] {
  return [
    ...Object.entries(CONVERSATIONS).map(([name, parts]) => conversation(TCP, way, name, parts)),
    ...REUSE_MODES.flatMap((mode) => walkCases(way, mode, walks)),
    ...sloppyCases(way),
  ];
}

/** Random walks through the state tables. */
function walkCases(way: Way, mode: number, count: number): Case[] {
  return Array.from({ length: count }, (_, index) => {
    const parts = walk(prng(1000 * mode + index), "> S", SEGMENTS, WALK_LENGTH);
    const name = `conn_reuse_mode ${mode}, walk ${index}`;
    // With NAT the answering server must be the one that was asked: there is one.
    const servers = way.option === "-m" ? [21] : [21, 22];
    return conversation(TCP, way, name, parts, { conn_reuse_mode: mode }, servers);
  });
}

// biome-ignore format: a list
export const SEGMENTS: readonly Part[] = [
  "> S", "> S", "> A", "> A", "> FA", "> R", "< SA", "< SA", "< A", "< FA", "< R", "< S", "> -", "< F",
];

/** Any packet but RST opens a connection. */
function sloppyCases(way: Way): Case[] {
  const all: Part[][] = [
    ["> A", "> A", "< A", "> FA"],
    ["> FA", "> A"],
    ["> R", "> A"],
    ["> -", "> S"],
  ];
  return all.map((parts, index) =>
    conversation(TCP, way, `sloppy_tcp ${index}`, parts, { sloppy_tcp: 1 }),
  );
}
