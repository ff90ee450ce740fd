/** The daemon's log: JSON lines on standard output, and on standard error what a person shall read. Neither ever waits. */
import { format } from "node:util";
import pino, { type Logger } from "pino";
import type { LogLevel } from "./options.ts";
import { Outlet } from "./outlet.ts";

const FD = { out: 1, error: 2 } as const;

/** How long the end of the process waits for a slow reader. */
const PATIENCE_MS = 1_000;

export interface Log {
  readonly lines: Logger;
  /** Says something on standard error. */
  readonly complain: (text: string) => void;
  /** To be called when the process ends at once, before anything else can happen. */
  readonly flush: () => void;
  /** Lines that were lost because nobody read them, or no disk took them. */
  lost(): number;
  /** Resolves when all is written, or its reader was waited for long enough. */
  end(): Promise<void>;
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
  const lines = pino({ level }, { write: (line) => out.write(line) });
  // Node's own warnings would be written to standard error, and wait there.
  process.removeAllListeners("warning");
  for (const method of ["error", "info", "log", "warn"] as const) {
    // What a library says goes there, too.
    console[method] = (...words) => lines.warn(format(...words));
  }
  process.on("warning", (warning) => lines.warn({ err: warning }, "Node warns"));
  return {
    lines,
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
