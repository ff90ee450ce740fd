/** Debian's stock kernel under QEMU's software emulation: it needs no support of the host's processor, and takes its time. */
import { execFileSync, type StdioOptions } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { archiveOf } from "./cpio.ts";
import { type DebianKernel, findKernel } from "./debian-kernels.ts";
import { KernelModules } from "./kernel-modules.ts";
import type { GuestCommand, Kernel, Machine } from "./machine.ts";

const EMULATOR = "qemu-system-x86_64";
/** Beyond what every conformance run has. */
const NEEDED = [EMULATOR, "xz"];
const SETUP = join(import.meta.dirname, "../../../scripts/setup");
/** No network device, no disk, and nothing else that is not asked for. */
// biome-ignore format: a list
const MACHINE = [
  "-accel", "tcg", "-machine", "pc", "-nodefaults", "-nic", "none", "-display", "none", "-serial", "stdio", "-no-reboot",
];
const MEMORY = "512M";
/** A nanosecond of the guest's clock for each instruction; while it waits the clock goes on to what it waits for. */
const COUNTING = ["-icount", "shift=0,sleep=off"];
/** quiet: errors and what is worse. panic -1: the guest ends at once, since it may not reboot. */
const COMMAND_LINE = "console=ttyS0 quiet panic=-1 mitigations=off";
/** What the host's folders are seen with. */
const FIRST_MODULES = ["virtio_pci", "9pnet_virtio", "9p"];

export interface QemuSettings {
  /** Modules that a kernel kept by an earlier run may be without: then it is fetched again. */
  readonly needs?: readonly string[];
  /** As QEMU takes it. */
  readonly memory?: string;
  /** The guest's clock counts executed instructions: what it measures is the same each time, whatever else the host does. */
  readonly countsInstructions?: boolean;
}

export class Qemu implements Machine {
  readonly kernel: Kernel;
  readonly name: string;
  readonly instead = "'npm run conformance' runs Linux 6.1 in User Mode Linux instead.";
  readonly modules: KernelModules;
  readonly #debian: DebianKernel;
  readonly #memory: string;
  readonly #counting: readonly string[];

  /** Installs QEMU and fetches the kernel when they are not there; throws when that cannot be. */
  constructor(
    series: string | undefined,
    { needs = [], memory = MEMORY, countsInstructions = false }: QemuSettings = {},
  ) {
    const stdio: StdioOptions = ["ignore", process.stderr, process.stderr];
    if (!NEEDED.every(isInstalled)) execFileSync(SETUP, ["conformance-qemu"], { stdio });
    this.#debian = findKernel(series, needs);
    this.#memory = memory;
    this.#counting = countsInstructions ? COUNTING : [];
    this.kernel = { name: "qemu", version: this.#debian.version };
    this.name = `Linux ${this.kernel.version} under QEMU`;
    this.modules = new KernelModules(this.#debian.modulesFolder);
  }

  command(folder: string): GuestCommand {
    const firstRoot = join(folder, "first-root");
    writeFileSync(firstRoot, this.#firstRoot());
    return {
      file: EMULATOR,
      words: [
        ...MACHINE,
        ...this.#counting,
        "-m",
        this.#memory,
        "-kernel",
        this.#debian.image,
        "-initrd",
        firstRoot,
        "-append",
        COMMAND_LINE,
        ...shared("host", "/", "readonly=on,"),
        ...shared("run", folder, ""),
      ],
      environment: {},
    };
  }

  #firstRoot(): Buffer {
    const modules = this.modules.filesInOrder(FIRST_MODULES).map((file, index) => ({
      // The shell takes them by name.
      path: `modules/${String(index).padStart(2, "0")}-${basename(file)}`,
      bytes: readFileSync(file),
    }));
    return archiveOf(
      ["modules", "host"],
      [
        { path: "init", bytes: readFileSync(join(import.meta.dirname, "guest/first-init")) },
        { path: "busybox", bytes: readFileSync(pathOf("busybox")) },
        ...modules,
      ],
    );
  }
}

/** A folder of the host that the guest mounts by its tag. */
function shared(tag: string, path: string, options: string): string[] {
  return [
    "-fsdev",
    `local,id=${tag},path=${path},${options}security_model=none,multidevs=remap`,
    "-device",
    `virtio-9p-pci,fsdev=${tag},mount_tag=${tag}`,
  ];
}

function isInstalled(command: string): boolean {
  return pathOf(command) !== "";
}

/** Of a command; empty when there is none. */
function pathOf(command: string): string {
  const words = ["-c", `command -v ${command} || true`];
  return execFileSync("sh", words, { encoding: "utf8" }).trim();
}
