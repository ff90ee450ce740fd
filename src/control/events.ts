/**
 * What happened, for whoever listens: the last of it is kept, so that a listener who was away a moment misses nothing.
 *
 * Nobody waits for a listener. Each has a place in one ring, and reads at its own pace; who is so slow that its place is no
 * longer in the ring is told so.
 */

/** Something that happened: a line of the log that bears a name (docs/log-events.md). */
export interface LoggedEvent {
  readonly name: string;
  readonly message: string;
  readonly facts: Readonly<Record<string, unknown>>;
}

export interface KeptEvent {
  /** Counts from 1. */
  readonly number: number;
  readonly name: string;
  /** JSON: `at`, `message`, and the facts. */
  readonly text: string;
}

export interface EventsOptions {
  /** Tells this process's numbers from those of another: a listener's last one may be of a daemon before. */
  readonly epoch: string;
  readonly countMax?: number;
  readonly lengthMax?: number;
}

const COUNT_MAX = 2_000;
const LENGTH_MAX = 2 << 20;

export class Events {
  readonly epoch: string;
  readonly #countMax: number;
  readonly #lengthMax: number;
  #kept: KeptEvent[] = [];
  #length = 0;
  #last = 0;
  #wakers: (() => void)[] = [];

  constructor({ epoch, countMax = COUNT_MAX, lengthMax = LENGTH_MAX }: EventsOptions) {
    this.epoch = epoch;
    this.#countMax = countMax;
    this.#lengthMax = lengthMax;
  }

  /** The number of the last one; 0: there was none. */
  get last(): number {
    return this.#last;
  }

  publish({ name, message, facts }: LoggedEvent): void {
    const text = JSON.stringify({ at: new Date().toISOString(), message, ...facts });
    this.#last++;
    this.#kept.push({ number: this.#last, name, text });
    this.#length += text.length;
    while (this.#kept.length > this.#countMax || this.#length > this.#lengthMax) {
      this.#length -= this.#kept.shift()!.text.length;
    }
    for (const wake of this.#wakers.splice(0)) wake();
  }

  /** Those after `number` that are still kept, and how many are not. */
  after(number: number): { readonly events: readonly KeptEvent[]; readonly missed: number } {
    const first = this.#last - this.#kept.length + 1;
    const missed = Math.max(0, first - number - 1);
    return { events: this.#kept.slice(Math.max(0, number + 1 - first)), missed };
  }

  /** Calls `wake` once, at the next one. */
  once(wake: () => void): Disposable {
    this.#wakers.push(wake);
    return {
      [Symbol.dispose]: () => {
        this.#wakers = this.#wakers.filter((each) => each !== wake);
      },
    };
  }
}
