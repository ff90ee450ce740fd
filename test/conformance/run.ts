/** Carries out cases on the kernel and on our engines, as much as possible at the same time. */
import type { Case, Report } from "./case.ts";
import { KernelSide } from "./kernel-side.ts";
import type { Machine } from "./machines/machine.ts";
import { DirectorSide } from "./ours/director-side.ts";
import { UserspaceSide } from "./ours/userspace-side.ts";
import { Place } from "./place.ts";
import { Progress } from "./progress.ts";
import { compare } from "./report/compare.ts";
import { type EngineName, judge, type Outcome } from "./report/outcome.ts";

export interface RunOptions {
  readonly machine: Machine;
  readonly engines: readonly EngineName[];
  readonly timeoutMs: number;
}

/** An outcome for each case on each engine. Throws when a side cannot be had. */
export async function run(
  cases: readonly Case[],
  { machine, engines, timeoutMs }: RunOptions,
): Promise<Outcome[]> {
  using progress = new Progress(cases.length);
  const options = (name: string) => ({
    timeoutMs,
    onDone: (done: number) => progress.tell(name, done),
  });
  const kernel = new KernelSide(machine, options("kernel")).perform(cases);
  const times = kernel.then((reports) => reports.map(sinceFirst));
  const sides: Readonly<Record<EngineName, () => Promise<Report[][]>>> = {
    // Needs the kernel's times, and costs little.
    director: async () => new DirectorSide(options("director")).perform(cases, await times),
    userspace: () => new UserspaceSide(options("userspace")).perform(cases),
  };
  const [expected, ...actual] = await Promise.all([
    kernel,
    ...engines.map((name) => sides[name]()),
  ]);
  return engines.flatMap((engine, column) =>
    cases.map((each, index) => {
      const differences = compare(
        each,
        new Place(index),
        expected[index]!,
        actual[column]![index]!,
      );
      return judge(each, engine, machine.kernel, differences);
    }),
  );
}

function sinceFirst(reports: readonly Report[]): number[] {
  const [first] = reports;
  return reports.map(({ atMs }) => atMs - (first?.atMs ?? 0));
}
