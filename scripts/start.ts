/**
 * start.ts ENTRY [ARG...]: runs src/ENTRY.ts of this checkout, from the bundle of its present sources if there is one.
 * If not it runs the sources as they are, and has the bundle made meanwhile for the next time.
 */
import { basename, join, resolve } from "node:path";
import { canKeep, isKept, readSources } from "./kept-bundle.ts";

const root = resolve(import.meta.dirname, "..");
const [entry = "sluice"] = process.argv.splice(2, 1);
const file = (await keptFile(entry)) ?? join(root, "src", `${entry}.ts`);
// As if it had been started by itself: who runs this very program again must not come here (src/lab/program.ts).
process.argv[1] = file;
await import(file);

async function keptFile(entry: string): Promise<string | undefined> {
  // Of tests and benchmarks there is none.
  if (entry.startsWith("../")) return undefined;
  try {
    const sources = readSources(root);
    if (isKept(sources)) return join(sources.folder, `${basename(entry)}.js`);
    if (!sources.areSettled || !canKeep(root)) return undefined;
    const { keepBundle } = await import("./keep-bundle.ts");
    keepBundle(root);
  } catch {
    // Sources that cannot be read, or no process to be had: whoever starts shall hear of it from what is started.
  }
  return undefined;
}
