/** Carries out cases on the kernel and on our engines, as much as possible at the same time. */
import type { Case, OnReports, PlacedCase, Report, Side } from "./case.ts";
import type { Kernel } from "./machines/machine.ts";
import { performOnDirector } from "./ours/director-side.ts";
import { UserspaceSide } from "./ours/userspace-side.ts";
import { Place } from "./place.ts";
import { Progress } from "./progress.ts";
import { compare } from "./report/compare.ts";
import { type EngineName, judge, type Outcome } from "./report/outcome.ts";

export interface RunOptions {
  readonly kernel: Kernel;
  readonly kernelSide: Side;
  readonly engines: readonly EngineName[];
  readonly timeoutMs: number;
}

/** An outcome for each case on each engine. Throws when a side cannot be had. */
export async function run(
  cases: readonly Case[],
  { kernel, kernelSide, engines, timeoutMs }: RunOptions,
): Promise<Outcome[]> {
  using progress = new Progress(cases.length);
  const placed = cases.map((each, index): PlacedCase => ({ index, each }));
  const theirs = new Map<number, Report[]>();
  const ours = { director: new Map<number, Report[]>(), userspace: new Map<number, Report[]>() };
  const into =
    (name: string, reports: Map<number, Report[]>): OnReports =>
    (index, of) => {
      reports.set(index, of);
      progress.tell(name, reports.size);
    };
  // The director needs the kernel's times, and follows it case by case.
  const follow = queue(async (index: number, of: readonly Report[]) => {
    into("director", ours.director)(
      index,
      await performOnDirector(cases[index]!, new Place(index), sinceFirst(of)),
    );
  });
  await Promise.all([
    kernelSide.perform(placed, (index, of) => {
      into("kernel", theirs)(index, of);
      if (engines.includes("director")) follow.add(index, of);
    }),
    engines.includes("userspace")
      ? new UserspaceSide({ timeoutMs }).perform(placed, into("userspace", ours.userspace))
      : undefined,
  ]);
  await follow.done();
  return engines.flatMap((engine) =>
    placed.map(({ index, each }) => {
      const [expected = [], actual = []] = [theirs.get(index), ours[engine].get(index)];
      return judge(each, engine, kernel, compare(each, new Place(index), expected, actual));
    }),
  );
}

function sinceFirst(reports: readonly Report[]): number[] {
  const [first] = reports;
  return reports.map(({ atMs }) => atMs - (first?.atMs ?? 0));
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
