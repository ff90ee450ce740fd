/** A set of small integers that finds its next member by looking at 32 of them at a time. */
export class BitSet {
  readonly #words: Int32Array;

  /** For the integers from 0 to `capacity` - 1. */
  constructor(capacity: number) {
    this.#words = new Int32Array((capacity + 31) >>> 5);
  }

  get bytes(): number {
    return this.#words.byteLength;
  }

  has(value: number): boolean {
    return ((this.#words[value >>> 5] ?? 0) & (1 << (value & 31))) !== 0;
  }

  add(value: number): void {
    this.#words[value >>> 5]! |= 1 << (value & 31);
  }

  delete(value: number): void {
    this.#words[value >>> 5]! &= ~(1 << (value & 31));
  }

  /** Adds the integers from 0 to `end` - 1. */
  fill(end: number): void {
    this.#words.fill(-1, 0, end >>> 5);
    if ((end & 31) !== 0) this.#words[end >>> 5]! |= ~(-1 << (end & 31));
  }

  /** The least member that is `from` or more, or -1. */
  next(from: number): number {
    const words = this.#words;
    let index = from >>> 5;
    if (index >= words.length) return -1;
    let word = words[index]! & (-1 << (from & 31));
    while (word === 0) {
      if (++index === words.length) return -1;
      word = words[index]!;
    }
    return (index << 5) + 31 - Math.clz32(word & -word);
  }
}
