/** `notify` of a sluice.yaml: who is told of events, and how. */

import { secondsOf } from "./duration.ts";
import type { FileContent } from "./schema.ts";

export interface NotifySettings {
  /** A program and its words, or a URL: one of them. */
  readonly exec: readonly string[] | undefined;
  readonly webhook: string | undefined;
  /** What events' names begin with; empty: all. */
  readonly only: readonly string[];
  readonly timeoutMs: number;
}

const TIMEOUT_SECONDS = 10;

export function notifySettings(
  content: NonNullable<FileContent["notify"]>,
): readonly NotifySettings[] {
  return content.map(({ exec, webhook, events, timeout = TIMEOUT_SECONDS }) => ({
    exec: typeof exec === "string" ? exec.split(/\s+/).filter((word) => word !== "") : exec,
    webhook,
    only: events ?? [],
    timeoutMs: secondsOf(timeout) * 1_000,
  }));
}
