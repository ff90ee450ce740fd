/** The archive that a kernel unpacks into its first root: cpio's "newc" (Documentation/driver-api/early-userspace/buffer-format.rst). */

export interface ArchivedFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

const DIRECTORY = 0o040_755;
const EXECUTABLE = 0o100_755;
const CHARACTER_DEVICE = 0o020_600;
/** What the first process has as its standard descriptors. */
const CONSOLE = { path: "dev/console", major: 5, minor: 1 };
const TRAILER = "TRAILER!!!";

interface Entry {
  readonly path: string;
  readonly mode: number;
  readonly bytes?: Uint8Array;
  readonly device?: readonly [major: number, minor: number];
}

/** The files, executable, in folders that come before them, and /dev/console. */
export function archiveOf(folders: readonly string[], files: readonly ArchivedFile[]): Buffer {
  const entries: Entry[] = [
    ...["dev", ...folders].map((path) => ({ path, mode: DIRECTORY })),
    {
      path: CONSOLE.path,
      mode: CHARACTER_DEVICE,
      device: [CONSOLE.major, CONSOLE.minor],
    },
    ...files.map(({ path, bytes }) => ({ path, mode: EXECUTABLE, bytes })),
  ];
  return Buffer.concat([
    ...entries.map((entry, index) => emitted(entry, index + 1)),
    emitted({ path: TRAILER, mode: 0 }, 0),
  ]);
}

/** Header, name and content, each up to a multiple of 4 bytes. */
function emitted(
  { path, mode, bytes = new Uint8Array(), device: [major, minor] = [0, 0] }: Entry,
  inode: number,
): Buffer {
  const name = Buffer.from(`${path}\0`);
  // inode, mode, user, group, links, time, size, device, the special file's device, length of the name, checksum.
  const fields = [inode, mode, 0, 0, 1, 0, bytes.length, 0, 0, major, minor, name.length, 0];
  const header = `070701${fields.map((field) => field.toString(16).padStart(8, "0")).join("")}`;
  return Buffer.concat([padded(Buffer.concat([Buffer.from(header), name])), padded(bytes)]);
}

function padded(bytes: Uint8Array): Buffer {
  return Buffer.concat([bytes, Buffer.alloc(-bytes.length & 3)]);
}
