/** User Mode Linux: Debian's package has a whole kernel as one ordinary program, with modules. */
import { execFileSync } from "node:child_process";
import { readFileSync, statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KernelModules } from "./kernel-modules.ts";
import type { GuestCommand, Kernel, Machine } from "./machine.ts";

const PROGRAM = "linux.uml";
const MODULES_FOLDER = "/usr/lib/uml/modules";
/** The guest's memory is a file there; a file system in memory makes it fast. */
const MEMORY_FOLDER = "/dev/shm";
const MEMORY_MIB = 512;

export class UserModeLinux implements Machine {
  readonly kernel: Kernel;
  readonly modules: KernelModules;
  readonly #processors = ownProcessors();
  #guests = 0;

  /** Throws when the package is not installed. */
  constructor() {
    const version = execFileSync(PROGRAM, ["--version"], { encoding: "utf8" }).trim();
    this.kernel = { name: "uml", version };
    this.modules = new KernelModules(join(MODULES_FOLDER, version));
  }

  command(folder: string): GuestCommand {
    return {
      // Its processes take turns and never run at once: on one processor they need a third less time.
      file: "taskset",
      words: [
        "--cpu-list",
        String(this.#nextProcessor()),
        PROGRAM,
        `mem=${MEMORY_MIB}M`,
        "umid=guest",
        `uml_dir=${folder}/`,
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
      environment: { TMPDIR: memoryFolder() },
    };
  }

  #nextProcessor(): number {
    return this.#processors[this.#guests++ % this.#processors.length]!;
  }
}

/** The processors that this process may run on (proc_pid_status(5)): `0-3,8`. */
function ownProcessors(): number[] {
  const status = readFileSync("/proc/self/status", "utf8");
  const [, list = "0"] = /^Cpus_allowed_list:\t(.*)$/m.exec(status) ?? [];
  return list.split(",").flatMap((range) => {
    const [first = 0, last = first] = range.split("-").map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
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
