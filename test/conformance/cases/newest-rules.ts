/** What kernels since 6.12, and the stable series since about 6.1.192, do in another way than those before. */
import { type Prng, prng } from "../../../src/base/prng.ts";
import {
  type Case,
  type CaseFile,
  CONNECTIONS,
  ipvsadm,
  packet,
  SERVICES,
  type Step,
  wait,
} from "../case.ts";
import { at, begin as beginOne, clientOf, METHODS, type Method, vipOf } from "./methods.ts";
import { begin, edit, type Servers, type Target, targetOf } from "./scheduler-target.ts";

const THRESHOLDS = "thresholds, edited";
const OVERHEAD = "overhead of inactive connections";
const ICMP = "ICMP errors that are cut or malformed";
/** The oldest that was seen to have these rules. */
const SINCE = { since: "6.1.192" } as const;

export const NEWEST_RULES: CaseFile = {
  features: {
    [THRESHOLDS]: "Thresholds and weights edited while connections come and go, by many seeds",
    [OVERHEAD]: "Active against inactive connections where one more decides: lc, wlc, lblc, lblcr",
    [ICMP]: "ICMP errors whose quotation is cut short or says a wrong header length, both ways",
  },
  cases: () => [...thresholdCases(), ...overheadCases(), ...icmpCases()],
};

const THRESHOLD_SCHEDULERS = ["rr", "wrr", "lc", "wlc", "sed", "nq", "fo", "ovf", "sh", "mh", "dh"];
const SEEDS = [1, 2, 3];
const TURNS = 80;
/** CLOSE takes 10 s, and the kernel's timers may be an eighth of that late. */
const CLOSED_MS = 12_000;
const ENDS = 12;

function thresholdCases(): Case[] {
  return [
    ...THRESHOLD_SCHEDULERS.flatMap((scheduler, index) =>
      SEEDS.map((seed) => thresholdCase(scheduler, seed, prng(100 * index + seed))),
    ),
    ...Array.from({ length: ENDS }, (_, seed) => endsCase(seed, prng(5000 + seed))),
  ];
}

/** Some connections of one server end after its thresholds were edited: one more tells whether it is full. */
function endsCase(seed: number, chance: Prng): Case {
  const target = targetOf(4, "tcp");
  const count = 2 + chance.below(6);
  const ports = Array.from({ length: count }, (_, index) => 2000 + index);
  return {
    group: THRESHOLDS,
    name: `connections that end, seed ${seed}`,
    compare: "servers",
    sysctls: {},
    needs: SINCE,
    steps: [
      begin(target, "rr", { 21: thresholds(chance, count) }),
      ...ports.map((port) => target.packet(1, port, "S")),
      edit(target, 21, thresholds(chance, count)),
      ...ports.slice(chance.below(count)).map((port) => target.packet(1, port, "R")),
      wait(CLOSED_MS),
      target.packet(1, 3000, "S"),
      SERVICES,
    ],
  };
}

/** Both about a count of connections. */
function thresholds(chance: Prng, count: number): string {
  const upper = 1 + chance.below(count + 2);
  return `-w 1 -x ${upper} -y ${chance.below(upper + 1)}`;
}

/** Few servers with low thresholds, so that edits meet every relation of a count and its marks. */
function thresholdCase(scheduler: string, seed: number, chance: Prng): Case {
  const target = targetOf(4, "tcp");
  const servers: Servers = { 21: options(chance), 22: options(chance), 23: options(chance) };
  const open: [client: number, port: number][] = [];
  const steps: Step[] = [begin(target, scheduler, servers)];
  for (let turn = 0; turn < TURNS; turn++) {
    const dice = chance.below(10);
    if (dice < 5 || open.length === 0) {
      const flow: [number, number] = [chance.below(50), 2000 + turn];
      open.push(flow);
      steps.push(target.packet(...flow, "S"));
    } else if (dice < 7) {
      const [flow] = open.splice(chance.below(open.length), 1);
      // Not by a reset: the entry would go after 10 s, while the case goes on.
      steps.push(target.packet(...flow!, "FA"));
    } else {
      steps.push(edit(target, chance.of([21, 22, 23]), options(chance)));
    }
  }
  return {
    group: THRESHOLDS,
    name: `${scheduler}, seed ${seed}`,
    compare: "servers",
    sysctls: {},
    needs: SINCE,
    steps: [...steps, SERVICES],
  };
}

function options(chance: Prng): string {
  const upper = chance.of([0, 1, 2, 3, 4, 6, 9]);
  const lower = chance.below(2) === 0 ? 0 : chance.below(upper + 1);
  return `-w ${chance.of([0, 1, 1, 2, 5])} -x ${upper} -y ${lower}`;
}

/** By the newer rule an active connection weighs as 257 inactive ones, by the older as 256. */
const INACTIVE_BEFORE = 250;
const PICKS = 16;

function overheadCases(): Case[] {
  return ["lc", "wlc", "lblc", "lblcr"].flatMap((scheduler) => [
    overheadCase(scheduler, "equal weights", { active: 21, inactive: 22 }, "-w 1"),
    overheadCase(scheduler, "the other first", { active: 22, inactive: 21 }, "-w 1"),
    overheadCase(scheduler, "weights of 1000", { active: 21, inactive: 22 }, "-w 1000"),
  ]);
}

/** One server has an active connection, the other inactive ones, one more with each connection that it then gets. */
function overheadCase(
  scheduler: string,
  name: string,
  { active, inactive }: { readonly active: number; readonly inactive: number },
  weight: string,
): Case {
  const target = targetOf(4, "tcp");
  return {
    group: OVERHEAD,
    name: `${scheduler}, ${name}`,
    compare: "servers",
    sysctls: {},
    needs: SINCE,
    steps: [
      begin(target, "rr", { 21: "-w 0", 22: "-w 0" }),
      edit(target, active, "-w 1"),
      target.packet(1, 1000, "S"),
      edit(target, active, "-w 0"),
      edit(target, inactive, "-w 1"),
      ...Array.from({ length: INACTIVE_BEFORE }, (_, index) => ended(target, 2000 + index)).flat(),
      edit(target, active, weight),
      edit(target, inactive, weight),
      ipvsadm(`-E ${target.service} -s ${scheduler}`),
      SERVICES,
      ...Array.from({ length: PICKS }, (_, index) => ended(target, 3000 + index)).flat(),
      SERVICES,
    ],
  };
}

/** A connection that is inactive, for two minutes. */
function ended(target: Target, port: number): Step[] {
  return [target.packet(1, port, "S"), target.packet(1, port, "FA")];
}

const ICMP_METHODS = ["NAT", "NAT, IPv6", "DR", "DR, IPv6", "TUN ipip", "TUN gue"];
/** Bytes of the quotation: around the end of the IP header, of the ports and of the transport header. */
const QUOTES = {
  4: [0, 1, 8, 19, 20, 21, 23, 24, 27, 28, 32, 39, 40],
  6: [0, 1, 8, 39, 40, 41, 43, 44, 47, 48, 59, 60],
} as const;
const HEADER_LENGTHS = [0, 1, 4, 6, 7, 14, 15];

function icmpCases(): Case[] {
  return METHODS.filter(({ name }) => ICMP_METHODS.includes(name)).flatMap((method) =>
    (["t", "u"] as const).flatMap((protocol) => [
      icmpCase(method, protocol, "from the client's side"),
      ...(method.option === "-m" ? [icmpCase(method, protocol, "from the server's side")] : []),
    ]),
  );
}

type SideOfDirector = "from the client's side" | "from the server's side";

function icmpCase(method: Method, protocol: "t" | "u", side: SideOfDirector): Case {
  const name = protocol === "t" ? "tcp" : "udp";
  const [client, vip] = [at(clientOf(method), 4000), at(vipOf(method), 80)];
  const between =
    side === "from the client's side"
      ? `icmp ${clientOf(method)} > ${vipOf(method)}`
      : `icmp ${method.server} > ${clientOf(method)}`;
  const about =
    side === "from the client's side"
      ? `${name} ${vip} > ${client}`
      : `${name} ${client} > ${at(method.server, method.port)}`;
  const error = method.family === 4 ? "3/3" : "1/4";
  const what = protocol === "t" ? "A" : "length=40";
  return {
    group: ICMP,
    name: `${method.name}, ${name}, ${side}`,
    compare: "frames",
    sysctls: {},
    needs: SINCE,
    steps: [
      beginOne(method, protocol),
      packet(`${name} ${client} > ${vip} ${protocol === "t" ? "S" : "length=20"}`),
      ...QUOTES[method.family].map((quote) =>
        packet(`${between} ${error} quote=${quote} about ${about} ${what}`),
      ),
      ...(method.family === 4
        ? HEADER_LENGTHS.flatMap((length) => [
            packet(`${between} ${error} about ${about} ${what} ihl=${length}`),
            packet(`${between} ${error} quote=28 about ${about} ${what} ihl=${length}`),
          ])
        : []),
      packet(`${between} ${error} about ${between} ${error} about ${about} ${what}`),
      CONNECTIONS,
    ],
  };
}
