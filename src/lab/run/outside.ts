/** The outside of a laboratory: starts its inside, shows what it tells, and sees to it that nothing remains. */
import { randomUUID } from "node:crypto";
import { accessSync, constants, existsSync, mkdirSync } from "node:fs";
import { LabFailure } from "../failure.ts";
import { type HostName, planOf } from "../network/plan.ts";
import type { RunOptions } from "../options.ts";
import { programLine } from "../program.ts";
import { needsUserNamespace, startInside } from "./box.ts";
import { follow, Interruption, leashOf, release } from "./held-inside.ts";
import type { Presenter } from "./presenter.ts";
import { findRemains } from "./remains.ts";
import { startTimeOf, writeKept } from "./state-file.ts";

export const EXIT = { ok: 0, statementFailed: 1, usage: 2, notBuilt: 3 } as const;

/** Runs a laboratory; resolves to the exit code. Throws a LabFailure when the machine grants no namespaces. */
export async function runLab(
  options: RunOptions,
  stateFile: string,
  isRoot: boolean,
  presenter: Presenter,
): Promise<number> {
  const plan = planOf(options.scenario, options.family);
  const inUserNamespace = needsUserNamespace(isRoot);
  if (options.pcap !== undefined) prepareCaptures(options.pcap);
  const mark = randomUUID();
  const print = (text: string): void => {
    if (text !== "") process.stdout.write(text);
  };

  // The reader has gone, as in `sluice lab | head`: 128 and SIGPIPE's number. The inside ends with us.
  process.stdout.once("error", () => process.exit(141));
  print(presenter.begin(plan));
  const inside = startInside(
    inUserNamespace,
    mark,
    programLine("lab", "@inside", JSON.stringify(options)),
  );
  using interruption = new Interruption(inside);
  const outcome = await follow(inside, (event, pid) => {
    if (event.kind === "kept") keep(event.hosts, pid);
    print(presenter.show(event));
  });
  if (interruption.exitCode !== undefined) {
    const { evidence } = findRemains(mark, plan, stateFile);
    process.stderr.write(`sluice lab: interrupted; ${evidence}\n`);
    return interruption.exitCode;
  }
  if (outcome.failure !== undefined && !outcome.isFailureShown) {
    print(presenter.show({ kind: "failure", why: outcome.failure }));
  }
  if (outcome.hasEnded) {
    const finding = findRemains(mark, plan, stateFile);
    if (!finding.ok) outcome.hasFailedStatement = true;
    const says = "no namespace, process, rule or file of the laboratory is left";
    print(presenter.show({ kind: "statement", says, ...finding }));
  }
  print(presenter.finish());
  if (outcome.failure !== undefined) {
    process.stderr.write(`sluice lab: ${outcome.failure}\n`);
    return EXIT.notBuilt;
  }
  return outcome.hasFailedStatement ? EXIT.statementFailed : EXIT.ok;

  function keep(hosts: Readonly<Record<string, number>>, pid: number): void {
    try {
      writeKept(stateFile, {
        scenario: options.scenario,
        pid,
        startTime: startTimeOf(pid) ?? "",
        inUserNamespace,
        hosts: hosts as Record<HostName, number>,
      });
    } catch (error) {
      leashOf(inside).destroy();
      throw new LabFailure(`The laboratory cannot be kept: ${(error as Error).message}`);
    }
    release(inside);
  }
}

function prepareCaptures(directory: string): void {
  try {
    if (!existsSync(directory)) mkdirSync(directory);
    accessSync(directory, constants.W_OK);
  } catch (error) {
    throw new LabFailure(`--pcap ${directory}: ${(error as Error).message}`);
  }
}
