/** An association, chunk by chunk: state, timer and counts after each, and what goes out; by forwarding method. */
import { prng } from "../../../src/base/prng.ts";
import {
  type Case,
  type CaseFile,
  CONNECTIONS,
  packet,
  restore,
  SERVICES,
  type Step,
} from "../case.ts";
import {
  byEveryWay,
  conversation,
  type Part,
  type Protocol,
  type Way,
  walk,
} from "./conversations.ts";
import { framesCase } from "./methods.ts";

const SCTP: Protocol = { group: "SCTP states", name: "sctp", option: "--sctp-service" };

// biome-ignore format: a table
const CONVERSATIONS: Readonly<Record<string, readonly Part[]>> = {
  "the client shuts down":         ["> INIT", "< INIT-ACK", "> COOKIE-ECHO", "< COOKIE-ACK", "> DATA", "< SACK", "> SHUTDOWN", "< SHUTDOWN-ACK", "> SHUTDOWN-COMPLETE"],
  "the server shuts down":         ["> INIT", "< INIT-ACK", "> COOKIE-ECHO", "< COOKIE-ACK", "< DATA", "> SACK", "< SHUTDOWN", "> SHUTDOWN-ACK", "< SHUTDOWN-COMPLETE"],
  "both shut down":                ["> INIT", "< INIT-ACK", "> COOKIE-ECHO", "< COOKIE-ACK", "> SHUTDOWN", "< SHUTDOWN", "> SHUTDOWN-ACK", "< SHUTDOWN-ACK", "> SHUTDOWN-COMPLETE"],
  "data with the cookies":         ["> INIT", "< INIT-ACK", "> COOKIE-ECHO+DATA", "< COOKIE-ACK+SACK", "> DATA+DATA+DATA", "< SACK+DATA"],
  "the client only":               ["> INIT", "> COOKIE-ECHO", "> DATA", "> SACK", "> HEARTBEAT", "> SHUTDOWN", "> SHUTDOWN-COMPLETE"],
  "the client only, aborts":       ["> INIT", "> COOKIE-ECHO", "> DATA", "> ABORT"],
  "the client aborts":             ["> INIT", "< INIT-ACK", "> COOKIE-ECHO", "< COOKIE-ACK", "> ABORT", "> INIT"],
  "the server aborts":             ["> INIT", "< INIT-ACK", "> COOKIE-ECHO", "< COOKIE-ACK", "< ABORT", "> INIT"],
  "the server refuses":            ["> INIT", "< ABORT", "> INIT"],
  "a cookie with an abort":        ["> INIT", "< INIT-ACK", "> COOKIE-ECHO+ABORT", "> INIT"],
  "a cookie's answer with an abort": ["> INIT", "< INIT-ACK", "> COOKIE-ECHO", "< COOKIE-ACK+ABORT", "> INIT"],
  "other chunks before an abort":  ["> INIT", "< INIT-ACK", "> COOKIE-ECHO", "< COOKIE-ACK", "> DATA+ABORT", "< SACK+ABORT", "> COOKIE-ECHO+DATA+ABORT"],
  "a stale cookie":                ["> INIT", "< INIT-ACK", "> COOKIE-ECHO", "< ERROR", "> INIT"],
  "INIT again and again":          ["> INIT", "> INIT", "< INIT-ACK", "> INIT", "> COOKIE-ECHO", "> INIT", "< COOKIE-ACK", "> INIT"],
  "heartbeats":                    ["> INIT", "< INIT-ACK", "> COOKIE-ECHO", "< COOKIE-ACK", "> HEARTBEAT", "< HEARTBEAT-ACK", "< HEARTBEAT", "> HEARTBEAT-ACK"],
  "extensions":                    ["> INIT", "< INIT-ACK", "> COOKIE-ECHO", "< COOKIE-ACK", "> ECNE", "< CWR", "> AUTH", "< ASCONF", "> I-DATA", "< 192", "> 255"],
  "an extension first":            ["> INIT", "< AUTH", "> AUTH+COOKIE-ECHO", "< AUTH+ABORT"],
  "no INIT":                       ["> DATA", "> COOKIE-ECHO", "> ABORT", "> SHUTDOWN-COMPLETE", "> 255"],
  "INIT with an abort":            ["> INIT+ABORT", "> ABORT+INIT", "> INIT"],
  "an abort first":                ["> ABORT+INIT", "> INIT"],
  "the server begins":             ["< INIT", "> INIT", "< INIT", "> INIT-ACK", "< COOKIE-ECHO", "> COOKIE-ACK"],
  "a closed association again":    ["> INIT", "> COOKIE-ECHO", "> ABORT", "> INIT", "> COOKIE-ECHO", "> DATA"],
};

/** Every chunk type that RFC 9260 has, in each direction, as a walk meets them. */
// biome-ignore format: a list
const PARTS: readonly Part[] = [
  "> INIT", "> INIT", "> COOKIE-ECHO", "> COOKIE-ECHO", "> COOKIE-ACK", "> INIT-ACK", "> INIT-ACK", "> DATA", "> SHUTDOWN", "> SHUTDOWN-ACK",
  "> SHUTDOWN-COMPLETE", "> ERROR", "> ABORT", "> SACK", "> COOKIE-ECHO+ABORT",
  "< INIT", "< INIT-ACK", "< INIT-ACK", "< COOKIE-ECHO", "< COOKIE-ACK", "< COOKIE-ACK", "< DATA", "< SHUTDOWN", "< SHUTDOWN-ACK",
  "< SHUTDOWN-COMPLETE", "< ERROR", "< ABORT", "< COOKIE-ACK+ABORT",
];
const PARTS_UNANSWERED = PARTS.filter((part) => part.startsWith(">"));

const REUSE_MODES = [0, 1, 2];
const WALKS_PER_MODE = { inet: 6, inet6: 2 };
const WALK_LENGTH = 24;

export const SCTP_STATES: CaseFile = {
  features: {
    [SCTP.group]:
      "SCTP states, timers and counts, chunk by chunk, both directions, bundles, damaged packets, checksums",
  },
  cases: () => byEveryWay(casesOf, WALKS_PER_MODE),
};

function casesOf(way: Way, walks: number): Case[] {
  return [
    ...Object.entries(CONVERSATIONS).map(([name, parts]) => conversation(SCTP, way, name, parts)),
    ...REUSE_MODES.flatMap((mode) => walkCases(way, mode, walks)),
    damagedCase(way),
    framesCase(SCTP.group, `${way.name}, no servers`, noServers(way)),
  ];
}

function walkCases(way: Way, mode: number, count: number): Case[] {
  return Array.from({ length: count }, (_, index) => {
    const isAnswered = index % 2 === 0;
    const chance = prng(2000 + 1000 * mode + index);
    const parts = walk(chance, "> INIT", isAnswered ? PARTS : PARTS_UNANSWERED, WALK_LENGTH);
    const name = `conn_reuse_mode ${mode}, walk ${index}${isAnswered ? "" : " without answers"}`;
    const servers = way.option === "-m" && isAnswered ? [21] : [21, 22];
    return conversation(SCTP, way, name, parts, { conn_reuse_mode: mode }, servers);
  });
}

/** Packets that are cut short, whose chunk says a wrong length, or whose checksum is wrong. */
// biome-ignore format: a list
const DAMAGED: readonly Part[] = [
  "> INIT cut=8", "> INIT cut=12", "> INIT cut=15", "> INIT cut=16", "< INIT-ACK cut=12", "< INIT-ACK cut=15", "< INIT-ACK checksum=wrong",
  "> COOKIE-ECHO/0+ABORT", "> COOKIE-ECHO/3+ABORT", "> COOKIE-ECHO/4+ABORT", "> COOKIE-ECHO cut=16", "> COOKIE-ECHO/65535+ABORT", "< COOKIE-ACK/7+ABORT",
  "> INIT checksum=wrong", "> DATA checksum=none", "< COOKIE-ACK checksum=wrong", "> DATA cut=0", "> DATA cut=12", "> DATA cut=13",
];

function damagedCase(way: Way): Case {
  return conversation(SCTP, way, "damaged packets", DAMAGED);
}

function noServers({ family }: Way): Step[] {
  const [client, vip] = family === 4 ? ["CLIENT", "VIP"] : ["[CLIENT6]", "[VIP6]"];
  const chunks = ["INIT", "DATA", "ABORT", "INIT cut=12", "INIT cut=11", "INIT checksum=wrong"];
  return [
    restore(
      `-A --sctp-service ${vip}:80 -s rr`,
      `-A --sctp-service ${vip}:81 -s rr`,
      `-a --sctp-service ${vip}:81 -r ${family === 4 ? "192.168.150.21" : "[fd15::21]"}:80 -m -w 0`,
    ),
    ...[80, 81, 82].flatMap((port) =>
      chunks.map((chunk) => packet(`sctp ${client}:4000 > ${vip}:${port} ${chunk}`)),
    ),
    CONNECTIONS,
    SERVICES,
  ];
}
