/** The inside of a laboratory as the outside holds it: what it tells, its leash, and what a signal does. */
import type { ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import type { Duplex } from "node:stream";
import { decodeEvent, type LabEvent } from "../event.ts";
import { KEEP, LEASH } from "./leash.ts";

/** As a shell has it: 128 and the signal's number. */
const SIGNALS = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

const COMPLAINT_CHARACTERS_MAX = 4_000;

export interface Outcome {
  hasFailedStatement: boolean;
  /** Why the laboratory could not be built or driven. */
  failure: string | undefined;
  isFailureShown: boolean;
  /** All steps were done, and the inside ended by itself. */
  hasEnded: boolean;
}

/** Hands every event on until the inside ends or is kept. */
export async function follow(
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
export function release(inside: ChildProcess): void {
  leashOf(inside).end(KEEP);
  inside.unref();
  inside.stdout!.destroy();
  inside.stderr!.destroy();
}

export function leashOf(inside: ChildProcess): Duplex {
  return inside.stdio[LEASH] as Duplex;
}

/** While it is there, a signal ends the inside first; a second one does not wait. */
export class Interruption implements Disposable {
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
