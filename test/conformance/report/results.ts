/**
 * The results of whole runs, kept for the page: docs/conformance.json, one for each kernel's series. A new run takes
 * the place of the last with the same kernel, the others stay as they are; and so do the columns of engines that it had not,
 * if the kernel's version is the same.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { type Column, ENGINE_TITLES } from "./outcome.ts";
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
  const before = read(documents.results);
  const kept = before.filter((each) => seriesOf(each) !== seriesOf(result));
  const same = before.find(
    (each) => each.kernel.version === kernel.version && !kept.includes(each),
  );
  const all = [...kept, same === undefined ? result : merged(same, result)].toSorted((a, b) =>
    seriesOf(a) < seriesOf(b) ? 1 : -1,
  );
  writeFileSync(documents.results, `${JSON.stringify(all, undefined, 2)}\n`);
  writeFileSync(documents.page, page(all));
}

/** A run of the default engines has every group that there is; what another one lacks stays as it was. */
function merged(before: Result, run: Result): Result {
  const isOfDefault = run.engines.includes("userspace");
  const others = before.engines.filter((engine) => !run.engines.includes(engine));
  const names = new Set([
    ...Object.keys(isOfDefault ? {} : before.groups),
    ...Object.keys(run.groups),
  ]);
  const groups = [...names].map((name) => {
    const [old, now] = [before.groups[name], run.groups[name]];
    const engines = { ...only(old?.engines ?? {}, others), ...now?.engines };
    return [name, { ...(now ?? old)!, engines }] as const;
  });
  const titles = new Set([...Object.keys(before.known), ...Object.keys(run.known)]);
  const known = [...titles].map(
    (title) =>
      [title, { ...only(before.known[title] ?? {}, others), ...run.known[title] }] as const,
  );
  return {
    ...run,
    engines: Object.keys(ENGINE_TITLES).filter((name): name is Column =>
      [...run.engines, ...others].includes(name as Column),
    ),
    groups: Object.fromEntries(groups),
    known: Object.fromEntries(known.filter(([, of]) => Object.keys(of).length > 0)),
  };
}

function only<Value>(
  of: Readonly<Partial<Record<Column, Value>>>,
  engines: readonly Column[],
): Partial<Record<Column, Value>> {
  return Object.fromEntries(
    Object.entries(of).filter(([engine]) => engines.includes(engine as Column)),
  ) as Partial<Record<Column, Value>>;
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
