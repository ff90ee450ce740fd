/** A way to run a kernel of its own on this host. */
import type { KernelModules } from "./kernel-modules.ts";

export interface Kernel {
  /** What runs it. */
  readonly name: "uml" | "qemu";
  /** As `uname -r` has it: `6.12.117+deb12-amd64`. */
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
  readonly modules: KernelModules;
  /** The guest boots into guest/init, and finds `folder` as /mnt. */
  command(folder: string): GuestCommand;
}

/** Whether a kernel of this version has what came with Linux `since`, "6.12". */
export function isSince(version: string, since: string): boolean {
  const [major, minor] = seriesOf(version);
  const [sinceMajor, sinceMinor] = seriesOf(since);
  return major > sinceMajor || (major === sinceMajor && minor >= sinceMinor);
}

function seriesOf(version: string): [major: number, minor: number] {
  const [, major, minor] = /^(\d+)\.(\d+)/.exec(version) ?? [];
  if (minor === undefined) throw new RangeError(`Cannot read ${version} as a version of Linux`);
  return [Number(major), Number(minor)];
}
