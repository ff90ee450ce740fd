/** Features by kernel and engine: what was compared, and what came out. Every cell comes from a run. */
import { type Column, ENGINE_TITLES } from "./outcome.ts";
import type { GroupSummary, Summary } from "./summary.ts";

/** What of a run the matrix shows. */
export type Compared = Pick<Summary, "kernel" | "engines" | "groups">;

/** The heading, then a row for each feature. Of each run a column for the kernel and one for each engine beside it. */
export function matrixOf(runs: readonly Compared[]): string[][] {
  const names = [...new Set(runs.flatMap(({ groups }) => Object.keys(groups)))];
  return [
    [
      "feature",
      ...runs.flatMap(({ kernel, engines }) => [
        `Linux ${kernel.version}`,
        ...engines.map((engine) => ENGINE_TITLES[engine]),
      ]),
    ],
    ...names.map((name) => [
      runs.find(({ groups }) => name in groups)!.groups[name]!.feature,
      ...runs.flatMap(({ engines, groups }) => cellsOf(engines, groups[name])),
    ]),
  ];
}

function cellsOf(engines: readonly Column[], group: GroupSummary | undefined): string[] {
  if (group === undefined) return ["-", ...engines.map(() => "-")];
  return [
    `${count(group.cases, "case")}, ${count(group.comparisons, "comparison")}`,
    ...engines.map((engine) => verdict(group.engines[engine])),
  ];
}

function verdict(summary: GroupSummary["engines"][Column]): string {
  if (summary === undefined) return "-";
  const { known, differ } = summary;
  if (differ > 0) return `${differ} differ`;
  return known > 0 ? `same, but ${count(known, "known difference")}` : "same";
}

export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
