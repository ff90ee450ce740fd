/** Which cases are carried out one after the other on the same host, and which on others at the same time. */
import type { Case, PlacedCase, Step } from "./case.ts";

/** Above this a case has a host of its own kind: nobody shall wait for it. */
const PATIENCE_MS = 5_000;

/**
 * Command lines flush the table, so they are apart from packets; cases that mostly wait are apart, too. Packets and
 * command lines are divided into so many shares of like cost. Within a share cases keep their order.
 */
export function shares(
  cases: readonly PlacedCase[],
  parts: { readonly packets: number; readonly commands: number },
): PlacedCase[][] {
  const kinds = Map.groupBy(cases, kindOf);
  return [
    ...divide(kinds.get("packets") ?? [], parts.packets),
    ...divide(kinds.get("commands") ?? [], parts.commands),
    kinds.get("patient") ?? [],
  ].filter((share) => share.length > 0);
}

function kindOf({ each }: PlacedCase): "packets" | "commands" | "patient" {
  if (each.steps.some(({ kind }) => kind === "begin")) return "commands";
  return isPatient(each) ? "patient" : "packets";
}

/** Whether it mostly waits. */
function isPatient({ steps }: Case): boolean {
  const waits = steps.reduce((sum, step) => sum + (step.kind === "wait" ? step.ms : 0), 0);
  return waits >= PATIENCE_MS;
}

/** So many cases of one group wait together when they are not patient. */
const TOGETHER_MAX = 8;

/**
 * Cases in the order given, in parts whose cases wait together: a whole group of patient ones, so that it takes no
 * longer than the most patient; a few of the others, so that none lasts until the timers of its connections end.
 */
export function companies(cases: readonly PlacedCase[]): PlacedCase[][] {
  const parts: PlacedCase[][] = [];
  for (const one of cases) {
    const part = parts.at(-1);
    const isFull = (part?.length ?? 0) >= TOGETHER_MAX && !isPatient(one.each);
    if (part === undefined || part[0]!.each.group !== one.each.group || isFull) parts.push([one]);
    else part.push(one);
  }
  return parts;
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
  wait: 0,
};

function costOf({ steps }: Case): number {
  return steps.reduce((sum, { kind }) => sum + COST[kind], 1);
}
