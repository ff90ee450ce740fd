/** The folders that files of the daemon's lie in. */
import { mkdir, stat } from "node:fs/promises";
import { dirname } from "node:path";

/** Sluice's own, made when they are missing; any other might be a mistyped name. */
const OWN = ["/run/sluice", "/var/lib/sluice"] as const;

/** The folder of a file is not there, or none. */
export class FolderError extends Error {
  override readonly name = "FolderError";
}

/** Sees to it that the folder of `path`, which `option` named, is there. Rejects with a FolderError. */
export async function prepareFolder(path: string, option: string): Promise<void> {
  const folder = dirname(path);
  if (OWN.some((own) => folder === own || folder.startsWith(`${own}/`))) {
    await mkdir(folder, { recursive: true });
    return;
  }
  let isFolder: boolean;
  try {
    isFolder = (await stat(folder)).isDirectory();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "ENOENT") throw new FolderError(`${option} ${path}: ${(error as Error).message}`);
    throw new FolderError(
      `${option} ${path}: there is no folder ${folder}: make it, or choose another place`,
    );
  }
  if (!isFolder) throw new FolderError(`${option} ${path}: ${folder} is no folder`);
}
