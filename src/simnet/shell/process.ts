/** A program at work on a host: its outputs, and what it waits for. */
import type { Wait, Work } from "../time/waiting.ts";

/** Where text goes: a terminal, a pipe, a file. */
export interface Sink {
  write(text: string): void;
}

/** What a terminal shows, and what of it came by the standard output. */
export interface Screen {
  text: string;
  stdout: string;
}

/** A pipe, or what was typed before: read in lines. */
export class Pipe implements Sink {
  #text = "";
  /** Nobody writes any more. */
  isEnded = false;
  /** Nobody reads any more. */
  isBroken = false;

  write(text: string): undefined {
    if (!this.isBroken) this.#text += text;
  }

  /** A line with its end, or what is left without one once the pipe is ended; undefined: nothing yet. */
  takeLine(): string | undefined {
    const end = this.#text.indexOf("\n");
    if (end < 0 && !(this.isEnded && this.#text !== "")) return undefined;
    const line = end < 0 ? this.#text : this.#text.slice(0, end + 1);
    this.#text = this.#text.slice(line.length);
    return line;
  }

  get hasLine(): boolean {
    return this.#text.includes("\n") || this.isEnded;
  }
}

export class Process {
  readonly id: number;
  /** Undefined as long as it runs. */
  status: number | undefined;
  /** What it waits for. */
  wait: Wait | undefined;
  /** Ctrl-C was typed, or somebody sent a signal: programs that have something to say at their end look at it. */
  isInterrupted = false;
  /** The signal has not reached it yet: whatever it waits for, it goes on once. */
  #isCalled = false;
  readonly #work: Work<number>;
  readonly #screen: Screen | undefined;
  /** It looks on while others do something: time alone is nothing to it. */
  isListening = false;
  readonly children: Process[] = [];
  /** What is to be done at its end, however it comes. */
  readonly atEnd: (() => void)[] = [];

  constructor(id: number, work: Work<number>, screen?: Screen) {
    this.id = id;
    this.#work = work;
    this.#screen = screen;
  }

  /** It, or what it started, looks on. */
  get isWatching(): boolean {
    if (this.status !== undefined) return false;
    return this.isListening || this.children.some((child) => child.isWatching);
  }

  /** What its terminal shows. */
  get output(): string {
    return this.#screen?.text ?? "";
  }

  get stdout(): string {
    return this.#screen?.stdout ?? "";
  }

  /** It goes on until it waits again. */
  resume(): undefined {
    this.wait = undefined;
    this.#isCalled = false;
    const { done, value } = this.#work.next();
    if (done) this.end(value);
    else this.wait = value;
  }

  isDue(nowMs: number): boolean {
    if (this.status !== undefined) return false;
    const { wait } = this;
    if (wait === undefined || wait.promise !== undefined || this.#isCalled) return true;
    if (wait.untilMs !== undefined && wait.untilMs <= nowMs) return true;
    return wait.isDone?.() ?? false;
  }

  /** As Ctrl-C: its children, too. */
  interrupt(): undefined {
    this.isInterrupted = true;
    this.#isCalled = true;
    for (const child of this.children) if (child.status === undefined) child.interrupt();
  }

  /** At once, without a word. */
  kill(status: number): undefined {
    if (this.status !== undefined) return;
    for (const child of this.children) child.kill(status);
    this.#work.return(status);
    this.end(status);
  }

  end(status: number): undefined {
    if (this.status !== undefined) return;
    this.status = status;
    for (const act of this.atEnd.splice(0)) act();
  }
}
