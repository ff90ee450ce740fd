/** Boots a machine with a programme, waits for its report, and ends it for sure. */
import { type ChildProcess, spawn } from "node:child_process";
import {
  closeSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import type { Writable } from "node:stream";
import { type GuestEnd, type GuestLogs, wordsOf } from "./early-end.ts";
import type { GuestCommand, Machine } from "./machine.ts";

const GUEST_FOLDER = join(import.meta.dirname, "guest");
const RUN_GUEST = join(import.meta.dirname, "run-guest");
const SIGNALS = ["SIGINT", "SIGTERM"] as const;
const PROGRESS_MS = 10_000;

export interface BootOptions {
  /** Modules that the guest loads, if its kernel has them. */
  readonly modules: readonly string[];
  readonly programme: string;
  /** What carries it out: agent.py and what that imports. */
  readonly agent?: readonly string[];
  /** Further files and folders, by where the guest finds them below /mnt. */
  readonly copies?: Readonly<Record<string, string>>;
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
  let guest: Guest | undefined;
  try {
    fill(folder, machine, options);
    const start = performance.now();
    guest = run(machine.command(folder), folder);
    const progress = setInterval(
      () => options.onProgress(tryRead(join(folder, "report"))),
      PROGRESS_MS,
    );
    const end = await untilEnd(guest.process, options.timeoutMs).finally(() =>
      clearInterval(progress),
    );
    const report = tryRead(join(folder, "report"));
    if (report.endsWith("\nend\n")) return report;
    const { name: guestName, instead } = machine;
    const afterMs = performance.now() - start;
    throw new Error(wordsOf({ guest: guestName, end, afterMs, logs: logsIn(folder), instead }));
  } finally {
    process.off("exit", remove);
    remove();
    guest?.leash.destroy();
  }
}

/** What the guest finds below /mnt. */
function fill(folder: string, machine: Machine, options: BootOptions): void {
  const { modules, programme, agent = [join(GUEST_FOLDER, "agent.py")] } = options;
  for (const file of [join(GUEST_FOLDER, "init"), ...agent]) {
    copyFileSync(file, join(folder, basename(file)));
  }
  for (const [to, from] of Object.entries(options.copies ?? {})) {
    cpSync(from, join(folder, to), { recursive: true });
  }
  mkdirSync(join(folder, "modules"));
  const files = machine.modules.filesInOrder(modules);
  for (const file of files) copyFileSync(file, join(folder, "modules", basename(file)));
  writeFileSync(
    join(folder, "programme"),
    `${files.map((file) => basename(file)).join(" ")}\n${programme}`,
  );
}

interface Guest {
  readonly process: ChildProcess;
  /** When it closes, the guest ends and its folder goes (run-guest): also when this process is killed. */
  readonly leash: Writable;
}

/** In a process group of its own: every thread of the guest may be a process of the host. */
function run({ file, words, environment }: GuestCommand, folder: string): Guest {
  const log = openSync(join(folder, "console.log"), "w");
  const child = spawn(RUN_GUEST, [folder, file, ...words], {
    detached: true,
    stdio: ["ignore", log, log, "pipe"],
    env: { PATH: process.env.PATH, ...environment },
  });
  closeSync(log);
  return { process: child, leash: child.stdio[3] as Writable };
}

async function untilEnd(guest: ChildProcess, timeoutMs: number): Promise<GuestEnd> {
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
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    end();
  }, timeoutMs);
  try {
    return await new Promise<GuestEnd>((resolve, reject) => {
      guest.once("error", reject);
      guest.once("exit", (code, signal) => {
        if (isLate) resolve({ kind: "time", limitMs: timeoutMs });
        else if (signal !== null) resolve({ kind: "signal", signal });
        else resolve({ kind: "exit", code: code! });
      });
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

function logsIn(folder: string): GuestLogs {
  const [agent, kernel, console] = ["agent.log", "kernel.log", "console.log"].map((file) =>
    tryRead(join(folder, file)),
  ) as [string, string, string];
  return { agent, kernel, console };
}
