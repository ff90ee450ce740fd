/**
 * What of a file is right where something in it is wrong, so that all that is wrong is told at once: what a schema sees, and
 * what values must be to fit each other.
 */
import type { z } from "zod";
import type { Path } from "./problem.ts";
import { FILE_SCHEMA, type FileContent } from "./schema.ts";

export interface SoundPart {
  readonly content: FileContent;
  /** What is not as it was meant any more: what is found to be wrong with these, or within, may not be. */
  readonly doubtful: readonly Path[];
}

type Issue = z.core.$ZodIssue;
type Values = Record<PropertyKey, unknown>;

/** Of the documentation's addresses (RFC 5737). */
const SOMEWHERE = "192.0.2.255";

/** What has the place of something that is wrong: others name it, and what is told names lists by their places. */
const STAND_INS: Readonly<Record<PropertyKey, object>> = {
  checks: { type: "icmp" },
  pools: { destinations: [] },
  vips: { address: SOMEWHERE, interface: "lo" },
  notify: { exec: "true" },
};

/** Without these, and what an unknown key may have meant, nobody knows what the rest means. */
const OF_THE_WHOLE: readonly unknown[] = [undefined, "defaults", "include"];

/** Undefined where nobody can tell what is right. Takes `value` apart. */
export function soundPart(value: unknown, issues: readonly Issue[]): SoundPart | undefined {
  if (issues.some(({ path: [section] }) => OF_THE_WHOLE.includes(section))) return undefined;
  const doubtful = issues.map((issue) => takeOut(value as Values, issue));
  const { success, data } = FILE_SCHEMA.safeParse(value);
  return success ? { content: data, doubtful } : undefined;
}

/** Gives what is not as it was meant then. */
function takeOut(value: Values, issue: Issue): Path {
  const [section = "", name, key, index] = issue.path;
  const inside = value[section] as Values;
  if (name !== undefined && section === "services") {
    return takeOutOfService(inside, issue, name, key, index);
  }
  if (name !== undefined && STAND_INS[section] !== undefined) {
    inside[name] = STAND_INS[section];
    return [section, name];
  }
  delete value[section];
  return [section];
}

function takeOutOfService(
  services: Values,
  issue: Issue,
  name: PropertyKey,
  key: PropertyKey | undefined,
  index: PropertyKey | undefined,
): Path {
  const service = services[name] as Values;
  if (key === "destinations" && index !== undefined) {
    (service[key] as Values)[index] = { address: SOMEWHERE };
    return ["services", name, key, index];
  }
  if (key !== undefined) delete service[key];
  else if (issue.code === "unrecognized_keys") for (const each of issue.keys) delete service[each];
  else services[name] = {};
  return ["services", name];
}
