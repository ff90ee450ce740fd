/** What a program says by its exit code: keepalived's MISC_CHECK, check_misc.c. */
import { spawn } from "node:child_process";
import type { z } from "zod";
import type { Checker, Outcome, ProbeTarget } from "../checker.ts";
import { failure, reasonOf } from "../reasons.ts";
import type { EXEC_SETTINGS } from "./exec-settings.ts";

type Settings = z.infer<z.ZodObject<typeof EXEC_SETTINGS>>;

/** Of what it writes: the last line is shown when it fails. */
const OUTPUT_MAX = 4_096;

export const exec: Checker<Settings> = async (target, settings, signal) => {
  if (signal.aborted) return failure(signal.reason);
  try {
    return await run(target, settings, signal);
  } catch (error) {
    // A word that no program can get, or no room for another process.
    return { up: false, why: `cannot run: ${reasonOf(error)}` };
  }
};

function run(
  target: ProbeTarget,
  { command, dynamic = false }: Settings,
  signal: AbortSignal,
): Promise<Outcome> {
  const [program = "", ...words] = typeof command === "string" ? wordsOf(command) : command;
  // In a group of its own, so that what it started ends with it.
  const child = spawn(program, words, {
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, SLUICE_ADDRESS: target.address, SLUICE_PORT: String(target.port) },
  });
  let said = "";
  const hear = (chunk: Buffer): void => {
    said = (said + chunk.toString()).slice(-OUTPUT_MAX);
  };
  child.stdout.on("data", hear);
  child.stderr.on("data", hear);
  const kill = (): void => killGroup(child.pid);
  signal.addEventListener("abort", kill, { once: true });
  const { promise, resolve, reject } = Promise.withResolvers<Outcome>();
  child.once("error", reject);
  // Not "close" alone: what it left behind may hold its output open.
  child.once("exit", (code, by) =>
    // What it said last is on its way still.
    setImmediate(() => {
      if (signal.aborted) resolve(failure(signal.reason));
      else if (code === null) resolve({ up: false, why: `ended by ${by}` });
      else resolve(outcomeOf(code, dynamic, said));
    }),
  );
  return promise.finally(() => {
    signal.removeEventListener("abort", kill);
    killGroup(child.pid);
    child.stdout.destroy();
    child.stderr.destroy();
  });
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // All of it has ended.
  }
}

/** Words between spaces; quotes of either kind keep spaces in one. */
function wordsOf(command: string): string[] {
  return [...command.matchAll(/(?:"[^"]*"|'[^']*'|[^\s"'])+/g)].map(([word]) =>
    word.replaceAll(/"([^"]*)"|'([^']*)'/g, "$1$2"),
  );
}

/** misc_check_child_thread(): 0 is up; 2 to 255 are up with the weight of two less, where that was asked for. */
export function outcomeOf(code: number, isDynamic: boolean, said: string): Outcome {
  if (isDynamic && code >= 2) {
    return { up: true, why: `exit code ${code}, weight ${code - 2}`, weight: code - 2 };
  }
  const last = said.trim().split("\n").at(-1)!.slice(0, 200);
  return { up: code === 0, why: `exit code ${code}${last === "" ? "" : `: ${last}`}` };
}
