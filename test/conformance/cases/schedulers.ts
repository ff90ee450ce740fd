/** Which server each new connection goes to, for every scheduler that the reference kernel has (all but twos). */
import { type Case, type CaseFile, ipvsadm, SERVICES, type Step } from "../case.ts";
import { LIVES, lifeCase } from "./scheduler-lives.ts";
import {
  add,
  begin,
  edit,
  remove,
  type Servers,
  type Target,
  targetOf,
} from "./scheduler-target.ts";

const GROUP = "schedulers";

export const SCHEDULING: CaseFile = {
  features: {
    [GROUP]: "The server of each new connection: 13 schedulers (all but twos) with their flags",
  },
  cases: () => schedulerCases(),
};

// biome-ignore format: a list
const SCHEDULERS = ["rr", "wrr", "lc", "wlc", "sed", "nq", "fo", "ovf", "lblc", "lblcr", "dh", "sh", "mh"] as const;

/** A scheduler with its flags. */
const VARIANTS: readonly string[] = [
  ...SCHEDULERS,
  "sh -b sh-port",
  "sh -b sh-fallback",
  "sh -b sh-port,sh-fallback",
  "mh -b mh-port",
  "mh -b mh-fallback",
  "mh -b mh-port,mh-fallback",
];

interface Scenario {
  readonly name: string;
  readonly servers: Servers;
  readonly family?: 4 | 6;
  readonly protocol?: "tcp" | "udp";
  readonly steps: (target: Target) => Step[];
}

/** New connections, one after the other, that neither go on nor end. */
function opened(count: number, from = 0): Scenario["steps"] {
  return (target) =>
    Array.from({ length: count }, (_, index) => target.packet(1, 2000 + from + index, "S"));
}

/** The same from many clients. */
function openedByMany(count: number): Scenario["steps"] {
  return (target) =>
    Array.from({ length: count }, (_, index) =>
      target.packet((index * 257 + 9) & 0xffff, 3000 + index * 7, "S"),
    );
}

const EQUAL: Servers = { 21: "-w 1", 22: "-w 1", 23: "-w 1" };
const RISING: Servers = { 21: "-w 1", 22: "-w 2", 23: "-w 4" };

const SCENARIOS: readonly Scenario[] = [
  { name: "equal weights", servers: EQUAL, steps: opened(15) },
  { name: "weights 1 2 4", servers: RISING, steps: opened(28) },
  { name: "weights 6 3 0", servers: { 21: "-w 6", 22: "-w 3", 23: "-w 0" }, steps: opened(20) },
  { name: "weights 4 6 10", servers: { 21: "-w 4", 22: "-w 6", 23: "-w 10" }, steps: opened(30) },
  {
    name: "weights above 256",
    servers: { 21: "-w 300", 22: "-w 512", 23: "-w 70000" },
    steps: opened(40),
  },
  {
    name: "weights 65535 and 1",
    servers: { 21: "-w 65535", 22: "-w 1", 23: "-w 65535" },
    steps: opened(20),
  },
  {
    name: "the largest weights",
    servers: { 21: "-w 2147483647", 22: "-w 2147483646" },
    steps: opened(12),
  },
  { name: "one server", servers: { 21: "-w 3" }, steps: opened(5) },
  { name: "no server", servers: {}, steps: opened(3) },
  { name: "weight 0 everywhere", servers: { 21: "-w 0", 22: "-w 0" }, steps: opened(3) },
  {
    name: "eight servers",
    servers: Object.fromEntries(
      [21, 22, 23, 24, 25, 26, 27, 28].map((number) => [number, `-w ${number - 20}`]),
    ),
    steps: opened(60),
  },
  { name: "UDP, weights 1 2 4", servers: RISING, protocol: "udp", steps: opened(24) },
  { name: "many clients", servers: RISING, steps: openedByMany(60) },
  { name: "IPv6, weights 1 2 4", servers: RISING, family: 6, steps: opened(24) },
  { name: "IPv6, many clients", servers: RISING, family: 6, steps: openedByMany(40) },
  {
    name: "upper thresholds",
    servers: { 21: "-w 1 -x 3", 22: "-w 2 -x 4", 23: "-w 4 -x 2" },
    steps: opened(14),
  },
  {
    name: "thresholds with connections that end",
    servers: { 21: "-w 1 -x 3 -y 2", 22: "-w 2 -x 4 -y 1", 23: "-w 4 -x 5" },
    steps: (target) => [
      ...opened(8)(target),
      ...[0, 1, 2, 3, 4, 5].map((index) => target.packet(1, 2000 + index, "R")),
      ...opened(8, 100)(target),
      SERVICES,
    ],
  },
  {
    name: "thresholds changed midway",
    servers: { 21: "-w 1 -x 2", 22: "-w 1 -x 2", 23: "-w 1" },
    steps: (target) => [
      ...opened(8)(target),
      edit(target, 21, "-w 1 -x 5"),
      ...opened(4, 20)(target),
      edit(target, 22, "-w 1"),
      edit(target, 23, "-w 1 -x 3 -y 1"),
      ...opened(8, 40)(target),
      SERVICES,
    ],
  },
  {
    name: "weights changed midway",
    servers: RISING,
    steps: (target) => [
      ...opened(7)(target),
      edit(target, 21, "-w 5"),
      ...opened(9, 20)(target),
      edit(target, 23, "-w 0"),
      ...opened(7, 40)(target),
      edit(target, 23, "-w 3"),
      edit(target, 22, "-w 3"),
      ...opened(12, 60)(target),
      // An edit that changes nothing.
      edit(target, 22, "-w 3"),
      ...opened(6, 80)(target),
      SERVICES,
    ],
  },
  {
    name: "servers added and removed midway",
    servers: RISING,
    steps: (target) => [
      ...opened(5)(target),
      add(target, 24, "-w 3"),
      ...opened(8, 20)(target),
      remove(target, 22),
      ...opened(7, 40)(target),
      // It lives on in the trash, and comes back with its connections.
      add(target, 22, "-w 2"),
      ...opened(9, 60)(target),
      remove(target, 24),
      remove(target, 23),
      ...opened(6, 80)(target),
      SERVICES,
    ],
  },
  {
    name: "another scheduler midway, and back",
    servers: RISING,
    steps: (target) => [
      ...opened(4)(target),
      ipvsadm(`-E ${target.service} -s wrr`),
      ...opened(5, 20)(target),
      ipvsadm(`-E ${target.service} -s sed`),
      ...opened(5, 40)(target),
      SERVICES,
    ],
  },
];

function scenarioCase(
  variant: string,
  { name, servers, family = 4, protocol = "tcp", steps }: Scenario,
): Case {
  const target = targetOf(family, protocol);
  return {
    group: GROUP,
    name: `${variant}, ${name}`,
    compare: "servers",
    sysctls: {},
    steps: [begin(target, variant, servers), ...steps(target)],
  };
}

function schedulerCases(): Case[] {
  return VARIANTS.flatMap((variant) => [
    ...SCENARIOS.map((scenario) => scenarioCase(variant, scenario)),
    ...LIVES.map((each) => lifeCase(GROUP, variant, each)),
  ]);
}
