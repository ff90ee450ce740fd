/** A run in numbers, for readers and for programs. */
import { featureOf } from "../cases/index.ts";
import { hostFeatureOf } from "../host/cases/index.ts";
import { KEEPALIVED_GROUP, LDIRECTORD_GROUP } from "../keepalived/case.ts";
import type { Kernel } from "../machines/machine.ts";
import { diff } from "./diff.ts";
import { KNOWN, mayOccur } from "./known-differences.ts";
import { type Column, type Outcome, verdictOf } from "./outcome.ts";

interface EngineSummary {
  readonly agree: number;
  readonly known: number;
  readonly differ: number;
}

export interface GroupSummary {
  readonly feature: string;
  readonly cases: number;
  /** Steps that were compared, on each engine. */
  readonly comparisons: number;
  readonly engines: Readonly<Partial<Record<Column, EngineSummary>>>;
}

export interface Summary {
  readonly kernel: Kernel;
  readonly engines: readonly Column[];
  /** A case on an engine is one. Known differences that no longer occur count as failed. */
  readonly passed: number;
  readonly failed: number;
  readonly groups: Readonly<Record<string, GroupSummary>>;
  /** By title: in how many cases on how many engines. */
  readonly known: Readonly<Record<string, Readonly<Partial<Record<Column, number>>>>>;
  /** Known differences of which no case had any. */
  readonly stale: readonly string[];
  readonly differences: readonly ReportedDifference[];
}

interface ReportedDifference {
  readonly group: string;
  readonly name: string;
  readonly engine: Column;
  readonly step: number;
  readonly what: string;
  readonly known: string | undefined;
  readonly lines: readonly string[];
}

export function summarize(
  kernel: Kernel,
  engines: readonly Column[],
  outcomes: readonly Outcome[],
  isWhole: boolean,
): Summary {
  const stale = isWhole ? staleDifferences(kernel, engines, outcomes) : [];
  const failed = outcomes.filter((each) => verdictOf(each) === "differs").length;
  const groups = Map.groupBy(outcomes, (outcome) => outcome.case.group);
  return {
    kernel,
    engines,
    passed: outcomes.length - failed,
    failed: failed + stale.length,
    groups: Object.fromEntries([...groups].map(([name, of]) => [name, groupOf(name, of)])),
    known: knownCounts(outcomes),
    stale,
    differences: outcomes.flatMap(reported),
  };
}

function groupOf(name: string, outcomes: readonly Outcome[]): GroupSummary {
  const engines = Map.groupBy(outcomes, ({ engine }) => engine);
  const cases = new Map(outcomes.map((outcome) => [outcome.case, outcome.comparisons]));
  return {
    feature: featureOfAny(name),
    cases: cases.size,
    comparisons: [...cases.values()].reduce((sum, each) => sum + each, 0),
    engines: Object.fromEntries([...engines].map(([engine, of]) => [engine, engineOf(of)])),
  };
}

function engineOf(outcomes: readonly Outcome[]): EngineSummary {
  const count = (wanted: string): number =>
    outcomes.filter((each) => verdictOf(each) === wanted).length;
  return { agree: count("agrees"), known: count("known"), differ: count("differs") };
}

function knownCounts(outcomes: readonly Outcome[]): Summary["known"] {
  const counts: Record<string, Partial<Record<Column, number>>> = {};
  for (const { engine, differences } of outcomes) {
    for (const title of new Set(differences.flatMap(({ known }) => known?.title ?? []))) {
      const before = counts[title];
      counts[title] = { ...before, [engine]: (before?.[engine] ?? 0) + 1 };
    }
  }
  return counts;
}

function staleDifferences(
  kernel: Kernel,
  engines: readonly Column[],
  outcomes: readonly Outcome[],
): string[] {
  return engines.flatMap((engine) => {
    const of = outcomes.filter((outcome) => outcome.engine === engine);
    const occurring = new Set(
      of.flatMap(({ differences }) => differences.map(({ known }) => known)),
    );
    return KNOWN.filter(
      (known) =>
        !occurring.has(known) && of.some((each) => mayOccur(known, each.case, engine, kernel)),
    ).map(({ title, step }) => `${title} (steps ${step}, ${engine})`);
  });
}

function reported({ case: { group, name }, engine, differences }: Outcome): ReportedDifference[] {
  return differences.map(({ step, what, known, theirs, ours }) => ({
    group,
    name,
    engine,
    step: step + 1,
    what,
    known: known?.title,
    lines: diff(theirs, ours),
  }));
}

function featureOfAny(group: string): string {
  for (const { name, feature } of [KEEPALIVED_GROUP, LDIRECTORD_GROUP]) {
    if (group === name) return feature;
  }
  return hostFeatureOf(group) ?? featureOf(group);
}
