/** A receiver that is a program, run for each event. */
import { spawn } from "node:child_process";
import type { NotifyWay } from "../../configuration/notify.ts";
import type { KeptEvent } from "../../control/events.ts";
import type { Way } from "./way.ts";
import { wordsFor } from "./words.ts";

export function program({ command, hasWords }: Extract<NotifyWay, { kind: "exec" }>): Way {
  return {
    name: command.join(" "),
    // It may have done half of its work.
    tries: 1,
    togetherMax: 1,
    takes: (event) => !hasWords || wordsFor(event) !== undefined,
    tell: ([event], signal) => {
      const words = hasWords ? (wordsFor(event!) ?? []) : [];
      return run([...command, ...words], event!, signal);
    },
  };
}

/** No shell reads what an event says. */
function run(
  [name = "", ...words]: readonly string[],
  event: KeptEvent,
  signal: AbortSignal,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    const child = spawn(name, words, {
      stdio: ["pipe", "ignore", "ignore"],
      signal,
      killSignal: "SIGKILL",
      env: { PATH: process.env.PATH, SLUICE_EVENT: event.name },
    });
    child.on("error", (error) => resolve(signal.aborted ? "it took too long" : error.message));
    child.on("exit", (code, killedBy) =>
      resolve(code === 0 ? undefined : `it ended with ${code ?? killedBy}`),
    );
    // One that does not read it. Where this process has no descriptors left there is none.
    child.stdin?.on("error", () => {});
    child.stdin?.end(`${event.text}\n`);
  });
}
