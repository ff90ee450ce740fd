/** Which cases are carried out one after the other on the same host, and which on others at the same time. */
import type { Case, PlacedCase, Step } from "./case.ts";

/** Above this a case has a host of its own kind: nobody shall wait for it. */
const PATIENCE_MS = 5_000;

/** Groups wait one after the other, and the longest waits are more than a minute each. */
const PATIENT_SHARES = 2;

/**
 * Command lines flush the table, so they are apart from packets; cases that mostly wait are apart, too, and so are
 * those that wait for the estimator, whose rounds are the whole host's. Packets and command lines are divided into so many shares of like cost. Within a share cases keep their order.
 */
export function shares(
  cases: readonly PlacedCase[],
  parts: { readonly packets: number; readonly commands: number },
): PlacedCase[][] {
  const kinds = Map.groupBy(cases, kindOf);
  return [
    ...divide(kinds.get("packets") ?? [], parts.packets),
    ...divide(kinds.get("commands") ?? [], parts.commands),
    ...divideByWait(kinds.get("patient") ?? [], PATIENT_SHARES),
    kinds.get("rounds") ?? [],
  ].filter((share) => share.length > 0);
}

/** So that little time passes between a step and the next of the same case. Those with rounds are alone between them. */
const TOGETHER_MAX = { packets: 8, commands: 24, patient: Number.POSITIVE_INFINITY, rounds: 1 };

/** Cases of one group wait together: all of those that mostly wait, of others some at a time. */
export function turns(share: readonly PlacedCase[]): PlacedCase[][] {
  const batches: PlacedCase[][] = [];
  for (const one of share) {
    const batch = batches.at(-1);
    const isFull = (batch?.length ?? 0) >= TOGETHER_MAX[kindOf(one)];
    if (batch?.[0]?.each.group === one.each.group && !isFull) batch.push(one);
    else batches.push([one]);
  }
  return batches;
}

function kindOf({ each: { steps } }: PlacedCase): keyof typeof TOGETHER_MAX {
  if (steps.some(({ kind }) => kind === "begin")) return "commands";
  if (steps.some(({ kind }) => kind === "round")) return "rounds";
  return waitOf(steps) >= PATIENCE_MS ? "patient" : "packets";
}

function waitOf(steps: Case["steps"]): number {
  return steps.reduce((sum, step) => sum + (step.kind === "wait" ? step.ms : 0), 0);
}

/** Whole groups, each of which waits as long as its most patient case, the longest first where least is waited yet. */
function divideByWait(cases: readonly PlacedCase[], parts: number): PlacedCase[][] {
  const groups = [...Map.groupBy(cases, ({ each }) => each.group).values()].map((group) => ({
    group,
    wait: Math.max(...group.map(({ each }) => waitOf(each.steps))),
  }));
  const divided = Array.from({ length: parts }, () => ({ cases: [] as PlacedCase[], wait: 0 }));
  for (const { group, wait } of groups.toSorted((one, other) => other.wait - one.wait)) {
    const least = divided.reduce((one, other) => (other.wait < one.wait ? other : one));
    least.cases.push(...group);
    least.wait += wait;
  }
  return divided.map((part) => part.cases);
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
  marks: 40,
  connections: 6,
  services: 1,
  totals: 1,
  round: 0,
  wait: 0,
};

function costOf({ steps }: Case): number {
  return steps.reduce((sum, { kind }) => sum + COST[kind], 1);
}
