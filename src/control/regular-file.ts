/**
 * Files that others may have had their hands in: a symbolic link is not followed, a pipe is not waited for, and what is
 * written takes a place only when it is whole.
 */
import { constants } from "node:fs";
import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { StateFileError } from "./state-file-error.ts";

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_RDWR, O_WRONLY } = constants;

/** Only the daemon's own user reads it: it tells what a site runs. */
const FILE_MODE = 0o600;

/** Undefined when nothing is there. Throws a StateFileError for what is no file. */
export function openToRead(path: string): Promise<FileHandle | undefined> {
  return openRegular(path, O_RDONLY);
}

/** The same, to go on writing. */
export function openToWrite(path: string): Promise<FileHandle | undefined> {
  return openRegular(path, O_RDWR);
}

async function openRegular(path: string, flags: number): Promise<FileHandle | undefined> {
  let file: FileHandle;
  try {
    file = await open(path, flags | O_NOFOLLOW | O_NONBLOCK);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw refusal(path, error as NodeJS.ErrnoException);
  }
  const found = await file.stat();
  if (found.isFile()) return file;
  await file.close();
  throw found.isDirectory()
    ? isDirectory(path)
    : new StateFileError(`--state ${path} is no file: remove it, or name another`);
}

/**
 * Writes a file beside `path` and, once it is on disk, puts it there: at every moment either the old one is there or the
 * new one. What `write` leaves open is the caller's.
 */
export async function replaceFile(
  path: string,
  write: (file: FileHandle) => Promise<void>,
): Promise<FileHandle> {
  // Always the same name, so that what a crash leaves goes with the next attempt.
  const next = `${path}.next`;
  await rm(next, { force: true });
  const file = await open(next, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, FILE_MODE);
  try {
    await write(file);
    await file.sync();
    await rename(next, path);
    await using folder = await open(dirname(path), "r");
    await folder.sync();
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** All of `bytes`, or it rejects. */
export async function writeAll(file: FileHandle, bytes: Buffer, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
}

/** Changes when the file's content does. */
export async function identityOf(file: FileHandle): Promise<string> {
  const { dev, ino, size, mtimeNs } = await file.stat({ bigint: true });
  return [dev, ino, size, mtimeNs].join();
}

function refusal(path: string, { code, message }: NodeJS.ErrnoException): StateFileError {
  switch (code) {
    case "ELOOP":
      return new StateFileError(
        `--state ${path} is a symbolic link, which is not followed: name the file that it leads to`,
      );
    case "EISDIR":
      return isDirectory(path);
    case "ENXIO":
      return new StateFileError(`--state ${path} is no file: remove it, or name another`);
    default:
      return new StateFileError(`--state ${path} cannot be read: ${message}`);
  }
}

function isDirectory(path: string): StateFileError {
  return new StateFileError(
    `--state ${path} is a directory: name a file, such as ${join(path, "state.json")}`,
  );
}
