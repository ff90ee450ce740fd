/** What carries each kind of check out, loaded when the first of its kind is probed. checks/settings.ts has their settings. */
import type { Checker } from "../checker.ts";
import type { CheckKind } from "./settings.ts";

/** Settings were checked against the kind's schema: each checker takes those of its own. */
type AnyChecker = Checker<never>;

// biome-ignore format: a table
export const CHECKERS: Readonly<Record<CheckKind, () => Promise<AnyChecker>>> = {
  tcp:  async () => (await import("./tcp.ts")).tcp,
  exec: async () => (await import("./exec.ts")).exec,
  file: async () => (await import("./file.ts")).file,
};
