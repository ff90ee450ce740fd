/**
 * What all kinds of check have in common: whatever a server does becomes an Outcome, and a probe that waits can be ended.
 */
import type { Checker, Outcome, ProbeTarget } from "../checker.ts";
import { reasonOf } from "../reasons.ts";

/** What is told of a server is short, and nothing that a server wrote can move a terminal's cursor. */
const WHY_LENGTH_MAX = 200;

/** The probe's server is not as it should be. `why` is for the operator. */
export class ProbeFailure extends Error {
  override readonly name = "ProbeFailure";
}

/** The time was over before the server had said enough. */
export class LateFailure extends ProbeFailure {}

/** Makes a Checker of a function that may throw for what a server does. */
export function checker<Settings>(
  run: (target: ProbeTarget, settings: Settings, signal: AbortSignal) => Promise<Outcome>,
): Checker<Settings> {
  return async (target, settings, signal) => {
    try {
      return tidy(await run(target, settings, signal));
    } catch (error) {
      return tidy({ up: false, why: whyOf(error) });
    }
  };
}

/**
 * What `start` comes to: it calls the one function or the other, or the signal ends the wait.
 *
 * `what` is what a slow server still owes: it is in the sentence that an operator reads.
 */
export function waitFor<Value>(
  signal: AbortSignal,
  what: string,
  start: (resolve: (value: Value) => void, reject: (error: unknown) => void) => void,
): Promise<Value> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(new LateFailure(`no answer in time, waited for ${what}`));
    if (signal.aborted) {
      onAbort();
      return;
    }
    const over = () => signal.removeEventListener("abort", onAbort);
    signal.addEventListener("abort", onAbort, { once: true });
    start(
      (value) => {
        over();
        resolve(value);
      },
      (error) => {
        over();
        reject(error);
      },
    );
  });
}

/** A text that a server wrote, as part of a sentence. */
export function quoted(text: string): string {
  return JSON.stringify(text.length <= 80 ? text : `${text.slice(0, 80)}...`);
}

/** One sentence for whatever was thrown. */
export function whyOf(error: unknown): string {
  return reasonOf(error) || (error as Error).name;
}

function tidy(outcome: Outcome): Outcome {
  const { warning } = outcome;
  return {
    ...outcome,
    why: printable(outcome.why),
    ...(warning !== undefined && { warning: printable(warning) }),
  };
}

function printable(text: string): string {
  const cut = text.length <= WHY_LENGTH_MAX ? text : `${text.slice(0, WHY_LENGTH_MAX - 3)}...`;
  return cut.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, " ");
}
