import { readOptions } from "./popt.ts";
import { USAGE } from "./usage.ts";
import { VERSION } from "./version.ts";

/** Help and version, if that is what the words ask for. */
export function informationFor(words: readonly string[]): string | undefined {
  const first = readOptions(words, []).next().value;
  if (first === undefined || "fault" in first) return undefined;
  if (first.tag === "version") return VERSION;
  return first.tag === "help" ? VERSION + USAGE : undefined;
}
