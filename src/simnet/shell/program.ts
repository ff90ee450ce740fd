/** What a program is, and what it may touch. */
import type { Host } from "../host/host.ts";
import { settled, type Wait, type Work } from "../time/waiting.ts";
import type { Files } from "./files.ts";
import type { Pipe, Process, Sink } from "./process.ts";

export interface Context {
  readonly host: Host;
  readonly files: Files;
  readonly out: Sink;
  readonly err: Sink;
  /** undefined: a terminal at which nobody types. */
  readonly input: Pipe | undefined;
  readonly process: Process;
  /** Of the shell that it runs in. */
  readonly shell: ShellServices;
}

export interface ShellServices {
  /** Where relative paths begin. */
  readonly directory: string;
  /** A process by its number. */
  find(id: number): Process | undefined;
  /** Runs words as a command line, as what `timeout` and its like do. */
  spawn(words: readonly string[], context: Context): Process;
}

/** `words` are those behind its name. */
export type Program = (words: readonly string[], context: Context) => Work<number>;

export type Programs = Readonly<Record<string, Program>>;

/** For a program that waits for nothing. */
export function immediate(act: (words: readonly string[], context: Context) => number): Program {
  return function* (words, context) {
    yield* [];
    return act(words, context);
  };
}

/** For a program that is loaded when somebody types it first: a page is not to wait for what nobody asks of it. */
export function later(load: () => Promise<Program>): Program {
  return function* (words, context) {
    const program = yield* settled(load());
    return yield* program(words, context);
  };
}

/** Waits; false when it was interrupted meanwhile. */
export function* waitFor({ process }: Pick<Context, "process">, wait: Wait): Work<boolean> {
  if (process.isInterrupted) return false;
  yield wait;
  return !process.isInterrupted;
}

export function* sleep(context: Context, ms: number): Work<boolean> {
  return yield* waitFor(context, { untilMs: context.host.agenda.now() + ms });
}
