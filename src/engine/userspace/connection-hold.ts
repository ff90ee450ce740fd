/**
 * The connections' file of a process before, locked from the very beginning of the next one: whoever keeps it for a while
 * (door/keeper.ts) then waits, however long code takes to load, or the kernel to look through programs.
 */
import { closeSync, constants, fstatSync, openSync } from "node:fs";
import { lock } from "../host/system/libc.ts";

/** The file cannot be used; the message says why. */
export class ConnectionFileError extends Error {
  override readonly name = "ConnectionFileError";
}

export class ConnectionHold implements Disposable {
  #fd: number | undefined;

  /** Holds nothing where there is none, somebody else has it, or it cannot be used: who opens it tells. */
  constructor(path: string) {
    try {
      this.#fd = openOwn(path);
    } catch {
      return;
    }
    if (this.#fd !== undefined && lock(this.#fd) !== 0) this[Symbol.dispose]();
  }

  /** The file, locked, which is the caller's from now on; undefined: it is not held. */
  take(): number | undefined {
    const fd = this.#fd;
    this.#fd = undefined;
    return fd;
  }

  [Symbol.dispose](): void {
    const fd = this.take();
    if (fd !== undefined) closeSync(fd);
  }
}

/** Undefined when there is none. Throws when it is not a file of our own that nobody else can write. */
export function openOwn(path: string): number | undefined {
  let fd: number;
  try {
    const { O_RDWR, O_NOFOLLOW, O_NONBLOCK } = constants;
    fd = openSync(path, O_RDWR | O_NOFOLLOW | O_NONBLOCK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return undefined;
    if (code === "ELOOP") throw new ConnectionFileError(`${path} is a symbolic link, which stays`);
    throw error;
  }
  const file = fstatSync(fd);
  const isOwn = file.isFile() && file.uid === process.geteuid?.() && file.nlink <= 1;
  if (isOwn && (file.mode & 0o077) === 0) return fd;
  closeSync(fd);
  throw new ConnectionFileError(
    `${path} is not a file that is ours alone (mode 0600, no other name), and stays`,
  );
}
