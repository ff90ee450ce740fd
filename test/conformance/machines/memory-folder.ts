/** Where guests' memory lies: User Mode Linux maps it from files that have no name, executable. */
import { readFileSync, statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const MIB = 1024 * 1024;

export interface Folder {
  readonly path: string;
  readonly freeBytes: number;
  readonly isExecutable: boolean;
}

/** A file system in memory makes guests fast; containers often have one of 64 MiB. */
export function memoryFolders(): Folder[] {
  const mounts = readFileSync("/proc/self/mounts", "utf8");
  return ["/dev/shm", tmpdir()].map((path) => ({
    path,
    freeBytes: freeBytesIn(path),
    isExecutable: isExecutable(path, mounts),
  }));
}

/** The first that has room for several guests, or else for one. Throws when there is none. */
export function folderForMemory(guestMib: number, folders: readonly Folder[]): string {
  const fitting = [2 * guestMib, guestMib]
    .flatMap((mib) => folders.filter((each) => each.freeBytes >= mib * MIB))
    .find((each) => each.isExecutable);
  if (fitting !== undefined) return fitting.path;
  const found = folders.map(
    ({ path, freeBytes, isExecutable }) =>
      `${path} has ${Math.floor(freeBytes / MIB)} MiB${isExecutable ? "" : " and is mounted noexec"}`,
  );
  throw new Error(
    `There is no room for a guest's memory, ${guestMib} MiB: ${found.join(", ")}. TMPDIR may name a folder that has it.`,
  );
}

function freeBytesIn(path: string): number {
  try {
    const { bavail, bsize } = statfsSync(path);
    return bavail * bsize;
  } catch {
    // Not there.
    return 0;
  }
}

/** The options of the file system that a folder lies in, by /proc/self/mounts: `tmpfs /dev/shm tmpfs rw,noexec 0 0`. */
export function isExecutable(path: string, mounts: string): boolean {
  const holding = mounts
    .split("\n")
    .map((line) => line.split(" "))
    .filter(([, point = ""]) => `${path}/`.startsWith(join(point, "/")))
    .toSorted(([, left = ""], [, right = ""]) => left.length - right.length)
    .at(-1);
  const [, , , options = ""] = holding ?? [];
  return !options.split(",").includes("noexec");
}
