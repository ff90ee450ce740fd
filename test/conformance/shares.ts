/** Which cases are carried out one after the other on the same host, and which on others at the same time. */
import type { Case, Step } from "./case.ts";

/** A case and its number among all, which says its place. */
export interface PlacedCase {
  readonly index: number;
  readonly each: Case;
}

export function placed(cases: readonly Case[]): PlacedCase[] {
  return cases.map((each, index) => ({ index, each }));
}

/** Above this a case has a host of its own kind: nobody shall wait for it. */
const PATIENCE_MS = 5_000;

/**
 * Command lines flush the table, so they are apart from packets; those that mostly wait are apart, too, and those
 * that wait for the estimator, whose rounds are the whole kernel's. The rest is
 * divided into `parts` of like cost. Within a share cases keep their order.
 */
export function shares(cases: readonly PlacedCase[], parts: number): PlacedCase[][] {
  const commands = cases.filter(({ each }) => each.steps.some(({ kind }) => kind === "begin"));
  const patient = cases.filter(
    ({ each }) => waits(each) >= PATIENCE_MS && !commands.some((other) => other.each === each),
  );
  const rounds = cases.filter(({ each }) => each.steps.some(({ kind }) => kind === "round"));
  const apart = new Set([...commands, ...patient, ...rounds]);
  const packets = divide(
    cases.filter((each) => !apart.has(each)),
    parts,
  );
  return [...packets, commands, patient, rounds].filter((share) => share.length > 0);
}

function waits({ steps }: Case): number {
  return steps.reduce((sum, step) => sum + (step.kind === "wait" ? step.ms : 0), 0);
}

/** More cases at once than these, and a host is so busy that its connections' timers go on meanwhile. */
const COMPANY_MAX = 8;
/** Waits up to this are for the kernel's tick. */
const SHORT_WAIT_MS = 100;

/**
 * Cases that take turns on one host while they wait: those of a group, or a few of one that waits for ticks alone. The
 * estimator's rounds are everybody's, so nothing else may happen between them.
 */
export function companies(cases: readonly PlacedCase[]): PlacedCase[][] {
  return [...Map.groupBy(cases, ({ each }) => each.group).values()].flatMap((group) => {
    const size = hasRounds(group) ? 1 : waitsForTicks(group) ? COMPANY_MAX : group.length;
    return Array.from({ length: Math.ceil(group.length / size) }, (_, index) =>
      group.slice(index * size, (index + 1) * size),
    );
  });
}

function hasRounds(group: readonly PlacedCase[]): boolean {
  return group.some(({ each }) => each.steps.some(({ kind }) => kind === "round"));
}

function waitsForTicks(group: readonly PlacedCase[]): boolean {
  const waits = group.flatMap(({ each }) => each.steps.filter((step) => step.kind === "wait"));
  return waits.length > 0 && waits.every(({ ms }) => ms <= SHORT_WAIT_MS);
}

function divide(cases: readonly PlacedCase[], parts: number): PlacedCase[][] {
  const total = cases.reduce((sum, { each }) => sum + costOf(each), 0);
  const divided: PlacedCase[][] = Array.from({ length: parts }, () => []);
  let before = 0;
  for (const one of cases) {
    divided[Math.min(Math.floor((before / total) * parts), parts - 1)]!.push(one);
    before += costOf(one.each);
  }
  return divided;
}

/** In the time that a packet takes; a command is a process, a listing a long file. Measured in User Mode Linux. */
const COST: Readonly<Record<Step["kind"], number>> = {
  packet: 1,
  ipvsadm: 20,
  sysctl: 2,
  "sysctl-command": 20,
  rules: 20,
  begin: 20,
  connections: 6,
  services: 1,
  totals: 1,
  round: 0,
  wait: 0,
};

function costOf({ steps }: Case): number {
  return steps.reduce((sum, { kind }) => sum + COST[kind], 1);
}
