/**
 * The results of whole runs, kept for the page: docs/conformance.json, one run for each kernel's series. A new run takes
 * the place of the last with the same kernel, the others stay as they are.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { page } from "./page.ts";
import type { Summary } from "./summary.ts";

/** A run as it is kept. */
export type Result = Pick<Summary, "kernel" | "engines" | "groups" | "known"> & {
  /** ISO 8601, the day. */
  readonly date: string;
};

export interface Documents {
  readonly results: string;
  readonly page: string;
}

/** Keeps the run, and writes the page anew from all that are kept. */
export function keep(summary: Summary, on: Date, documents: Documents): void {
  const { kernel, engines, groups, known } = summary;
  const result: Result = { date: on.toISOString().slice(0, 10), kernel, engines, groups, known };
  const kept = read(documents.results).filter((each) => seriesOf(each) !== seriesOf(result));
  const all = [...kept, result].toSorted((a, b) => (seriesOf(a) < seriesOf(b) ? 1 : -1));
  writeFileSync(documents.results, `${JSON.stringify(all, undefined, 2)}\n`);
  writeFileSync(documents.page, page(all));
}

function read(path: string): Result[] {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as Result[];
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

/** `uml 6.1`: what the next run with this kernel replaces. */
function seriesOf({ kernel: { name, version } }: Result): string {
  return `${name} ${/^\d+\.\d+/.exec(version)?.[0] ?? version}`;
}
