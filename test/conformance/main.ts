/** `npm run conformance`: the kernel's own IPVS beside ours. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { allCases } from "./cases/index.ts";
import type { Machine } from "./machines/machine.ts";
import { Qemu } from "./machines/qemu.ts";
import { UserModeLinux } from "./machines/user-mode-linux.ts";
import { HELP, type KernelChoice, type Options, readOptions } from "./options.ts";
import { keep } from "./report/results.ts";
import { type Summary, summarize } from "./report/summary.ts";
import { render } from "./report/text.ts";
import { run } from "./run.ts";
import { selectCases } from "./selection.ts";

const DOCS = join(import.meta.dirname, "../../docs");
const DOCUMENTS = { results: join(DOCS, "conformance.json"), page: join(DOCS, "conformance.md") };

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
  const machine = machineOf(options.kernel);
  const { kernel } = machine;
  const cases = selectCases(allCases(options), options.filter, machine);
  if (cases.length === 0) {
    const text = JSON.stringify(options.filter);
    process.stderr.write(`No case for Linux ${kernel.version} has ${text} in its name\n`);
    return 2;
  }
  const { engines, timeoutMs, filter } = options;
  const outcomes = await run(cases, { machine, engines, timeoutMs });
  const summary = summarize(kernel, engines, outcomes, filter === "");
  tell(summary, options);
  return summary.failed === 0 ? 0 : 1;
}

function tell(summary: Summary, { isJson, report, writesDocs }: Options): void {
  const json = `${JSON.stringify(summary, undefined, 2)}\n`;
  process.stdout.write(isJson ? json : render(summary));
  if (report !== undefined) writeFileSync(report, json);
  if (writesDocs) keep(summary, new Date(), DOCUMENTS);
}

function machineOf(choice: KernelChoice): Machine {
  return choice.name === "uml" ? new UserModeLinux() : new Qemu(choice.series);
}
