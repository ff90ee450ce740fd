/** The daemon's log: JSON lines on standard output, and on standard error what a person shall read. Neither ever waits. */
import { format } from "node:util";
import pino, { type Logger, type LoggerOptions } from "pino";
import { Events } from "../control/events.ts";
import type { LogLevel } from "./options.ts";
import { Outlet } from "./outlet.ts";

const FD = { out: 1, error: 2 } as const;

/** How long the end of the process waits for a slow reader. */
const PATIENCE_MS = 1_000;

export interface Log {
  /** Those whose facts have an `event` are published, too; docs/log-events.md has the names. */
  readonly lines: Logger;
  readonly events: Events;
  /** Says something on standard error. */
  readonly complain: (text: string) => void;
  /** To be called when the process ends at once, before anything else can happen. */
  readonly flush: () => void;
  /** Lines that were lost because nobody read them, or no disk took them. */
  lost(): number;
  /** Resolves when all is written, or its reader was waited for long enough. */
  end(): Promise<void>;
}

/** Events are published from here on, whichever lines the log shall have. */
const EVENTS_LEVEL = pino.levels.values.info!;

function levelOf(level: LogLevel): number {
  return pino.levels.values[level] ?? Number.POSITIVE_INFINITY;
}

/** A line with an `event`'s name among its facts is one: listeners are told the same. */
export function publishing(events: Events): NonNullable<LoggerOptions["hooks"]> {
  return {
    logMethod(words, method) {
      const [facts, message] = words as readonly unknown[];
      if (typeof facts === "object" && facts !== null && "event" in facts) {
        const { event, err, ...rest } = facts as { event: string; err?: unknown };
        const error = err === undefined ? {} : { error: String((err as Error)?.message ?? err) };
        events.publish({ name: event, message: String(message), facts: { ...rest, ...error } });
      }
      method.apply(this, words);
    },
  };
}

export function openLog(level: LogLevel): Log {
  const out = new Outlet(FD.out, {
    onLost: (count) =>
      lines.warn(
        { lost: count },
        `${count} ${count === 1 ? "line" : "lines"} of this log are missing here: they were not read, or written to disk, fast enough`,
      ),
  });
  const error: Outlet = new Outlet(FD.error, {
    onLost: (count) => error.write(`sluice daemon: ${count} messages are missing here\n`),
  });
  const events = new Events({ epoch: Date.now().toString(36) });
  // pino tells a line's level before it writes it, so that what is only an event keeps to the level that was asked for.
  const destination = {
    [Symbol.for("pino.metadata")]: true,
    lastLevel: 0,
    write(line: string): void {
      if (this.lastLevel >= levelOf(level)) out.write(line);
    },
  };
  const lines = pino(
    {
      level: levelOf(level) < EVENTS_LEVEL ? level : "info",
      hooks: publishing(events),
    },
    destination,
  );
  // Node's own warnings would be written to standard error, and wait there.
  process.removeAllListeners("warning");
  for (const method of ["error", "info", "log", "warn"] as const) {
    // What a library says goes there, too.
    console[method] = (...words) => lines.warn(format(...words));
  }
  process.on("warning", (warning) => lines.warn({ err: warning }, "Node warns"));
  return {
    lines,
    events,
    complain: (text) => error.write(text),
    flush: () => {
      out.flush();
      error.flush();
    },
    lost: () => out.lost,
    end: async () => {
      await Promise.all([out.end(PATIENCE_MS), error.end(PATIENCE_MS)]);
    },
  };
}
