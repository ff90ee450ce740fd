import type { Branded } from "./brand.ts";

/** A moment in milliseconds since the clock's own beginning; fractions are kept. Never goes back. */
export type Instant = Branded<number, "Instant">;

/** Where time comes from: the real clock in the daemon, one that they move in tests and simulation. */
export interface Clock {
  now(): Instant;
}

/** A clock that stands until somebody moves it. */
export class ManualClock implements Clock {
  #now = 0;

  now(): Instant {
    return this.#now as Instant;
  }

  advance(ms: number): void {
    if (!(ms >= 0))
      throw new RangeError(`Cannot advance the clock by ${ms} ms: expected 0 or more`);
    this.#now += ms;
  }
}
