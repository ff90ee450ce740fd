/** Files as they lie on the disk, of which keepalived includes those that are regular and no programs. */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import type { SourceFiles } from "./lines.ts";

const EXECUTABLE = 0o111;

/** More is no configuration. */
const LENGTH_MAX = 64 * 1024 * 1024;

export const diskFiles: SourceFiles = {
  list(folder) {
    try {
      return readdirSync(folder);
    } catch {
      return undefined;
    }
  },
  exists: existsSync,
  read(path) {
    try {
      const stats = statSync(path);
      if (!stats.isFile() || (stats.mode & EXECUTABLE) !== 0) {
        return { why: "keepalived includes only regular files that are no programs" };
      }
      if (stats.size > LENGTH_MAX) return { why: `it has ${stats.size} bytes` };
      return { text: readFileSync(path, "utf8") };
    } catch (error) {
      return { why: (error as Error).message };
    }
  },
};
