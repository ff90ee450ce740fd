/** From a file's name to what is wanted of the director: all of it right, or an error that says all that is wrong. */
import { resolve as resolvePath } from "node:path";
import { allProblems } from "./all-problems.ts";
import { loadFiles } from "./files.ts";
import { ConfigurationError } from "./problem.ts";
import { type Resolved, resolve } from "./resolve.ts";
import type { Environment } from "./variables.ts";

export type Configuration = Omit<Resolved, "problems">;

/** Rejects with a ConfigurationError. */
export async function loadConfiguration(
  path: string,
  environment: Environment,
): Promise<Configuration> {
  const loaded = await loadFiles(path, environment);
  const resolved = resolve(loaded.files);
  const all = allProblems(loaded, resolved);
  if (all.length > 0) throw new ConfigurationError(all.toSorted(byPlace));
  const { names, drift, wanted } = resolved;
  return { ...resolved, wanted: { ...wanted, file: { source: resolvePath(path), drift, names } } };
}

type Problem = ConfigurationError["problems"][number];

function byPlace(one: Problem, other: Problem): number {
  if (one.file !== other.file) return 0;
  return (one.line ?? 0) - (other.line ?? 0) || (one.column ?? 0) - (other.column ?? 0);
}
