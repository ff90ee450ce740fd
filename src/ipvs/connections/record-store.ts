/**
 * Memory for connections: records of 128 bytes, all reserved at the beginning.
 *
 * The system provides memory page by page when it is first written, so a limit that is not reached costs little. And
 * nothing is allocated later, which would make the garbage collector pause the packets. Freed records are used again,
 * the last one first, because it is the likeliest to be in the cache.
 */
import { BitSet } from "./bit-set.ts";

/** 32-bit words in a record, as a power of two. */
const RECORD_SHIFT = 5;
const RECORD_BYTES = 4 << RECORD_SHIFT;

/** More would not fit in memory by far: 2 GiB of records. */
const RECORDS_MAX = 1 << 24;

const NONE = -1;

export class RecordStore {
  /** All records' words. A record's begin at `offset(id)`; connection-record.ts says what they are. */
  readonly words: Int32Array;
  readonly #doubles: Float64Array;
  readonly #used: BitSet;
  readonly #limit: number;
  #size = 0;
  /** How many records were ever used; the next fresh one. */
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
    this.words = new Int32Array(limit << RECORD_SHIFT);
    this.#doubles = new Float64Array(this.words.buffer);
    this.#used = new BitSet(limit);
  }

  get limit(): number {
    return this.#limit;
  }

  get size(): number {
    return this.#size;
  }

  /** Memory that was written. */
  get bytes(): number {
    return this.#fresh * RECORD_BYTES + this.#used.bytes;
  }

  /** Every id that was ever used is below. */
  get end(): number {
    return this.#fresh;
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
    if (id === NONE) id = this.#fresh++;
    else this.#freed = this.get(id, 0);
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

  offset(id: number): number {
    return id << RECORD_SHIFT;
  }

  get(id: number, field: number): number {
    return this.words[(id << RECORD_SHIFT) + field]!;
  }

  set(id: number, field: number, value: number): void {
    this.words[(id << RECORD_SHIFT) + field] = value;
  }

  /** `field` is even. */
  getDouble(id: number, field: number): number {
    return this.#doubles[((id << RECORD_SHIFT) + field) >>> 1]!;
  }

  setDouble(id: number, field: number, value: number): void {
    this.#doubles[((id << RECORD_SHIFT) + field) >>> 1] = value;
  }
}
