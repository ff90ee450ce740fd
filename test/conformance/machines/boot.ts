/** Boots a machine with a programme, waits for its report, and ends it for sure. */
import { type ChildProcess, spawn } from "node:child_process";
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import type { GuestCommand, Machine } from "./machine.ts";

const GUEST_FOLDER = join(import.meta.dirname, "guest");
const SIGNALS = ["SIGINT", "SIGTERM"] as const;
const PROGRESS_MS = 10_000;

export interface BootOptions {
  /** Modules that the guest loads, if its kernel has them. */
  readonly modules: readonly string[];
  readonly programme: string;
  /** What carries it out: agent.py and what that imports. */
  readonly agent?: readonly string[];
  /** The guest is ended when it takes longer. */
  readonly timeoutMs: number;
  /** Is told now and then what the report is so far. */
  readonly onProgress: (report: string) => void;
}

/** Runs the programme in a guest and returns the report. Throws when the guest did not finish, with what it said. */
export async function boot(machine: Machine, options: BootOptions): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "sluice-conformance-"));
  const remove = (): void => rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  process.once("exit", remove);
  try {
    fill(folder, machine, options);
    const guest = start(machine.command(folder), folder);
    const progress = setInterval(
      () => options.onProgress(tryRead(join(folder, "report"))),
      PROGRESS_MS,
    );
    const ended = await untilEnd(guest, options.timeoutMs).finally(() => clearInterval(progress));
    const report = tryRead(join(folder, "report"));
    if (report.endsWith("\nend\n")) return report;
    throw new Error(
      `The guest did not finish (${ended}).\n` +
        ["console.log", "agent.log", "kernel.log"]
          .map((file) => tail(tryRead(join(folder, file))))
          .join("\n"),
    );
  } finally {
    process.off("exit", remove);
    remove();
  }
}

/** What the guest finds below /mnt. */
function fill(folder: string, machine: Machine, options: BootOptions): void {
  const { modules, programme, agent = [join(GUEST_FOLDER, "agent.py")] } = options;
  for (const file of [join(GUEST_FOLDER, "init"), ...agent]) {
    copyFileSync(file, join(folder, basename(file)));
  }
  mkdirSync(join(folder, "modules"));
  const files = machine.modules.filesInOrder(modules);
  for (const file of files) copyFileSync(file, join(folder, "modules", basename(file)));
  writeFileSync(
    join(folder, "programme"),
    `${files.map((file) => basename(file)).join(" ")}\n${programme}`,
  );
}

/** In a process group of its own: every thread of the guest may be a process of the host. */
function start({ file, words, environment }: GuestCommand, folder: string): ChildProcess {
  const log = openSync(join(folder, "console.log"), "w");
  return spawn(file, words, {
    detached: true,
    stdio: ["ignore", log, log],
    env: { PATH: process.env.PATH, ...environment },
  });
}

async function untilEnd(guest: ChildProcess, timeoutMs: number): Promise<string> {
  const end = (): void => {
    if (guest.pid === undefined) return;
    try {
      process.kill(-guest.pid, "SIGKILL");
    } catch {
      // Ended already.
    }
  };
  // Before its folder is removed, in which it would still write.
  process.prependOnceListener("exit", end);
  const interrupted = exitAfter(end);
  for (const signal of SIGNALS) process.once(signal, interrupted);
  const timer = setTimeout(end, timeoutMs);
  try {
    return await new Promise<string>((resolve, reject) => {
      guest.once("error", reject);
      guest.once("exit", (code, signal) => resolve(signal ?? `exit code ${code}`));
    });
  } finally {
    clearTimeout(timer);
    end();
    process.off("exit", end);
    for (const signal of SIGNALS) process.off(signal, interrupted);
  }
}

function exitAfter(end: () => void): () => void {
  return () => {
    end();
    process.exit(130);
  };
}

function tryRead(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

function tail(text: string): string {
  return text.slice(-4000);
}
