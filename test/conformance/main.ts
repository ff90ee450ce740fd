/** `npm run conformance`: the kernel's own IPVS beside ours. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { allCases } from "./cases/index.ts";
import { KernelSide } from "./kernel-side.ts";
import type { Machine } from "./machines/machine.ts";
import { Qemu } from "./machines/qemu.ts";
import { UserModeLinux } from "./machines/user-mode-linux.ts";
import { HELP, type KernelChoice, type Options, readOptions } from "./options.ts";
import { DirectorSide } from "./ours/director-side.ts";
import { Place } from "./place.ts";
import { compare } from "./report/compare.ts";
import { knownDifference } from "./report/known-differences.ts";
import { matrix } from "./report/matrix.ts";
import { isAgreeing, type Outcome, render, type Summary, summarize } from "./report/outcome.ts";
import { selectCases } from "./selection.ts";

const DOCUMENT = join(import.meta.dirname, "../../docs/conformance.md");

process.exitCode = await main(process.argv.slice(2));

async function main(words: readonly string[]): Promise<number> {
  let options: Options;
  try {
    options = readOptions(words);
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
    return 2;
  }
  if (options.isHelp) {
    process.stdout.write(HELP);
    return 0;
  }
  let machine: Machine;
  try {
    machine = machineOf(options.kernel);
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
    return 2;
  }
  const { kernel } = machine;
  const cases = selectCases(allCases(options), options.filter, machine);
  if (cases.length === 0) {
    const text = JSON.stringify(options.filter);
    process.stderr.write(`No case for Linux ${kernel.version} has ${text} in its name\n`);
    return 2;
  }
  const { timeoutMs } = options;
  const isTalkative = kernel.name === "qemu";
  const expected = await new KernelSide(machine, { timeoutMs, isTalkative }).perform(cases);
  const times = expected.map((reports) => {
    const [first] = reports;
    return reports.map(({ atMs }) => atMs - (first?.atMs ?? 0));
  });
  const actual = await new DirectorSide().perform(cases, times);
  const outcomes: Outcome[] = cases.map((each, index) => ({
    case: each,
    known: knownDifference(each, kernel),
    differences: compare(each, new Place(index), expected[index]!, actual[index]!),
  }));
  const summary: Summary = { kernel, ...summarize(outcomes) };
  process.stdout.write(
    options.isJson ? `${JSON.stringify(summary, undefined, 2)}\n` : render(outcomes, summary),
  );
  if (options.writesDocs) {
    if (options.filter !== "" || kernel.name !== "uml")
      process.stderr.write("docs/conformance.md is not written: not all cases ran\n");
    else writeFileSync(DOCUMENT, matrix(summary, new Date()));
  }
  return outcomes.every(isAgreeing) ? 0 : 1;
}

function machineOf(choice: KernelChoice): Machine {
  return choice.name === "uml" ? new UserModeLinux() : new Qemu(choice.series);
}
