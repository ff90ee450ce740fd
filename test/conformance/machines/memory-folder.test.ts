import { expect, it } from "vitest";
import { type Folder, folderForMemory, isExecutable } from "./memory-folder.ts";

const MIB = 1024 * 1024;

function folder(path: string, freeMib: number, isExecutableThere = true): Folder {
  return { path, freeBytes: freeMib * MIB, isExecutable: isExecutableThere };
}

it.each([
  ["the file system in memory", [folder("/dev/shm", 2000), folder("/tmp", 9000)], "/dev/shm"],
  ["a container's small one", [folder("/dev/shm", 64), folder("/tmp", 9000)], "/tmp"],
  ["one for a single guest", [folder("/dev/shm", 600), folder("/tmp", 9000)], "/tmp"],
  ["one for a single guest everywhere", [folder("/dev/shm", 600), folder("/tmp", 700)], "/dev/shm"],
  ["one mounted noexec", [folder("/dev/shm", 2000, false), folder("/tmp", 9000)], "/tmp"],
])("%s", (_, folders, chosen) => {
  expect(folderForMemory(512, folders)).toBe(chosen);
});

it("says what is lacking where", () => {
  const folders = [folder("/dev/shm", 64), folder("/tmp", 9000, false)];
  expect(() => folderForMemory(512, folders)).toThrow(
    "There is no room for a guest's memory, 512 MiB: /dev/shm has 64 MiB, /tmp has 9000 MiB and is mounted noexec. " +
      "TMPDIR may name a folder that has it.",
  );
});

it("reads the options of the file system that a folder lies in", () => {
  const mounts = [
    "overlay / overlay rw,relatime 0 0",
    "tmpfs /dev tmpfs rw,nosuid 0 0",
    "shm /dev/shm tmpfs rw,nosuid,noexec 0 0",
    "tmpfs /dev/shm-other tmpfs rw 0 0",
    "",
  ].join("\n");
  expect(isExecutable("/dev/shm", mounts)).toBe(false);
  expect(isExecutable("/dev/shm-other", mounts)).toBe(true);
  expect(isExecutable("/tmp/deep", mounts)).toBe(true);
});
