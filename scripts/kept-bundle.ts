/**
 * Which bundle is the present sources': each is kept in a folder of its own, beside a list of what it was made from. A
 * source that was changed, added or removed makes another list, and so no bundle is ever run in its place.
 */
import { join } from "node:path";

// Imported, all of it would be evaluated, streams included: this runs at every start.
const { accessSync, constants, existsSync, lstatSync, readdirSync, readFileSync } =
  process.getBuiltinModule("node:fs");

/** What a bundle is made from beside src/: how it is made, and the packages that it contains. */
const MORE_SOURCES = [
  "package.json",
  "scripts/bundle.ts",
  "scripts/kept-bundle.ts",
  "node_modules/.package-lock.json",
];

/** File systems tell times by steps, some of a whole second: two changes within one look the same. */
const SETTLED_AFTER_MS = 2_000;

export interface Sources {
  /** Every file with what changes when it does. Equal lists are equal sources. */
  readonly list: string;
  /** Where their bundle is kept, whether there is one or not. */
  readonly folder: string;
  /** Whether a further change would change the list for certain. */
  readonly areSettled: boolean;
}

export function foldersOfBundles(root: string): string {
  return join(root, "node_modules/.cache/bundles");
}

/**
 * Asks for the state of some 600 files, which takes about ten milliseconds: this runs at every start. By join() it would
 * take as long again.
 */
export function readSources(root: string): Sources {
  const lines = [root];
  let newest = 0;
  const add = (path: string): void => {
    const { ino, size, mtimeMs, ctimeMs } = lstatSync(`${root}/${path}`);
    // The moment of the change, unlike that of the modification, is nobody's to set.
    newest = Math.max(newest, ctimeMs);
    lines.push(`${path} ${ino} ${size} ${mtimeMs} ${ctimeMs}`);
  };
  const addAll = (folder: string): void => {
    for (const entry of readdirSync(`${root}/${folder}`, { withFileTypes: true })) {
      const path = `${folder}/${entry.name}`;
      if (entry.isDirectory()) addAll(path);
      else if (!entry.name.endsWith(".test.ts")) add(path);
    }
  };
  addAll("src");
  for (const path of MORE_SOURCES) if (existsSync(`${root}/${path}`)) add(path);
  const list = lines.join("\n");
  return {
    list,
    folder: join(foldersOfBundles(root), nameOf(list)),
    areSettled: Math.abs(Date.now() - newest) > SETTLED_AFTER_MS,
  };
}

/** The list that says what the bundle beside it was made from. */
export const LIST = "made-from";

/** Whether the bundle of these sources is there, whole. */
export function isKept({ list, folder }: Sources): boolean {
  try {
    return readFileSync(join(folder, LIST), "utf8") === list;
  } catch {
    return false;
  }
}

/** Whether one could be made: not in a checkout of somebody else's, nor without what makes it. */
export function canKeep(root: string): boolean {
  try {
    accessSync(join(root, "node_modules"), constants.W_OK);
    return existsSync(join(root, "node_modules/rolldown/package.json"));
  } catch {
    return false;
  }
}

/** FNV-1a, 32 bits: loading node:crypto would take as long as all the rest here. Whole lists are compared afterwards. */
function nameOf(list: string): string {
  let hash = 0x811c9dc5;
  for (let index = 0; index < list.length; index++) {
    hash = Math.imul(hash ^ list.charCodeAt(index), 0x01000193);
  }
  return (hash >>> 0).toString(16).padStart(8, "0");
}
