/** Keys of keepalived that virtual servers, real servers and checkers have alike: the nearest to a checker counts. */
import type { KeyTable } from "./read-keys.ts";
import * as takes from "./values.ts";

export interface CheckDefaults {
  readonly delayLoop: number;
  readonly connectTimeout: number;
  readonly retry: number;
  readonly delayBeforeRetry: number;
  readonly alpha: boolean;
}

// biome-ignore format: a table
export const CHECK_DEFAULTS = {
  delay_loop:         { to: "delayLoop",        takes: takes.seconds(0.000_001) },
  connect_timeout:    { to: "connectTimeout",   takes: takes.seconds(0.000_001) },
  retry:              { to: "retry",            takes: takes.integer(0, 0x7fff_ffff) },
  delay_before_retry: { to: "delayBeforeRetry", takes: takes.seconds(0) },
  warmup:             { dropped: "the first probes are spread by themselves" },
  alpha:              { to: "alpha",            takes: takes.flag },
} as const satisfies KeyTable<CheckDefaults>;
