/** How a person calls `sluice` from where he is: not every checkout is on the PATH. */
import { realpathSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const OWN = fileURLToPath(new URL("../../bin/sluice", import.meta.url));

/** "sluice" where the PATH leads to this one, else the shortest path to it. */
export function commandName(path: string, directory: string, own = OWN): string {
  const isOwn = (folder: string): boolean => fileBehind(join(folder, "sluice")) === fileBehind(own);
  if (path.split(":").some((folder) => folder !== "" && isOwn(folder))) return "sluice";
  const below = relative(directory, own);
  if (below.startsWith("../")) return own;
  return below.includes("/") ? below : `./${below}`;
}

function fileBehind(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}
