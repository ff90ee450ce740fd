/**
 * What is left when something threw that nobody caught: the packets go on, and the log has the stack.
 *
 * A director that ends takes every connection with it, so a bug costs what it was about and no more, once it serves. Two
 * things end it all the same: a thread that is in another network namespace than it should be, where whatever it did would
 * be done to somebody else; and faults without end, because then nothing else gets done.
 */
import { StrandedError } from "../engine/host/system/network-namespace.ts";

const FAULTS_MAX = 1_000;
const WINDOW_MS = 10_000;
/** Kinds that are told of; a fault whose stack differs each time shall not fill memory. */
const KINDS_MAX = 100;

export interface LastResortOptions {
  /** A fault of a kind that was not seen before. */
  readonly tell: (error: unknown) => void;
  /** Ends the process, with the reason. */
  readonly end: (error: unknown) => void;
  readonly now?: () => number;
}

export class LastResort implements Disposable {
  readonly #options: LastResortOptions;
  readonly #kinds = new Set<string>();
  /** Before it does, a fault is the start's, and ends it. */
  isServing = false;
  #windowBegan = Number.NEGATIVE_INFINITY;
  #faults = 0;
  readonly #listener = (error: unknown): void => this.fault(error);

  /** For the whole process, until it is disposed. Unhandled rejections come here, too. */
  constructor(options: LastResortOptions) {
    this.#options = options;
    process.on("uncaughtException", this.#listener);
  }

  fault(error: unknown): void {
    const { tell, end, now = () => performance.now() } = this.#options;
    if (!this.isServing || error instanceof StrandedError || this.#isEndless(now())) {
      end(error);
      return;
    }
    const kind = error instanceof Error ? (error.stack ?? error.message) : String(error);
    if (this.#kinds.size >= KINDS_MAX || this.#kinds.has(kind)) return;
    this.#kinds.add(kind);
    tell(error);
  }

  [Symbol.dispose](): void {
    process.off("uncaughtException", this.#listener);
  }

  #isEndless(now: number): boolean {
    if (now - this.#windowBegan > WINDOW_MS) {
      this.#windowBegan = now;
      this.#faults = 0;
    }
    return ++this.#faults > FAULTS_MAX;
  }
}
