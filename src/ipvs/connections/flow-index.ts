/**
 * Finds connections by hash: open addressing with linear probing, a slot being a hash and an id.
 *
 * The whole hash is kept, so that a lookup reads a record only when it very likely is the one, and growing reads none.
 * Removal moves later entries of the cluster back instead of leaving marks, so lookups never slow down with age.
 *
 * Growing never pauses: a table of twice the size is put beside the full one, and each insertion and removal moves a
 * few entries. Meanwhile lookups probe both. An index that emptied keeps its size.
 */

/** Slots moved for each insertion or removal; 1 would suffice to be done before the next growth. */
const MIGRATION_STEP = 16;

const SLOTS_MIN = 64;

/** One table of slots. Its two columns are interleaved: hash, id + 1; 0 in the latter is an empty slot. */
export class Slots {
  readonly capacity: number;
  readonly #cells: Int32Array;
  #used = 0;

  /** `capacity` is a power of two. */
  constructor(capacity: number) {
    this.capacity = capacity;
    this.#cells = new Int32Array(capacity * 2);
  }

  get used(): number {
    return this.#used;
  }

  get bytes(): number {
    return this.#cells.byteLength;
  }

  /** The position of the first entry with this hash, or -1. */
  first(hash: number): number {
    return this.#seek(hash, hash & (this.capacity - 1));
  }

  /** The position of the next entry with this hash after `position`, or -1. */
  next(hash: number, position: number): number {
    return this.#seek(hash, (position + 1) & (this.capacity - 1));
  }

  hashAt(position: number): number {
    return this.#cells[position * 2]!;
  }

  /** The id at `position`; -1 where there is none. */
  idAt(position: number): number {
    return this.#cells[position * 2 + 1]! - 1;
  }

  /** There must be an empty slot. */
  insert(hash: number, id: number): void {
    const cells = this.#cells;
    const mask = this.capacity - 1;
    let position = hash & mask;
    while (cells[position * 2 + 1] !== 0) position = (position + 1) & mask;
    cells[position * 2] = hash;
    cells[position * 2 + 1] = id + 1;
    this.#used++;
  }

  /** Whether the entry was here; it no longer is. */
  remove(hash: number, id: number): boolean {
    for (let position = this.first(hash); position >= 0; position = this.next(hash, position)) {
      if (this.idAt(position) === id) {
        this.#closeGap(position);
        return true;
      }
    }
    return false;
  }

  /** Empties a slot as it is: entries that were pushed past it are no longer found. */
  clear(position: number): void {
    this.#cells[position * 2 + 1] = 0;
    this.#used--;
  }

  #seek(hash: number, from: number): number {
    const cells = this.#cells;
    const mask = this.capacity - 1;
    for (let position = from; cells[position * 2 + 1] !== 0; position = (position + 1) & mask) {
      if (cells[position * 2] === hash) return position;
    }
    return -1;
  }

  /** Moves back each entry of the cluster that may lie nearer its home, until the gap is at its end. */
  #closeGap(gap: number): void {
    const cells = this.#cells;
    const mask = this.capacity - 1;
    let position = (gap + 1) & mask;
    while (cells[position * 2 + 1] !== 0) {
      const home = cells[position * 2]! & mask;
      // The gap lies between the entry's home and the entry, going round.
      if (((position - home) & mask) >= ((position - gap) & mask)) {
        cells[gap * 2] = cells[position * 2]!;
        cells[gap * 2 + 1] = cells[position * 2 + 1]!;
        gap = position;
      }
      position = (position + 1) & mask;
    }
    this.clear(gap);
  }
}

export class FlowIndex {
  #young = new Slots(SLOTS_MIN);
  #old: Slots | undefined;
  /** The next slot of the old table to move. Always the first of a cluster or empty. */
  #cursor = 0;

  /** Where new entries go: probe it first. */
  get young(): Slots {
    return this.#young;
  }

  /** The table being emptied: probe it too. */
  get old(): Slots | undefined {
    return this.#old;
  }

  get size(): number {
    return this.#young.used + (this.#old?.used ?? 0);
  }

  get bytes(): number {
    return this.#young.bytes + (this.#old?.bytes ?? 0);
  }

  insert(hash: number, id: number): void {
    this.migrate(MIGRATION_STEP);
    if (this.size * 4 >= this.#young.capacity * 3) this.#grow();
    this.#young.insert(hash, id);
  }

  /** Whether there was such an entry. */
  remove(hash: number, id: number): boolean {
    this.migrate(MIGRATION_STEP);
    return this.#young.remove(hash, id) || (this.#old?.remove(hash, id) ?? false);
  }

  /** Moves `budget` slots, and the rest of the cluster, if the index is growing. */
  migrate(budget: number): void {
    const old = this.#old;
    if (old === undefined) return;
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
    this.#old = undefined;
  }

  #grow(): void {
    const old = this.#young;
    this.#old = old;
    this.#young = new Slots(old.capacity * 2);
    this.#cursor = 0;
    while (old.idAt(this.#cursor) >= 0) this.#cursor++;
  }
}
