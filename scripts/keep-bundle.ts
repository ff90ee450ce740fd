/** Makes the bundle of the present sources and keeps it, in a process of its own that nobody waits for. */
import { spawn } from "node:child_process";
import { mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { constants, setPriority } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { foldersOfBundles, isKept, LIST, readSources, type Sources } from "./kept-bundle.ts";

/** Nobody tries again for so long what somebody else is at, or could not do. */
const TRIED_MS = 60_000;

/** Old ones may still be in use by who was started from them, and loads a part late. */
const KEPT_MAX = 8;
const KEPT_AFTERWARDS = 3;

/** A process that makes it, without anything of ours. */
export function keepBundle(root: string): void {
  if (!claim(root)) return;
  const words = ["--disable-warning=ExperimentalWarning", fileURLToPath(import.meta.url), root];
  const child = spawn(process.execPath, words, { cwd: "/", detached: true, stdio: "ignore" });
  child.on("error", () => {});
  child.unref();
}

/** True for one of those who start at the same time, and for nobody else for a while. */
function claim(root: string): boolean {
  const path = triedPath(readSources(root));
  mkdirSync(foldersOfBundles(root), { recursive: true });
  try {
    writeFileSync(path, "", { flag: "wx" });
    return true;
  } catch {
    if (Date.now() - statSync(path).mtimeMs < TRIED_MS) return false;
    writeFileSync(path, "");
    return true;
  }
}

function triedPath({ folder }: Sources): string {
  return `${folder}.tried`;
}

async function makeAndKeep(root: string): Promise<void> {
  setPriority(constants.priority.PRIORITY_LOW);
  const { bundle } = await import("./bundle.ts");
  const sources = readSources(root);
  if (!sources.areSettled || isKept(sources)) return;
  const making = `${sources.folder}.${process.pid}`;
  try {
    await bundle(root, making);
    // Somebody may have changed a source before it was read.
    if (readSources(root).list !== sources.list) return;
    writeFileSync(join(making, LIST), sources.list);
    // At once whole, and where somebody else's is meanwhile, refused.
    renameSync(making, sources.folder);
  } finally {
    rmSync(making, { recursive: true, force: true });
  }
  rmSync(triedPath(sources), { force: true });
  removeOld(root);
}

function removeOld(root: string): void {
  const all = foldersOfBundles(root);
  const age = (name: string): number => statSync(join(all, name)).mtimeMs;
  const names = readdirSync(all).sort((one, other) => age(other) - age(one));
  if (names.length <= KEPT_MAX) return;
  for (const name of names.slice(KEPT_AFTERWARDS)) rmSync(join(all, name), { recursive: true });
  // What Node compiled of them is found by nobody any more; of the others it is soon there again.
  rmSync(join(all, "../compiled"), { recursive: true, force: true });
}

const [, program, root] = process.argv;
if (program === fileURLToPath(import.meta.url) && root !== undefined) await makeAndKeep(root);
