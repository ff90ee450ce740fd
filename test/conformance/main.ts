/** `npm run conformance`: the kernel's own IPVS beside ours. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { allCases } from "./cases/index.ts";
import { allHostCases } from "./host/cases/index.ts";
import { runHost } from "./host/run-host.ts";
import { KEEPALIVED_CASES } from "./keepalived/cases.ts";
import { runKeepalived } from "./keepalived/run-keepalived.ts";
import { KernelSide } from "./kernel-side.ts";
import { LDIRECTORD_CASES } from "./ldirectord/cases.ts";
import type { Machine } from "./machines/machine.ts";
import { Qemu } from "./machines/qemu.ts";
import { UserModeLinux } from "./machines/user-mode-linux.ts";
import { HELP, type Options, readOptions } from "./options.ts";
import { columnOf } from "./report/outcome.ts";
import { keep } from "./report/results.ts";
import { type Summary, summarize } from "./report/summary.ts";
import { render } from "./report/text.ts";
import { run } from "./run.ts";
import { selectCases, selectHostCases, selectKeepalivedCases } from "./selection.ts";

const DOCS = join(import.meta.dirname, "../../docs");
const DOCUMENTS = { results: join(DOCS, "conformance.json"), page: join(DOCS, "conformance.md") };

const COULD_NOT_RUN = 2;

// Each guest and each worker is ended when this process ends, and there are more of them than Node expects of anything.
process.setMaxListeners(100);

try {
  process.exitCode = await main(readOptions(process.argv.slice(2)));
} catch (error) {
  process.stderr.write(`conformance: ${(error as Error).message}\n`);
  // What the other sides still do is of no use: guests and workers are ended with this process.
  process.exit(COULD_NOT_RUN);
}

async function main(options: Options): Promise<number> {
  if (options.isHelp) {
    process.stdout.write(HELP);
    return 0;
  }
  const machine = machineOf(options);
  const { kernel } = machine;
  const cases = selectCases(allCases(options), options.filter, machine);
  const hostEngine = options.engines.find((engine) => engine !== "director");
  const hostCases =
    hostEngine === undefined ? [] : selectHostCases(allHostCases(), options.filter, machine);
  const keepalivedCases = options.engines.includes("userspace")
    ? selectKeepalivedCases(
        [...KEEPALIVED_CASES, ...LDIRECTORD_CASES],
        options.filter,
        machine,
        options.writesDocs,
      )
    : [];
  if (cases.length + hostCases.length + keepalivedCases.length === 0) {
    const text = JSON.stringify(options.filter);
    process.stderr.write(`No case for Linux ${kernel.version} has ${text} in its name\n`);
    return COULD_NOT_RUN;
  }
  const { engines, admission, timeoutMs, filter } = options;
  const kernelSide = new KernelSide(machine, { timeoutMs });
  // One after the other: cases that wait would take a busy machine's time for a difference, and be carried out once more.
  const outcomes = [
    ...(await run(cases, { kernel, kernelSide, engines, admission, timeoutMs })),
    ...(await runHost(hostCases, {
      machine,
      engine: hostEngine ?? "userspace",
      admission,
      timeoutMs,
      answers: options.kernelAnswers,
    })),
    ...(await runKeepalived(keepalivedCases, { machine, timeoutMs })),
  ];
  const columns = engines.map((engine) => columnOf(engine, admission));
  const summary = summarize(kernel, columns, outcomes, filter === "");
  tell(summary, options);
  return summary.failed === 0 ? 0 : 1;
}

function tell(summary: Summary, { isJson, report, writesDocs }: Options): void {
  const json = `${JSON.stringify(summary, undefined, 2)}\n`;
  process.stdout.write(isJson ? json : render(summary));
  if (report !== undefined) writeFileSync(report, json);
  if (writesDocs) keep(summary, new Date(), DOCUMENTS);
}

function machineOf({ kernel, completesXstate }: Options): Machine {
  if (kernel.name === "qemu") return new Qemu(kernel.series);
  return new UserModeLinux(completesXstate ? { completesXstate } : {});
}
