/** The outside of a laboratory: starts its inside, shows what it tells, and sees to it that nothing remains. */
import type { ChildProcess } from "node:child_process";
import { randomUUID } from "node:crypto";
import { accessSync, constants, existsSync, mkdirSync } from "node:fs";
import { createInterface } from "node:readline";
import type { Duplex } from "node:stream";
import { decodeEvent, type LabEvent } from "../event.ts";
import { LabFailure } from "../failure.ts";
import { type HostName, planOf } from "../network/plan.ts";
import type { RunOptions } from "../options.ts";
import { needsUserNamespace, startInside } from "./box.ts";
import { KEEP, LEASH } from "./inside.ts";
import type { Presenter } from "./presenter.ts";
import { findRemains } from "./remains.ts";
import { startTimeOf, writeKept } from "./state-file.ts";

export const EXIT = { ok: 0, statementFailed: 1, usage: 2, notBuilt: 3 } as const;

/** As a shell has it: 128 and the signal's number. */
const SIGNALS = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

const COMPLAINT_CHARACTERS_MAX = 4_000;

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
  const inside = startInside(inUserNamespace, mark, ["lab", "@inside", JSON.stringify(options)]);
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

interface Outcome {
  hasFailedStatement: boolean;
  /** Why the laboratory could not be built or driven. */
  failure: string | undefined;
  isFailureShown: boolean;
  /** All steps were done, and the inside ended by itself. */
  hasEnded: boolean;
}

/** Hands every event on until the inside ends or is kept. */
async function follow(
  inside: ChildProcess,
  onEvent: (event: LabEvent, pid: number) => void,
): Promise<Outcome> {
  const outcome: Outcome = {
    hasFailedStatement: false,
    failure: undefined,
    isFailureShown: false,
    hasEnded: false,
  };
  let complaint = "";
  inside.stderr!.on("data", (chunk: Buffer) => {
    complaint = (complaint + chunk.toString()).slice(-COMPLAINT_CHARACTERS_MAX);
  });
  const closed = new Promise<void>((resolve) => inside.once("close", () => resolve()));
  inside.once("error", (error) => {
    complaint = error.message;
  });

  let pid: number | undefined;
  let isKept = false;
  for await (const line of createInterface({ input: inside.stdout! })) {
    if (pid === undefined) {
      pid = Number(line);
      continue;
    }
    const event = decodeEvent(line);
    onEvent(event, pid);
    if (event.kind === "statement" && !event.ok) outcome.hasFailedStatement = true;
    if (event.kind === "failure") {
      outcome.failure = event.why;
      outcome.isFailureShown = true;
    }
    if (event.kind === "end") outcome.hasEnded = true;
    if (event.kind === "kept") {
      isKept = true;
      break;
    }
  }
  if (isKept) return outcome;
  await closed;
  if (!outcome.hasEnded) {
    outcome.failure ??= `The laboratory ended early: ${complaint.trim() || "without a word"}`;
  }
  return outcome;
}

/** Lets a kept laboratory live on without us. */
function release(inside: ChildProcess): void {
  leashOf(inside).end(KEEP);
  inside.unref();
  inside.stdout!.destroy();
  inside.stderr!.destroy();
}

function leashOf(inside: ChildProcess): Duplex {
  return inside.stdio[LEASH] as Duplex;
}

/** While it is there, a signal ends the inside first; a second one does not wait. */
class Interruption implements Disposable {
  exitCode: number | undefined;
  readonly #inside: ChildProcess;
  readonly #handlers: (readonly [NodeJS.Signals, () => void])[];

  constructor(inside: ChildProcess) {
    this.#inside = inside;
    this.#handlers = Object.entries(SIGNALS).map(
      ([name, code]) => [name as NodeJS.Signals, () => this.#interrupt(code)] as const,
    );
    for (const [name, handler] of this.#handlers) process.on(name, handler);
  }

  #interrupt(code: number): void {
    if (this.exitCode === undefined) leashOf(this.#inside).destroy();
    // unshare takes its child along, and that everything else.
    else this.#inside.kill("SIGKILL");
    this.exitCode = code;
  }

  [Symbol.dispose](): void {
    for (const [name, handler] of this.#handlers) process.off(name, handler);
  }
}
