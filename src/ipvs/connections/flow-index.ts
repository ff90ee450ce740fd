/**
 * Finds connections by hash: open addressing with linear probing, a slot being a hash and an id.
 *
 * The whole hash is kept, so that a lookup reads a record only when it very likely is the one, and growing reads none.
 * Removal moves later entries of the cluster back instead of leaving marks, so lookups never slow down with age.
 *
 * Growing never pauses: a table of twice the capacity is begun beside the full one, and each insertion and removal
 * moves a few entries. Meanwhile lookups probe both. Those of the same hash are in one of them, all, and so are found in the
 * order in which they came. The tables take turns in two stretches of memory, which are
 * reserved at the beginning; moving out leaves one empty for the next turn. An index that emptied keeps its capacity.
 */
import { Slots } from "./slots.ts";

/** Slots moved for each insertion or removal; 1 would suffice to be done before the next growth. */
const MIGRATION_STEP = 16;

const CAPACITY_MIN = 64;

export class FlowIndex {
  #young: Slots;
  #old: Slots;
  #isGrowing = false;
  /** The next slot of the old table to move. Always the first of a cluster or empty. */
  #cursor = 0;

  /** For up to `limit` entries. */
  constructor(limit: number) {
    let capacity = CAPACITY_MIN;
    let turns = 0;
    for (; isFull(limit, capacity); capacity *= 2) turns++;
    const whole = new Slots(capacity);
    const half = new Slots(capacity / 2);
    // The last turn needs the whole.
    [this.#young, this.#old] = turns % 2 === 0 ? [whole, half] : [half, whole];
    this.#young.capacity = CAPACITY_MIN;
    this.#old.capacity = 0;
  }

  /** Where new entries go: probe it first. */
  get young(): Slots {
    return this.#young;
  }

  /** The table being moved out of: probe it too. */
  get old(): Slots | undefined {
    return this.#isGrowing ? this.#old : undefined;
  }

  get size(): number {
    return this.#young.used + this.#old.used;
  }

  /** Memory that was written. */
  get bytes(): number {
    return this.#young.bytes + this.#old.bytes;
  }

  /** Makes room for so many entries at once, so that the index need not grow to them. It must be empty. */
  expect(entries: number): void {
    while (isFull(entries, this.#young.capacity)) {
      const capacity = this.#young.capacity * 2;
      this.#young.capacity = 0;
      [this.#young, this.#old] = [this.#old, this.#young];
      this.#young.capacity = capacity;
    }
  }

  /** There must be less than `limit` entries. */
  insert(hash: number, id: number): void {
    this.migrate(MIGRATION_STEP);
    if (isFull(this.size + 1, this.#young.capacity)) this.#grow();
    if (this.#isGrowing) this.#move(hash);
    this.#young.insert(hash, id);
  }

  /** Whether there was such an entry. */
  remove(hash: number, id: number): boolean {
    this.migrate(MIGRATION_STEP);
    return this.#young.remove(hash, id) || (this.#isGrowing && this.#old.remove(hash, id));
  }

  /** Moves the entries with this hash. */
  #move(hash: number): void {
    const old = this.#old;
    for (let at = old.first(hash); at >= 0; at = old.first(hash)) {
      const id = old.idAt(at);
      old.remove(hash, id);
      this.#young.insert(hash, id);
    }
  }

  /** Moves `budget` slots, and the rest of the cluster, if the index is growing. */
  migrate(budget: number): void {
    if (!this.#isGrowing) return;
    const old = this.#old;
    const mask = old.capacity - 1;
    // Only whole clusters: half of one would not be found behind the gap.
    for (let moved = 0; old.used > 0; moved++) {
      const id = old.idAt(this.#cursor);
      if (id >= 0) {
        this.#young.insert(old.hashAt(this.#cursor), id);
        old.clear(this.#cursor);
      } else if (moved >= budget) {
        return;
      }
      this.#cursor = (this.#cursor + 1) & mask;
    }
    this.#isGrowing = false;
  }

  #grow(): void {
    const full = this.#young;
    this.#young = this.#old;
    this.#young.capacity = full.capacity * 2;
    this.#old = full;
    this.#isGrowing = true;
    this.#cursor = 0;
    while (full.idAt(this.#cursor) >= 0) this.#cursor++;
  }
}

/** Three quarters: then a lookup that fails probes 8.5 slots on the average, about one line of cache. */
function isFull(entries: number, capacity: number): boolean {
  return entries * 4 > capacity * 3;
}
