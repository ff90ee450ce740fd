/**
 * Memory for connections: records of 128 bytes in chunks that are allocated when needed and never moved.
 *
 * Freed records are used again, the last one first, because it is the likeliest to be in the cache. Chunks stay.
 */
import { BitSet } from "./bit-set.ts";

/** Records in a chunk, as a power of two: 8 MiB, of which the system provides the pages that are used. */
const CHUNK_SHIFT = 16;
const CHUNK_MASK = (1 << CHUNK_SHIFT) - 1;
/** 32-bit words in a record, as a power of two. */
const RECORD_SHIFT = 5;

/** More would not fit in memory by far: 2 GiB of records. */
export const RECORDS_MAX = 1 << 24;

const NONE = -1;

export class RecordStore {
  readonly #limit: number;
  readonly #words: Int32Array[] = [];
  readonly #doubles: Float64Array[] = [];
  readonly #used: BitSet;
  #size = 0;
  /** Records that were ever used: the next fresh one. */
  #fresh = 0;
  /** The first of the freed records, which are linked by their first word. */
  #freed = NONE;

  constructor(limit: number) {
    if (!Number.isInteger(limit) || limit < 1 || limit > RECORDS_MAX) {
      throw new RangeError(
        `Cannot hold ${limit} connections: expected an integer from 1 to ${RECORDS_MAX}`,
      );
    }
    this.#limit = limit;
    this.#used = new BitSet(limit);
  }

  get limit(): number {
    return this.#limit;
  }

  get size(): number {
    return this.#size;
  }

  get bytes(): number {
    return this.#words.reduce((sum, { byteLength }) => sum + byteLength, this.#used.bytes);
  }

  has(id: number): boolean {
    return id >= 0 && this.#used.has(id);
  }

  /** The least id in use that is above `after`, or -1. */
  next(after: number): number {
    return this.#used.next(after + 1);
  }

  /** A record whose words are anything, or -1 when all are in use. */
  allocate(): number {
    if (this.#size === this.#limit) return NONE;
    let id = this.#freed;
    if (id === NONE) {
      id = this.#fresh++;
      if ((id & CHUNK_MASK) === 0) this.#addChunk();
    } else {
      this.#freed = this.get(id, 0);
    }
    this.#used.add(id);
    this.#size++;
    return id;
  }

  free(id: number): void {
    this.set(id, 0, this.#freed);
    this.#freed = id;
    this.#used.delete(id);
    this.#size--;
  }

  /** The chunk with the record's words; the record begins at `offset(id)`. */
  chunk(id: number): Int32Array {
    return this.#words[id >>> CHUNK_SHIFT]!;
  }

  offset(id: number): number {
    return (id & CHUNK_MASK) << RECORD_SHIFT;
  }

  get(id: number, field: number): number {
    return this.#words[id >>> CHUNK_SHIFT]![((id & CHUNK_MASK) << RECORD_SHIFT) + field]!;
  }

  set(id: number, field: number, value: number): void {
    this.#words[id >>> CHUNK_SHIFT]![((id & CHUNK_MASK) << RECORD_SHIFT) + field] = value;
  }

  getDouble(id: number, field: number): number {
    return this.#doubles[id >>> CHUNK_SHIFT]![(((id & CHUNK_MASK) << RECORD_SHIFT) + field) >>> 1]!;
  }

  setDouble(id: number, field: number, value: number): void {
    this.#doubles[id >>> CHUNK_SHIFT]![(((id & CHUNK_MASK) << RECORD_SHIFT) + field) >>> 1] = value;
  }

  #addChunk(): void {
    const records = Math.min(this.#limit - this.#fresh + 1, CHUNK_MASK + 1);
    const words = new Int32Array(records << RECORD_SHIFT);
    this.#words.push(words);
    this.#doubles.push(new Float64Array(words.buffer));
  }
}
