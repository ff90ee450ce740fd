/** The whole of a laboratory in a link: which, the seed, and what was typed. Whoever opens it sees the same frames. */
import { SCENARIO_NAMES } from "../../../src/lab/network/plan.ts";
import type { Route } from "../frame/route.ts";
import type { Setting, Typed } from "./model.ts";

export interface Linked {
  readonly lesson: string | undefined;
  /** Where no lesson says it. */
  readonly setting: Setting;
  readonly lines: readonly Typed[];
}

const SEED_MAX = 0xffff_ffff;

export function parseLink({ lesson, lab, bare, ipv6, seed, typed }: Route["query"]): Linked {
  const number = Number(seed ?? "1");
  return {
    lesson: lesson === "" ? undefined : lesson,
    setting: {
      scenario: SCENARIO_NAMES.find((name) => name === lab) ?? "dr",
      isBuilt: bare !== "yes",
      family: ipv6 === "yes" ? "inet6" : "inet",
      seed: Number.isInteger(number) && number >= 0 && number <= SEED_MAX ? number : 1,
    },
    lines: linesIn(typed ?? "[]"),
  };
}

export function formatLink({ lesson, setting, lines }: Linked): Route["query"] {
  return {
    ...(lesson === undefined
      ? {
          lab: setting.scenario,
          ...(setting.isBuilt ? {} : { bare: "yes" }),
          ...(setting.family === "inet6" ? { ipv6: "yes" } : {}),
        }
      : { lesson }),
    ...(setting.seed === 1 ? {} : { seed: String(setting.seed) }),
    ...(lines.length === 0
      ? {}
      : { typed: JSON.stringify(lines.map(({ host, line }) => [host, line])) }),
  };
}

/** Somebody may have changed the link: what is no line is left out. */
function linesIn(text: string): Typed[] {
  try {
    const lines: unknown = JSON.parse(text);
    if (!Array.isArray(lines)) return [];
    return lines.flatMap((each: unknown) => {
      if (!Array.isArray(each)) return [];
      const [host, line] = each as unknown[];
      return typeof host === "string" && typeof line === "string" ? [{ host, line }] : [];
    });
  } catch {
    return [];
  }
}
