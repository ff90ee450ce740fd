/**
 * A file that one process at a time may use: flock(2) on a file beside it, which the kernel lets go of with the process,
 * whatever ends that. The lock's file stays, and tells people whose it is: were it removed, two could have one each.
 */
import { closeSync, constants, ftruncateSync, openSync, readFileSync, writeSync } from "node:fs";
import { errno, lock, SystemCallError } from "./libc.ts";

const { O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_RDWR } = constants;
const FILE_MODE = 0o600;
/** Of what may be a process id. */
const PID = /^\d{1,10}\n$/;

/** Another process uses the file. */
export class FileTakenError extends Error {
  override readonly name = "FileTakenError";
}

/** Holds `path`, which `option` named, until it is disposed. Throws a FileTakenError that says who has it. */
export function lockFile(path: string, option: string): Disposable {
  const lockPath = `${path}.lock`;
  let fd: number;
  try {
    fd = openSync(lockPath, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK, FILE_MODE);
  } catch (error) {
    throw new FileTakenError(
      `${option} ${path}: its lock cannot be had: ${(error as Error).message}`,
      { cause: error },
    );
  }
  const refused = lock(fd);
  if (refused !== 0) {
    const holder = readFileSync(fd, "utf8");
    closeSync(fd);
    if (refused !== -errno.EAGAIN) throw new SystemCallError("flock", -refused, `lock ${lockPath}`);
    const who = PID.test(holder) ? `the daemon with process id ${holder.trim()}` : "another daemon";
    throw new FileTakenError(
      `${option} ${path} is in use by ${who}: end it first, or give this one a file of its own: ${option} PATH`,
    );
  }
  ftruncateSync(fd);
  writeSync(fd, `${process.pid}\n`, 0);
  return {
    [Symbol.dispose]() {
      ftruncateSync(fd);
      closeSync(fd);
    },
  };
}
