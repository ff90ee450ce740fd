/**
 * How long connections live: each packet restarts the time of its own, and from time to time somebody looks for those
 * whose time is over.
 *
 * A restart costs two writes; the timer wheel only ever means "not before", and who is looked at too early is put back.
 */
import type { Instant } from "../../base/clock.ts";
import { FIELD } from "./connection-record.ts";
import type { RecordStore } from "./record-store.ts";
import { TimerWheel } from "./timer-wheel.ts";

const NONE = -1;

export interface Expired {
  readonly removed: number;
  /** Whether there was more to look at than the budget allowed. */
  readonly more: boolean;
}

/** When packets of a connection went by that nobody told the table of; negative infinity when there were none. */
type LastSeen = (id: number) => Instant;

export class Lifetimes {
  /** Asked of a connection whose time seems to be over. Undefined when every packet is told of. */
  readonly isKeptAlive: ((id: number, now: Instant) => boolean) | undefined;
  readonly #records: RecordStore;
  readonly #wheel: TimerWheel;
  readonly #lastSeen: LastSeen | undefined;

  constructor(records: RecordStore, lastSeen: LastSeen | undefined) {
    this.#records = records;
    this.#wheel = new TimerWheel(records);
    this.#lastSeen = lastSeen;
    this.isKeptAlive = lastSeen && ((id, now) => this.catchUp(id) > now);
  }

  get bytes(): number {
    return this.#wheel.bytes;
  }

  /** From now on expire() finds it, when its time is over. */
  begin(id: number): void {
    this.#wheel.arm(id, this.expiresAt(id));
  }

  /** As begin(), of a connection that an earlier process has left. */
  goOn(id: number, now: Instant): void {
    const records = this.#records;
    // Never later than if its last packet came just now.
    const latest = now + (records.get(id, FIELD.timeout) >>> 0);
    if (this.expiresAt(id) > latest) records.setDouble(id, FIELD.expiresAt, latest);
    // Moves the wheel, which begins at 0, on to now.
    this.#wheel.due(now);
    this.begin(id);
  }

  end(id: number): void {
    this.#wheel.disarm(id);
  }

  expiresAt(id: number): Instant {
    return this.#records.getDouble(id, FIELD.expiresAt) as Instant;
  }

  restart(id: number, now: Instant, timeoutMs: number): void {
    const expiresAt = now + timeoutMs;
    this.#records.set(id, FIELD.timeout, timeoutMs);
    this.#records.setDouble(id, FIELD.expiresAt, expiresAt);
    this.#wheel.hasten(id, expiresAt);
  }

  /** Restarts with the last packet that went by untold, and says when the time ends. */
  catchUp(id: number): Instant {
    const seen = this.#lastSeen?.(id) ?? Number.NEGATIVE_INFINITY;
    const expiresAt = (seen + (this.#records.get(id, FIELD.timeout) >>> 0)) as Instant;
    if (expiresAt > this.expiresAt(id)) this.#records.setDouble(id, FIELD.expiresAt, expiresAt);
    return this.expiresAt(id);
  }

  /** As the table's. `remove` takes a connection out, and ends its time. */
  expire(
    now: Instant,
    budget: number,
    decide: (id: number) => number,
    remove: (id: number) => void,
  ): Expired {
    let removed = 0;
    for (let looked = 0; looked < budget; looked++) {
      const id = this.#wheel.due(now);
      if (id === NONE) return { removed, more: false };
      if (this.expiresAt(id) > now || this.isKeptAlive?.(id, now) === true) {
        this.#wheel.disarm(id);
        this.begin(id);
        continue;
      }
      const againMs = decide(id);
      if (againMs > 0) {
        this.#wheel.disarm(id);
        this.#records.set(id, FIELD.timeout, againMs);
        this.#records.setDouble(id, FIELD.expiresAt, now + againMs);
        this.begin(id);
      } else {
        remove(id);
        removed++;
      }
    }
    return { removed, more: this.#wheel.due(now) !== NONE };
  }

  /** When to call expire(): at most TICK_MS after something is due, often before; undefined when there is nothing. */
  nextDeadline(): Instant | undefined {
    return this.#wheel.nextDeadline();
  }
}
