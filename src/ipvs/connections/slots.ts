/** A hash table of {hash, id} with linear probing; flow-index.ts says what for. */
export class Slots {
  /** Two columns, interleaved: hash, id + 1. 0 in the latter is an empty slot. */
  readonly #cells: Int32Array;
  #capacity = 0;
  #used = 0;

  /** Reserves memory for up to `capacityMax` slots. */
  constructor(capacityMax: number) {
    this.#cells = new Int32Array(capacityMax * 2);
  }

  get capacity(): number {
    return this.#capacity;
  }

  /** A power of two. Only an empty table may change it. */
  set capacity(capacity: number) {
    this.#capacity = capacity;
  }

  get used(): number {
    return this.#used;
  }

  get bytes(): number {
    return this.#capacity * 8;
  }

  /** The position of the first entry with this hash, or -1. */
  first(hash: number): number {
    return this.#seek(hash, hash & (this.#capacity - 1));
  }

  /** The position of the next entry with this hash after `position`, or -1. */
  next(hash: number, position: number): number {
    return this.#seek(hash, (position + 1) & (this.#capacity - 1));
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
    const mask = this.#capacity - 1;
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
    const mask = this.#capacity - 1;
    for (let position = from; cells[position * 2 + 1] !== 0; position = (position + 1) & mask) {
      if (cells[position * 2] === hash) return position;
    }
    return -1;
  }

  /** Moves back each entry of the cluster that may lie nearer its home, until the gap is at its end. */
  #closeGap(gap: number): void {
    const cells = this.#cells;
    const mask = this.#capacity - 1;
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
