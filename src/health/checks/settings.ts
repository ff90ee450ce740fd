/** Every kind of check: what it is, and the settings that it has of its own. checks/index.ts has what carries it out. */
import { EXEC_SETTINGS } from "./exec-settings.ts";
import { FILE_SETTINGS } from "./file-settings.ts";

// biome-ignore format: a table
export const CHECK_KINDS = {
  tcp:  { says: "A connection is accepted.",                         hasPort: true,  settings: {} },
  exec: { says: "A program on the director ends with exit code 0.",  hasPort: false, settings: EXEC_SETTINGS },
  file: { says: "A file on the director has a number above 0.",      hasPort: false, settings: FILE_SETTINGS },
} as const;

export type CheckKind = keyof typeof CHECK_KINDS;
