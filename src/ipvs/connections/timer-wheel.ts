/**
 * When to look at which connection: a circle of slots, one for each 64 ms, with a list of connections in each.
 *
 * Deadlines only ever mean "not before": a connection that is touched keeps its place and is put where it then belongs
 * when its slot comes. The same covers deadlines beyond the circle: they wait in the farthest slot and are put on
 * from there, once in 17 minutes. So there are no levels and nothing cascades.
 */
import type { Instant } from "../../base/clock.ts";
import { BitSet } from "./bit-set.ts";
import { FIELD } from "./connection-record.ts";
import type { RecordStore } from "./record-store.ts";

/** How late a deadline may be noticed, in milliseconds. */
export const TICK_MS = 64;

/** A turn of 1048 s: longer than the longest default timeout, 900 s. */
const SLOTS = 1 << 14;
const SLOT_MASK = SLOTS - 1;

const NONE = -1;

export class TimerWheel {
  readonly #records: RecordStore;
  readonly #heads = new Int32Array(SLOTS).fill(NONE);
  readonly #occupied = new BitSet(SLOTS);
  /** The first tick whose slot was not emptied yet. */
  #tick = 0;

  constructor(records: RecordStore) {
    this.#records = records;
  }

  get bytes(): number {
    return this.#heads.byteLength + this.#occupied.bytes;
  }

  /** Sets the alarm of a record that has none. */
  arm(id: number, deadline: number): void {
    const records = this.#records;
    const tick = this.#clamp(Math.ceil(deadline / TICK_MS));
    const slot = tick & SLOT_MASK;
    const head = this.#heads[slot]!;
    records.set(id, FIELD.armedTick, tick);
    records.set(id, FIELD.timerNext, head);
    records.set(id, FIELD.timerPrevious, NONE);
    if (head === NONE) this.#occupied.add(slot);
    else records.set(head, FIELD.timerPrevious, id);
    this.#heads[slot] = id;
  }

  disarm(id: number): void {
    const records = this.#records;
    const next = records.get(id, FIELD.timerNext);
    const previous = records.get(id, FIELD.timerPrevious);
    if (next !== NONE) records.set(next, FIELD.timerPrevious, previous);
    if (previous !== NONE) {
      records.set(previous, FIELD.timerNext, next);
      return;
    }
    const slot = records.get(id, FIELD.armedTick) & SLOT_MASK;
    this.#heads[slot] = next;
    if (next === NONE) this.#occupied.delete(slot);
  }

  /** Makes sure that the record is looked at by `deadline`. A later deadline costs nothing. */
  hasten(id: number, deadline: number): void {
    const tick = Math.ceil(deadline / TICK_MS);
    // Ticks are kept modulo 2^32, so their order is the sign of their difference, as with the kernel's jiffies.
    if (((tick - this.#records.get(id, FIELD.armedTick)) | 0) >= 0) return;
    this.disarm(id);
    this.arm(id, deadline);
  }

  /** A record whose alarm has come, or -1. The caller disarms it. */
  due(now: Instant): number {
    const last = Math.floor(now / TICK_MS);
    // Whoever was away for more than a turn finds every slot due: go round once, not once for each turn missed.
    this.#tick = Math.max(this.#tick, last - SLOTS + 1);
    while (this.#tick <= last) {
      const head = this.#heads[this.#tick & SLOT_MASK]!;
      if (head !== NONE) return head;
      const next = this.#nextTick();
      this.#tick = next === NONE || next > last ? last + 1 : next;
    }
    return NONE;
  }

  /** When there may be something due. */
  nextDeadline(): Instant | undefined {
    const tick = this.#nextTick();
    return tick === NONE ? undefined : ((tick * TICK_MS) as Instant);
  }

  #nextTick(): number {
    const from = this.#tick & SLOT_MASK;
    const ahead = this.#occupied.next(from);
    if (ahead !== NONE) return this.#tick + ahead - from;
    const behind = this.#occupied.next(0);
    return behind === NONE ? NONE : this.#tick + behind - from + SLOTS;
  }

  #clamp(tick: number): number {
    return Math.max(this.#tick, Math.min(tick, this.#tick + SLOTS - 1));
  }
}
