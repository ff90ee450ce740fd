/** Where pins are kept (pins.ts): the host's BPF file system, or one beside the socket, which goes with the last of them. */
import { mkdirSync, readlinkSync, rmdirSync, statfsSync } from "node:fs";
import { join } from "node:path";
import { mountPins, unmountPins } from "./bpf-call.ts";

const BPF_FS_MAGIC = 0xcafe4a11;
export const HOST_PLACE = "/sys/fs/bpf";
/** In it, with a folder for each network namespace. */
export const PINS_FOLDER = "sluice";

/** The BPF file system that a daemon keeps its programs in whose socket is in `folder`; undefined where there is none. */
export function pinPlace(folder: string): string | undefined {
  return [ownPlace(folder), HOST_PLACE].find(isPinPlace);
}

/** As pinPlace(), and makes one beside the socket where the host has none. Throws what the host refuses. */
export function makePinPlace(folder: string): string {
  const found = pinPlace(folder);
  if (found !== undefined) return found;
  const place = ownPlace(folder);
  mkdirSync(place, { mode: 0o700, recursive: true });
  mountPins(place);
  return place;
}

/** Whether what is mounted now is this process's and its children's alone: whoever started it has other mounts. */
export function haveOwnMounts(): boolean {
  try {
    return readlinkSync("/proc/self/ns/mnt") !== readlinkSync(`/proc/${process.ppid}/ns/mnt`);
  } catch {
    // Who may not know takes it for the usual.
    return false;
  }
}

/** Nothing is kept any more: a file system beside the socket goes, unless somebody else's pins are in it. */
export function leavePinPlace(folder: string): void {
  const place = ownPlace(folder);
  if (!isPinPlace(place)) return;
  try {
    rmdirSync(join(place, PINS_FOLDER));
    unmountPins(place);
    rmdirSync(place);
  } catch {
    // Others are in it, or it is the service manager's, or whoever made it may do what this process may not.
  }
}

function ownPlace(folder: string): string {
  return join(folder, "bpf");
}

function isPinPlace(path: string): boolean {
  try {
    return statfsSync(path).type === BPF_FS_MAGIC;
  } catch {
    return false;
  }
}
