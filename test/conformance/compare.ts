/** Two sides' reports, step by step: what differs. */
import { linesOf } from "./canonical.ts";
import type { Case, Report, Step } from "./case.ts";
import { frameOf } from "./packets.ts";
import type { Place } from "./place.ts";

export interface Difference {
  readonly step: number;
  readonly what: string;
  /** Lines of a diff: "- " is the kernel's, "+ " is ours. */
  readonly lines: readonly string[];
}

/** A timer is shown in whole seconds: the sides may be in different ones. */
const EXPIRES = /^(.*expires )(-?\d+)$/;
const EXPIRES_TOLERANCE_SECONDS = 1;

/** Both sides' reports of one case at its place. */
export function compare(
  { steps, compare: comparison }: Case,
  place: Place,
  expected: readonly Report[],
  actual: readonly Report[],
): Difference[] {
  return steps.flatMap((step, index): Difference[] => {
    const arrived = step.kind === "packet" ? frameOf(place.fill(step.packet)) : undefined;
    const words = step.kind === "ipvsadm" ? step.words : [];
    const [theirs, ours] = [expected, actual].map((reports) =>
      linesOf(reports[index]?.observation, comparison, arrived, words),
    ) as [string[], string[]];
    if (step.kind === "wait" || step.kind === "begin" || isSame(theirs, ours)) return [];
    return [{ step: index, what: describeStep(step), lines: diff(theirs, ours) }];
  });
}

export function describeStep(step: Step): string {
  switch (step.kind) {
    case "ipvsadm": {
      const words = step.words.map((word) => (/^\S+$/.test(word) ? word : `"${word}"`)).join(" ");
      return step.stdin === ""
        ? `ipvsadm ${words}`
        : `ipvsadm ${words} < ${step.stdin.trim().replaceAll("\n", "; ")}`;
    }
    case "rules":
      return "ipvsadm -S -n";
    case "packet":
      return step.packet;
    case "round":
      return `${step.packet}, and a round of the estimator`;
    case "wait":
      return `${step.ms} ms pass`;
    case "connections":
    case "services":
    case "totals":
    case "begin":
      return step.kind;
  }
}

function isSame(expected: readonly string[], actual: readonly string[]): boolean {
  return (
    expected.length === actual.length &&
    expected.every((line, index) => isSameLine(line, actual[index]!))
  );
}

function isSameLine(expected: string, actual: string): boolean {
  if (expected === actual) return true;
  const [, head, seconds] = EXPIRES.exec(expected) ?? [];
  const [, otherHead, otherSeconds] = EXPIRES.exec(actual) ?? [];
  return (
    head !== undefined &&
    head === otherHead &&
    Math.abs(Number(seconds) - Number(otherSeconds)) <= EXPIRES_TOLERANCE_SECONDS
  );
}

/** The longest common lines stay, the others are marked. */
function diff(expected: readonly string[], actual: readonly string[]): string[] {
  const common = longestCommon(expected, actual);
  const lines: string[] = [];
  let [left, right] = [0, 0];
  while (left < expected.length || right < actual.length) {
    if (
      left < expected.length &&
      right < actual.length &&
      isSameLine(expected[left]!, actual[right]!)
    ) {
      lines.push(`  ${expected[left]}`);
      left++;
      right++;
    } else if (
      right >= actual.length ||
      (left < expected.length && common[left + 1]![right]! >= common[left]![right + 1]!)
    ) {
      lines.push(`- ${expected[left++]}`);
    } else {
      lines.push(`+ ${actual[right++]}`);
    }
  }
  return lines;
}

/** Lengths of the longest common subsequences of the tails. */
function longestCommon(left: readonly string[], right: readonly string[]): number[][] {
  const lengths = Array.from({ length: left.length + 1 }, () =>
    Array.from({ length: right.length + 1 }, () => 0),
  );
  for (let i = left.length - 1; i >= 0; i--) {
    for (let j = right.length - 1; j >= 0; j--) {
      lengths[i]![j] = isSameLine(left[i]!, right[j]!)
        ? lengths[i + 1]![j + 1]! + 1
        : Math.max(lengths[i + 1]![j]!, lengths[i]![j + 1]!);
    }
  }
  return lengths;
}
