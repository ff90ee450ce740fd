/** Two sides' reports, step by step: what differs. */

import type { Case, Report, Step } from "../case.ts";
import { frameOf } from "../packets.ts";
import type { Place } from "../place.ts";
import { linesOf } from "./canonical.ts";
import { compareShares } from "./compare-shares.ts";
import { isSame } from "./diff.ts";

export interface Difference {
  readonly step: number;
  /** The step, as its case has it. */
  readonly what: string;
  readonly theirs: readonly string[];
  readonly ours: readonly string[];
}

/** Both sides' reports of one case at its place. */
export function compare(
  of: Case,
  place: Place,
  expected: readonly Report[],
  actual: readonly Report[],
): Difference[] {
  const { steps, compare: comparison } = of;
  const isOfShares = comparison === "shares";
  const differences = steps.flatMap((step, index): Difference[] => {
    if (isOfShares && step.kind === "packet") return [];
    const arrived = step.kind === "packet" ? frameOf(place.fill(step.packet)) : undefined;
    const words = step.kind === "ipvsadm" ? step.words : [];
    const [theirs, ours] = [expected, actual].map((reports) =>
      linesOf(reports[index]?.observation, comparison, arrived, words),
    ) as [string[], string[]];
    if (
      step.kind === "wait" ||
      step.kind === "begin" ||
      isSame(theirs, ours, drifts(steps, expected, actual, index))
    )
      return [];
    return [{ step: index, what: describeStep(step), theirs, ours }];
  });
  return isOfShares ? [...differences, ...compareShares(of, expected, actual)] : differences;
}

/**
 * How many seconds longer the kernel took than ours, from each packet of the case up to this step: its entries'
 * timers began at one of them, and are so much nearer to their end.
 */
function drifts(
  steps: readonly Step[],
  expected: readonly Report[],
  actual: readonly Report[],
  at: number,
): number[] {
  const lag = (index: number): number => (expected[index]?.atMs ?? 0) - (actual[index]?.atMs ?? 0);
  return steps
    .slice(0, at + 1)
    .flatMap(({ kind }, index) => (kind === "packet" ? (lag(at) - lag(index)) / 1000 : []));
}

/** Many packets' shares are one comparison. */
export function comparedSteps({ steps, compare: comparison }: Case): number {
  const compared = steps.filter(({ kind }) => kind !== "wait" && kind !== "begin");
  if (comparison !== "shares") return compared.length;
  return compared.filter(({ kind }) => kind !== "packet").length + 1;
}

export function describeStep(step: Step): string {
  switch (step.kind) {
    case "ipvsadm": {
      const words = step.words.map((word) => (/^\S+$/.test(word) ? word : `"${word}"`)).join(" ");
      return step.stdin === ""
        ? `ipvsadm ${words}`
        : `ipvsadm ${words} < ${step.stdin.trim().replaceAll("\n", "; ")}`;
    }
    case "sysctl":
      return `${JSON.stringify(step.value)} > net.ipv4.vs.${step.name}`;
    case "sysctl-command":
      return `sysctl ${step.words.map((word) => JSON.stringify(word)).join(" ")}`;
    case "rules":
      return "ipvsadm -S -n";
    case "packet":
      return step.packet;
    case "round":
      return `${step.packet}, and a round of the estimator`;
    case "marks":
      return `marks: ${step.rules.join("; ") || "none"}`;
    case "wait":
      return `${step.ms} ms pass`;
    case "connections":
    case "services":
    case "totals":
    case "begin":
      return step.kind;
  }
}
