/** User Mode Linux: Debian's package has a whole kernel as one ordinary program, with modules. */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { KernelModules } from "./kernel-modules.ts";
import type { GuestCommand, Kernel, Machine } from "./machine.ts";
import { folderForMemory, memoryFolders } from "./memory-folder.ts";
import { preloaded } from "./preload.ts";
import { COMPLETES_XSTATE, isStateLargerThanBuffer } from "./xstate.ts";

const PROGRAM = "linux.uml";
const MODULES_FOLDER = "/usr/lib/uml/modules";
const MEMORY_MIB = 512;

const INSTEAD =
  "'npm run conformance -- --kernel qemu' runs Debian's newest kernel under QEMU instead.";

export interface UserModeLinuxOptions {
  /** With what it lacks on some processors (xstate.c); by default where it does. */
  readonly completesXstate?: boolean;
  /** Sources of libraries that are loaded before it, after that one. */
  readonly libraries?: readonly string[];
}

export class UserModeLinux implements Machine {
  readonly kernel: Kernel;
  readonly name: string;
  readonly instead = INSTEAD;
  readonly modules: KernelModules;
  readonly #libraries: readonly string[];
  readonly #processors = ownProcessors();
  #guests = 0;

  /** Throws when the package is not installed, or the program does not start. */
  constructor({
    completesXstate = isStateLargerThanBuffer(),
    libraries = [],
  }: UserModeLinuxOptions = {}) {
    const version = versionOf(PROGRAM);
    const modulesFolder = join(MODULES_FOLDER, version);
    if (!existsSync(modulesFolder)) {
      throw new Error(
        `${PROGRAM} is Linux ${version}, but there is no ${modulesFolder}. ${INSTEAD}`,
      );
    }
    this.kernel = { name: "uml", version };
    this.name = `Linux ${version} in User Mode Linux`;
    this.modules = new KernelModules(modulesFolder);
    this.#libraries = completesXstate ? [COMPLETES_XSTATE, ...libraries] : libraries;
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
        // Errors, what is worse, and a panic's words go into console.log.
        "quiet",
        "con0=null,fd:1",
        "con=null",
        "ssl=null",
        `sluice_folder=${folder}`,
      ],
      environment: {
        TMPDIR: folderForMemory(MEMORY_MIB, memoryFolders()),
        ...preloaded(this.#libraries, folder),
      },
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

function versionOf(program: string): string {
  const { error, status, signal, stdout, stderr } = spawnSync(program, ["--version"], {
    encoding: "utf8",
  });
  if (error === undefined && status === 0) return stdout.trim();
  const isAbsent = (error as NodeJS.ErrnoException | undefined)?.code === "ENOENT";
  const why = isAbsent
    ? `There is no ${program}: 'apt-get install user-mode-linux' brings it.`
    : `${program} does not start (${error?.message ?? signal ?? `exit code ${status}`}). ${stderr}`;
  throw new Error(`${why.trim()} ${INSTEAD}`);
}
