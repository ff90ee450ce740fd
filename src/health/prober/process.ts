/** The daemon's side of the process that probes: starts it, starts it again when it died, and hears what it tells. */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import type { Order, Told } from "./protocol.ts";

export interface ProberEvents {
  readonly told: (told: Told) => void;
  /** A new process: it knows of no assignment. */
  readonly started: () => void;
  /** It ended by itself. Told once, until it has run for a while again. */
  readonly died: (how: string) => void;
  /** It has run for a while after it died. */
  readonly recovered: () => void;
}

const AGAIN_MS = { first: 200, most: 10_000 } as const;
const RUNS_AFTER_MS = 5_000;

/** What it may say last, shown when it dies. */
const COMPLAINT_MAX = 2_000;

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

export class ProberProcess implements Disposable {
  readonly #events: ProberEvents;
  readonly #program: readonly string[];
  #child: Child | undefined;
  #timer: NodeJS.Timeout | undefined;
  #againMs: number = AGAIN_MS.first;
  #hasDied = false;
  #isOpen = true;

  /** `program`: what runs prober/main.ts. */
  constructor(program: readonly string[], events: ProberEvents) {
    this.#program = program;
    this.#events = events;
    this.#start();
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  order(order: Order): void {
    // What cannot be written now will be ordered anew when it has been started again.
    this.#child?.stdin.write(`${JSON.stringify(order)}\n`);
  }

  [Symbol.dispose](): void {
    this.#isOpen = false;
    clearTimeout(this.#timer);
    this.#child?.stdin.end();
    this.#child?.kill("SIGKILL");
  }

  #start(): void {
    const [command, ...words] = this.#program;
    let child: Child;
    try {
      child = spawn(command!, words, { stdio: ["pipe", "pipe", "pipe"] });
    } catch (error) {
      this.#ended((error as Error).message);
      return;
    }
    let complaint = "";
    child.stderr.on("data", (chunk: Buffer) => {
      complaint = (complaint + chunk.toString()).slice(-COMPLAINT_MAX);
    });
    let isOver = false;
    const end = (how: string): void => {
      if (isOver) return;
      isOver = true;
      this.#child = undefined;
      this.#ended(complaint === "" ? how : `${how}: ${complaint.trim()}`);
    };
    child.once("error", (error) => end(error.message));
    child.once("exit", (code, signal) => end(signal ?? `exit code ${code}`));
    child.stdin.on("error", () => {});
    const lines = createInterface({ input: child.stdout });
    lines.on("line", (line) => {
      const told = read(line);
      if (told !== undefined) this.#events.told(told);
    });
    this.#child = child;
    this.#events.started();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#runs(), RUNS_AFTER_MS);
    this.#timer.unref();
  }

  #runs(): void {
    this.#againMs = AGAIN_MS.first;
    if (this.#hasDied) this.#events.recovered();
    this.#hasDied = false;
  }

  #ended(how: string): void {
    if (!this.#isOpen) return;
    if (!this.#hasDied) this.#events.died(how);
    this.#hasDied = true;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#start(), this.#againMs);
    this.#timer.unref();
    this.#againMs = Math.min(this.#againMs * 2, AGAIN_MS.most);
  }
}

/** Undefined for the part of a line that a process wrote before it was killed. */
function read(line: string): Told | undefined {
  try {
    return JSON.parse(line) as Told;
  } catch {
    return undefined;
  }
}
