/** Carries out cases on the kernel and on our engines, as much as possible at the same time. */

import type { Admission } from "../../src/daemon/options.ts";
import type { Case, OnReports, PlacedCase, Report, Side } from "./case.ts";
import { differencesByDirector, isDisturbed, sinceFirst } from "./disturbed.ts";
import type { Kernel } from "./machines/machine.ts";
import { performOnDirector } from "./ours/director-side.ts";
import { UserspaceSide } from "./ours/userspace-side.ts";
import { Place } from "./place.ts";
import { Progress } from "./progress.ts";
import { compare, comparedSteps, type Difference } from "./report/compare.ts";
import { columnOf, type EngineName, judge, type Outcome, verdictOf } from "./report/outcome.ts";

export interface RunOptions {
  readonly kernel: Kernel;
  readonly kernelSide: Side;
  readonly engines: readonly EngineName[];
  readonly admission: Admission;
  readonly timeoutMs: number;
}

/** More cases than these do not differ by accident. */
const AGAIN_MAX = 60;

/**
 * An outcome for each case on each engine. Throws when a side cannot be had. What differs is carried out a second time,
 * by itself and on fresh hosts: what a busy machine's time or a full kernel's memory made different is not so again.
 */
export async function run(cases: readonly Case[], options: RunOptions): Promise<Outcome[]> {
  const outcomes = await runOnce(cases, options);
  const failed = new Set(
    outcomes.filter((each) => verdictOf(each) === "differs").map((each) => each.case),
  );
  const differing = cases.filter((each) => failed.has(each));
  if (differing.length === 0 || differing.length > AGAIN_MAX) return outcomes;
  const names = differing.map(({ group, name }) => `\n  ${group}: ${name}`).join("");
  process.stderr.write(`conformance: these differ, once more by themselves:${names}\n`);
  const again = await runOnce(differing, options);
  return outcomes.map(
    (first) =>
      again.find((each) => each.case === first.case && each.engine === first.engine) ?? first,
  );
}

async function runOnce(cases: readonly Case[], options: RunOptions): Promise<Outcome[]> {
  const placed = cases.map((each, index): PlacedCase => ({ index, each }));
  const done = await performAll(placed, options);
  const outcomes: Outcome[] = [];
  for (const engine of options.engines) {
    for (const one of placed) {
      const { kernel, admission } = options;
      const differences = await differencesOf(one, engine, done, options);
      const column = columnOf(engine, admission);
      outcomes.push(judge(one.each, comparedSteps(one.each), column, kernel, differences));
    }
  }
  return outcomes;
}

/** Reports by case, of each side. */
interface Done extends Readonly<Record<EngineName, Map<number, Report[]>>> {
  /** The kernel's own IPVS. */
  readonly theirs: Map<number, Report[]>;
}

async function performAll(
  cases: readonly PlacedCase[],
  { kernelSide, engines, admission, timeoutMs }: RunOptions,
): Promise<Done> {
  using progress = new Progress(cases.length);
  const done: Done = {
    theirs: new Map(),
    director: new Map(),
    userspace: new Map(),
    kernel: new Map(),
  };
  const into =
    (side: keyof Done): OnReports =>
    (index, reports) => {
      done[side].set(index, reports);
      progress.tell(side, done[side].size);
    };
  // It needs the kernel's times, and follows it case by case. Other engines may need it (disturbed.ts).
  const director = queue(async (index: number, reports: readonly Report[]) => {
    const times = sinceFirst(reports);
    into("director")(index, await performOnDirector(cases[index]!.each, new Place(index), times));
  });
  await Promise.all([
    kernelSide.perform(cases, (index, reports) => {
      into("theirs")(index, reports);
      director.add(index, reports);
    }),
    ...(["userspace", "kernel"] as const)
      .filter((engine) => engines.includes(engine))
      .map((engine) =>
        new UserspaceSide({ engine, admission, timeoutMs }).perform(cases, into(engine)),
      ),
  ]);
  await director.done();
  return done;
}

async function differencesOf(
  one: PlacedCase,
  engine: EngineName,
  done: Done,
  { kernel, admission }: Pick<RunOptions, "kernel" | "admission">,
): Promise<Difference[]> {
  const { index, each } = one;
  const [theirs = [], ours = []] = [done.theirs.get(index), done[engine].get(index)];
  const between = (reports: readonly Report[]): Difference[] =>
    compare(each, new Place(index), theirs, reports);
  const differences = between(ours);
  const differs = (engineName: EngineName, of: readonly Difference[]): boolean =>
    verdictOf(judge(each, comparedSteps(each), columnOf(engineName, admission), kernel, of)) ===
    "differs";
  const isByTime =
    engine !== "director" &&
    differs(engine, differences) &&
    isDisturbed(theirs, ours) &&
    !differs("director", between(done.director.get(index) ?? []));
  return isByTime ? differencesByDirector(one, ours) : differences;
}

/** Does one thing after the other. */
function queue<Words extends readonly unknown[]>(work: (...words: Words) => Promise<void>) {
  let last = Promise.resolve();
  return {
    add(...words: Words): void {
      last = last.then(() => work(...words));
      // Whoever waits for all of them hears of it.
      last.catch(() => {});
    },
    done: () => last,
  };
}
