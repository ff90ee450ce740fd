/** A connection, segment by segment: its state, timer and counts after each, by forwarding method and reuse mode. */
import { type Prng, prng } from "../../../src/base/prng.ts";
import {
  type Case,
  type CaseFile,
  CONNECTIONS,
  packet,
  restore,
  SERVICES,
  type Step,
  wait,
} from "../case.ts";

const GROUP = "TCP states";

export const TCP_STATES: CaseFile = {
  features: {
    [GROUP]:
      "TCP states, timers and counts, segment by segment, both directions, conn_reuse_mode 0 to 3, sloppy_tcp",
  },
  cases: () => tcpStateCases(),
};

interface Method {
  readonly name: string;
  readonly option: string;
  /** Who a real server's answers come from, as the director sees them. */
  readonly answersFrom: string;
}

export const METHODS: readonly Method[] = [
  { name: "NAT", option: "-m", answersFrom: "192.168.150.21:8080" },
  { name: "DR", option: "-g", answersFrom: "VIP:80 from=192.168.150.21" },
  { name: "TUN", option: "-i", answersFrom: "VIP:80 from=192.168.150.21" },
];

/** `> S` is a segment from the client, `< SA` one from the server. */
type Segment = `> ${string}` | `< ${string}`;

// biome-ignore format: a table
export const CONVERSATIONS: Readonly<Record<string, readonly Segment[]>> = {
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

/** An entry that is given up goes with the kernel's next tick: 10 ms with a HZ of 100. */
const GIVEN_UP_MS = 25;

function steps(method: Method, segments: readonly Segment[]): Step[] {
  return segments.flatMap((segment) => [
    packet(textOf(method, segment)),
    wait(GIVEN_UP_MS),
    CONNECTIONS,
    SERVICES,
  ]);
}

function textOf({ answersFrom }: Method, segment: Segment): string {
  const [direction, flags] = segment.split(" ");
  if (direction === ">") return `tcp CLIENT:4000 > VIP:80 ${flags}`;
  const [from, ...options] = answersFrom.split(" ");
  return [`tcp ${from} > CLIENT:4000 ${flags}`, ...options].join(" ");
}

function begin({ option }: Method, servers: readonly number[]): Step {
  const port = option === "-m" ? 8080 : 80;
  return restore(
    "-A -t VIP:80 -s rr",
    ...servers.map((number) => `-a -t VIP:80 -r 192.168.150.${number}:${port} ${option}`),
  );
}

const REUSE_MODES = [0, 1, 2, 3];
const WALKS_PER_MODE = 8;
const WALK_LENGTH = 14;

function tcpStateCases(): Case[] {
  return METHODS.flatMap((method) => [
    ...Object.entries(CONVERSATIONS).map(([name, segments]) =>
      tcpCase(`${method.name}, ${name}`, GROUP, method, segments, {}),
    ),
    ...REUSE_MODES.flatMap((mode) => walkCases(method, mode)),
    ...sloppyCases(method),
  ]);
}

export function tcpCase(
  name: string,
  group: string,
  method: Method,
  segments: readonly Segment[],
  sysctls: Case["sysctls"],
  servers: readonly number[] = [21],
): Case {
  return {
    group,
    name,
    compare: "frames",
    sysctls,
    // All cases are set up before the first goes on: so their timers go alike on every side.
    steps: [begin(method, servers), wait(1), ...steps(method, segments)],
  };
}

/** Random walks through the state tables. */
function walkCases(method: Method, mode: number): Case[] {
  return Array.from({ length: WALKS_PER_MODE }, (_, index) => {
    const segments = walk(prng(1000 * mode + index));
    const name = `${method.name}, conn_reuse_mode ${mode}, walk ${index}`;
    // With NAT the answering server must be the one that was asked: there is one.
    const servers = method.option === "-m" ? [21] : [21, 22];
    return tcpCase(name, GROUP, method, segments, { conn_reuse_mode: mode }, servers);
  });
}

// biome-ignore format: a list
const SEGMENTS: readonly Segment[] = [
  "> S", "> S", "> A", "> A", "> FA", "> R", "< SA", "< SA", "< A", "< FA", "< R", "< S", "> -", "< F",
];

export function walk(chance: Prng): Segment[] {
  return ["> S", ...Array.from({ length: WALK_LENGTH }, () => chance.of(SEGMENTS))];
}

/** Any packet but RST opens a connection. */
function sloppyCases(method: Method): Case[] {
  const segments: Segment[][] = [
    ["> A", "> A", "< A", "> FA"],
    ["> FA", "> A"],
    ["> R", "> A"],
    ["> -", "> S"],
  ];
  return segments.map((each, index) =>
    tcpCase(`${method.name}, sloppy_tcp ${index}`, GROUP, method, each, { sloppy_tcp: 1 }),
  );
}
