/** What is going to happen, by the time at which it does: a heap, and the clock that goes from one entry to the next. */
import type { Clock, Instant } from "../../base/clock.ts";

export interface Appointment {
  /** It is not going to happen. Harmless once it has. */
  cancel(): void;
}

interface Entry {
  readonly timeMs: number;
  /** Of what is due at the same time, the first to be entered happens first: nothing depends on the heap's order. */
  readonly number: number;
  work: (() => void) | undefined;
}

export class Agenda implements Clock {
  readonly #heap: Entry[] = [];
  #now = 0;
  #entered = 0;

  now(): Instant {
    return this.#now as Instant;
  }

  after(delayMs: number, work: () => void): Appointment {
    const entry: Entry = {
      timeMs: this.#now + Math.max(0, delayMs),
      number: this.#entered++,
      work,
    };
    this.#heap.push(entry);
    this.#rise(this.#heap.length - 1);
    return {
      cancel: () => {
        entry.work = undefined;
      },
    };
  }

  /** When something happens next, or undefined when nothing is going to. */
  get next(): Instant | undefined {
    while (this.#heap.length > 0 && this.#heap[0]!.work === undefined) this.#take();
    return this.#heap[0]?.timeMs as Instant | undefined;
  }

  /** Lets the next thing happen. False when there is none. */
  step(): boolean {
    if (this.next === undefined) return false;
    const { timeMs, work } = this.#take();
    this.#now = Math.max(this.#now, timeMs);
    work!();
    return true;
  }

  /** Time passes in which nothing happens; what is due earlier must have happened. */
  passUntil(timeMs: number): undefined {
    const { next } = this;
    if (next !== undefined && next < timeMs)
      throw new RangeError("Cannot pass over what is to happen");
    this.#now = Math.max(this.#now, timeMs);
  }

  #take(): Entry {
    const [first] = this.#heap as [Entry];
    const last = this.#heap.pop()!;
    if (this.#heap.length > 0) {
      this.#heap[0] = last;
      this.#sink();
    }
    return first;
  }

  #rise(index: number): undefined {
    const heap = this.#heap;
    for (let at = index; at > 0; ) {
      const parent = (at - 1) >> 1;
      if (isBefore(heap[parent]!, heap[at]!)) return;
      [heap[parent], heap[at]] = [heap[at]!, heap[parent]!];
      at = parent;
    }
  }

  #sink(): undefined {
    const heap = this.#heap;
    for (let at = 0; ; ) {
      const left = 2 * at + 1;
      if (left >= heap.length) return;
      const right = left + 1;
      const least = right < heap.length && isBefore(heap[right]!, heap[left]!) ? right : left;
      if (isBefore(heap[at]!, heap[least]!)) return;
      [heap[at], heap[least]] = [heap[least]!, heap[at]!];
      at = least;
    }
  }
}

function isBefore(one: Entry, other: Entry): boolean {
  return one.timeMs < other.timeMs || (one.timeMs === other.timeMs && one.number < other.number);
}
