/** `notify` of a sluice.yaml: who is told of events, and how. */

import { secondsOf } from "./duration.ts";
import type { FileContent } from "./schema.ts";

export interface NotifySettings {
  /** A program and its words, or a URL: one of them. */
  readonly exec: readonly string[] | undefined;
  readonly webhook: string | undefined;
  /** Whether words about the event follow the program's own. */
  readonly hasWords: boolean;
  /** Only what is about these, as ids have them; undefined: whatever it is about. */
  readonly service: string | undefined;
  readonly destination: string | undefined;
  /** What events' names begin with; empty: all. */
  readonly only: readonly string[];
  readonly timeoutMs: number;
}

const TIMEOUT_SECONDS = 10;

export function notifySettings(
  content: NonNullable<FileContent["notify"]>,
): readonly NotifySettings[] {
  return content.map((content) => notifySetting(content));
}

function notifySetting({
  exec,
  webhook,
  words = true,
  service,
  destination,
  events,
  timeout = TIMEOUT_SECONDS,
}: NonNullable<FileContent["notify"]>[number]): NotifySettings {
  return {
    exec: typeof exec === "string" ? exec.split(/\s+/).filter((word) => word !== "") : exec,
    webhook,
    hasWords: words,
    service,
    destination,
    only: events ?? [],
    timeoutMs: secondsOf(timeout) * 1_000,
  };
}
