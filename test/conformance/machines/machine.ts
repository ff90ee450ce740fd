/** A way to run a kernel of its own on this host. */
import type { KernelModules } from "./kernel-modules.ts";

export interface Kernel {
  /** What runs it. */
  readonly name: "uml" | "qemu";
  /** Of Linux, with the stable series' own number: `6.12.117`. */
  readonly version: string;
}

/** A process that is the guest. It ends when the guest does. */
export interface GuestCommand {
  readonly file: string;
  readonly words: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

export interface Machine {
  readonly kernel: Kernel;
  /** For a sentence. */
  readonly name: string;
  /** A sentence: what to do where it does not run. */
  readonly instead: string;
  readonly modules: KernelModules;
  /** The guest boots into guest/init, and finds `folder` as /mnt. */
  command(folder: string): GuestCommand;
}

/** Whether a version of Linux is this one or a later one: 6.12.117 is since 6.12 and since 6.1.192. */
export function isSince(version: string, since: string): boolean {
  return BY_NUMBERS.compare(version, since) >= 0;
}

const BY_NUMBERS = new Intl.Collator("en", { numeric: true });
