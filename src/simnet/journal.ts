/** All that happened in a simulation, in its order. */
import type { Clock } from "../base/clock.ts";
import type { NewEvent, SimulationEvent } from "./event.ts";

/** More than a laboratory of a thousand requests makes; the oldest go first. */
const EVENTS_MAX = 200_000;
/** They go together: moving the others costs as much for one as for many. */
const FORGOTTEN_AT_ONCE = 20_000;

export class Journal {
  readonly #clock: Clock;
  readonly #events: SimulationEvent[] = [];
  readonly #watchers = new Set<(event: SimulationEvent) => void>();
  #count = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Those that are remembered. */
  get events(): readonly SimulationEvent[] {
    return this.#events;
  }

  /** How many there have been: the number of the next. */
  get count(): number {
    return this.#count;
  }

  tell(event: NewEvent): undefined {
    const told: SimulationEvent = {
      number: this.#count++,
      timeMs: this.#clock.now(),
      ...event,
    };
    this.#events.push(told);
    if (this.#events.length > EVENTS_MAX) this.#events.splice(0, FORGOTTEN_AT_ONCE);
    for (const watcher of this.#watchers) watcher(told);
  }

  /** Calls back for every event from now on, until what is returned is called. */
  watch(watcher: (event: SimulationEvent) => void): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }
}
