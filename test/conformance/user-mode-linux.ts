/** Boots User Mode Linux, which is a whole kernel in one ordinary process, and ends it for sure. */
import { type ChildProcess, spawn } from "node:child_process";
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const GUEST_FILES = ["init", "agent.py"];
/** The guest's memory is a file there; a file system in memory makes it fast. */
const MEMORY_FOLDER = "/dev/shm";
const MEMORY_MIB = 512;

export interface BootOptions {
  readonly programme: string;
  /** The guest is ended when it takes longer. */
  readonly timeoutMs: number;
}

/** Runs the programme in a guest and returns the report. Throws when the guest did not finish, with what it said. */
export async function boot({ programme, timeoutMs }: BootOptions): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "sluice-conformance-"));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  process.once("exit", remove);
  try {
    for (const file of GUEST_FILES) {
      copyFileSync(join(import.meta.dirname, "guest", file), join(folder, file));
    }
    writeFileSync(join(folder, "programme"), programme);
    mkdirSync(join(folder, "uml"));
    const guest = start(folder);
    const ended = await untilEnd(guest, timeoutMs);
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

/** In a process group of its own: every thread of the guest is a process of the host. */
function start(folder: string): ChildProcess {
  const log = openSync(join(folder, "console.log"), "w");
  return spawn(
    "linux.uml",
    [
      `mem=${MEMORY_MIB}M`,
      `umid=guest`,
      `uml_dir=${join(folder, "uml")}/`,
      "rootfstype=hostfs",
      "rootflags=/",
      "ro",
      `init=${join(folder, "init")}`,
      "quiet",
      "loglevel=1",
      "con=null",
      "ssl=null",
      `sluice_folder=${folder}`,
    ],
    {
      detached: true,
      stdio: ["ignore", log, log],
      env: { PATH: process.env.PATH, TMPDIR: memoryFolder() },
    },
  );
}

function memoryFolder(): string {
  try {
    const { bavail, bsize } = statfsSync(MEMORY_FOLDER);
    if (bavail * bsize > 2 * MEMORY_MIB * 1024 * 1024) return MEMORY_FOLDER;
  } catch {
    // Not there: any folder will do.
  }
  return tmpdir();
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
  process.once("exit", end);
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, exitAfter(end));
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
