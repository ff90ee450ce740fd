/** What came out of a run, for readers and for programs. */
import type { Case } from "../case.ts";
import type { Kernel } from "../machines/machine.ts";
import type { Difference } from "./compare.ts";

export interface Outcome {
  readonly case: Case;
  /** The title in docs/differences.md if this case may differ beside this kernel. */
  readonly known: string | undefined;
  readonly differences: readonly Difference[];
}

interface GroupSummary {
  readonly cases: number;
  /** Steps that were compared. */
  readonly steps: number;
  readonly agree: number;
  readonly known: number;
  readonly differ: number;
}

export interface Summary {
  readonly kernel: Kernel;
  readonly groups: Readonly<Record<string, GroupSummary>>;
  readonly differences: readonly {
    readonly group: string;
    readonly name: string;
    readonly known: string | undefined;
    readonly differences: readonly Difference[];
  }[];
}

export function isAgreeing({ differences, known }: Outcome): boolean {
  return differences.length === 0 || known !== undefined;
}

export function summarize(outcomes: readonly Outcome[]): Omit<Summary, "kernel"> {
  const groups = Map.groupBy(outcomes, (outcome) => outcome.case.group);
  return {
    groups: Object.fromEntries([...groups].map(([name, of]) => [name, summaryOf(of)])),
    differences: outcomes
      .filter(({ differences }) => differences.length > 0)
      .map((outcome) => ({
        group: outcome.case.group,
        name: outcome.case.name,
        known: outcome.known,
        differences: outcome.differences,
      })),
  };
}

function summaryOf(outcomes: readonly Outcome[]): GroupSummary {
  const differing = outcomes.filter(({ differences }) => differences.length > 0);
  const known = differing.filter(isAgreeing).length;
  return {
    cases: outcomes.length,
    steps: outcomes.reduce((sum, outcome) => sum + comparedSteps(outcome.case), 0),
    agree: outcomes.length - differing.length,
    known,
    differ: differing.length - known,
  };
}

/** Many packets' shares are one comparison. */
function comparedSteps({ steps, compare }: Case): number {
  const compared = steps.filter(({ kind }) => kind !== "wait" && kind !== "begin");
  if (compare !== "shares") return compared.length;
  return compared.filter(({ kind }) => kind !== "packet").length + 1;
}

export function render(outcomes: readonly Outcome[], { kernel, groups }: Summary): string {
  const lines: string[] = [];
  for (const outcome of outcomes.filter((each) => !isAgreeing(each))) {
    lines.push(`${outcome.case.group}: ${outcome.case.name}`);
    for (const { step, what, lines: diff } of outcome.differences) {
      lines.push(`  step ${step + 1}: ${what}`, ...diff.map((line) => `    ${line}`));
    }
    lines.push("");
  }
  lines.push(
    `The kernel's IPVS (${kernel.name} ${kernel.version}, marked -) beside the bare director (marked +):`,
  );
  for (const [name, { cases, steps, agree, known, differ }] of Object.entries(groups)) {
    const rest = known === 0 ? "" : `, ${known} differ as docs/differences.md says`;
    lines.push(
      `  ${name}: ${cases} cases, ${steps} comparisons: ${agree} agree${rest}, ${differ} differ`,
    );
  }
  return `${lines.join("\n")}\n`;
}
