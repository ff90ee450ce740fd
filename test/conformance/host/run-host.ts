/** Carries out host cases in the kernel and on ours at the same time, and judges what differs. */
import type { Admission } from "../../../src/daemon/options.ts";
import type { Machine } from "../machines/machine.ts";
import type { Difference } from "../report/compare.ts";
import { isSame } from "../report/diff.ts";
import { columnOf, type EngineName, judge, type Outcome, verdictOf } from "../report/outcome.ts";
import type { HostCase, HostStep } from "./host-case.ts";
import type { HostReport } from "./host-report.ts";
import { KernelAnswers } from "./kernel-answers.ts";
import { performInKernel } from "./kernel-host.ts";
import { performOnOurs } from "./our-host.ts";

export interface HostRunOptions {
  readonly machine: Machine;
  readonly engine: EngineName;
  readonly admission: Admission;
  readonly timeoutMs: number;
  /** A file that holds what the kernel did, or shall. */
  readonly answers: string | undefined;
}

/** More cases than these do not differ by accident. */
const AGAIN_MAX = 20;

/** How often what differs is carried out once more: the guest counts seconds by a processor that it shares. */
const AGAIN_TIMES = 4;

/** An outcome for each case. What differs is carried out once more, by itself: a busy machine's time is not twice the same. */
export async function runHost(
  cases: readonly HostCase[],
  options: HostRunOptions,
): Promise<Outcome[]> {
  let outcomes = await runOnce(cases, options, false);
  for (let time = 0; time < AGAIN_TIMES; time++) {
    const failed = new Set(
      outcomes.filter((each) => verdictOf(each) === "differs").map((each) => each.case),
    );
    const differing = cases.filter((each) => failed.has(each));
    if (differing.length === 0 || differing.length > AGAIN_MAX) break;
    const names = differing.map(({ name }) => `\n  ${name}`).join("");
    process.stderr.write(`conformance: these of hosts differ, once more by themselves:${names}\n`);
    const again = await runOnce(differing, options, true);
    outcomes = outcomes.map((before) => again.find((each) => each.case === before.case) ?? before);
  }
  return outcomes;
}

async function runOnce(
  cases: readonly HostCase[],
  { machine, engine, admission, timeoutMs, answers }: HostRunOptions,
  isAgain: boolean,
): Promise<Outcome[]> {
  if (cases.length === 0) return [];
  const numbered = new Map(cases.entries());
  const kept = new KernelAnswers(answers, isAgain);
  const [theirs, ours] = await Promise.all([
    kept.orAsk(numbered, (missing) => performInKernel(machine, missing, { timeoutMs })),
    performOnOurs(numbered, { engine, admission, timeoutMs }),
  ]);
  return [...numbered].map(([number, each]) =>
    judge(
      each,
      each.steps.length + 1,
      columnOf(engine, admission),
      machine.kernel,
      differencesOf(each, theirs.get(number) ?? [], ours.get(number) ?? []),
    ),
  );
}

const NO_REPORT = ["(no report)"];

function differencesOf(
  { setup, steps }: HostCase,
  theirs: HostReport,
  ours: HostReport,
): Difference[] {
  const differences: Difference[] = [];
  for (let step = 0; step <= steps.length; step++) {
    const [left, right] = [theirs[step] ?? NO_REPORT, ours[step] ?? NO_REPORT];
    const isFine = isSame(left, right, []) && left !== NO_REPORT;
    // A host that could not be set up agrees with nothing.
    if (step === 0 ? left.length + right.length > 0 : !isFine) {
      const what =
        step === 0 ? `set-up: ${setup.replaceAll("\n", "; ")}` : describeHostStep(steps[step - 1]!);
      differences.push({ step, what, theirs: left, ours: right });
    }
  }
  return differences;
}

/** For the reader, and for known differences. */
export function describeHostStep(step: HostStep): string {
  switch (step.kind) {
    case "shell":
      return step.script.replaceAll("\n", "; ");
    case "command":
      return [step.words.join(" "), ...(step.input?.trimEnd().split("\n") ?? [])].join("; ");
    case "arrival": {
      const options = Object.entries(step.options).map(([name, value]) => ` ${name}=${value}`);
      return `${step.wire}: ${step.packet}${options.join("")}`;
    }
    case "wait":
      return `${step.ms} ms pass`;
    case "neighbour":
      return `${step.station} answers for ${step.address} on ${step.wire}`;
    case "silence":
      return `${step.address} does not answer any more on ${step.wire}`;
    case "listen":
      return `a local server listens at ${step.at}, ${step.protocol}`;
    case "talk":
    case "connect": {
      const { source, destination, protocol } = step.ends;
      const where = step.kind === "talk" ? `a client on ${step.wire}` : "a local client";
      return `${where} talks ${protocol}, ${source} > ${destination}`;
    }
  }
}
