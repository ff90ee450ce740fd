/**
 * Memory for connections: records of 128 bytes, all reserved at the beginning.
 *
 * The system provides memory page by page when it is first written, so a limit that is not reached costs little. And
 * nothing is allocated later, which would make the garbage collector pause the packets. Freed records are used again,
 * the last one first, because it is the likeliest to be in the cache.
 *
 * The memory may be older than the process (table-memory.ts). What lies there is inherited: neither in use nor free
 * until somebody takes each record over or gives it up. A process may have ended at any point of its work; so a record
 * holds something only while its commit mark is true, which is written last and taken away first.
 */
import { BitSet } from "./bit-set.ts";
import { FIELD, KIND } from "./connection-record.ts";
import { CONNECTION_FLAG, FIXED_FLAGS } from "./flow.ts";
import { END, RECORD_BYTES, RECORD_SHIFT, type TableMemory } from "./table-memory.ts";

/** More would not fit in memory by far: 2 GiB of records. */
const RECORDS_MAX = 1 << 24;

const NONE = -1;

/** The fields that stay as they are from commit() to withdraw(). */
const FIXED = [
  ...range(FIELD.client, FIELD.ports + 1),
  ...range(FIELD.destination, FIELD.mark + 1),
  FIELD.destinationKey,
  FIELD.destinationKey + 1,
];
/** What of `kind` stays: the protocol, the family and what decides how the connection is found. */
const FIXED_KIND = (0xff << KIND.protocolShift) | KIND.inet6 | FIXED_FLAGS;

export class RecordStore {
  /** All records' words. A record's begin at `offset(id)`; connection-record.ts says what they are. */
  readonly words: Int32Array;
  readonly #memory: TableMemory;
  readonly #doubles: Float64Array;
  readonly #used: BitSet;
  readonly #limit: number;
  /** Those of an earlier process about which nothing was decided yet. */
  readonly #inherited: BitSet;
  #size = 0;
  /** How many records were ever used; the next fresh one. */
  #fresh: number;
  /** For how many records there is memory. */
  #room: number;
  /** The first of the freed records, which are linked by their first word. */
  #freed = NONE;

  constructor(limit: number, memory: TableMemory) {
    this.#limit = limit;
    this.#memory = memory;
    this.words = memory.words;
    this.#doubles = new Float64Array(
      memory.words.buffer,
      memory.words.byteOffset,
      memory.words.length >>> 1,
    );
    this.#used = new BitSet(limit);
    this.#fresh = memory.ends[END.records]!;
    this.#room = this.#fresh;
    this.#inherited = new BitSet(this.#fresh);
    this.#inherited.fill(this.#fresh);
  }

  get limit(): number {
    return this.#limit;
  }

  get size(): number {
    return this.#size;
  }

  /** Memory that was written. */
  get bytes(): number {
    return this.#fresh * RECORD_BYTES + this.#used.bytes + this.#inherited.bytes;
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

  /** A record whose words are anything, to be committed; or -1 when all are in use. */
  allocate(): number {
    let id = this.#freed;
    if (id === NONE) {
      if (this.#fresh === this.#room && !this.#makeRoom()) return NONE;
      id = this.#fresh++;
      Atomics.store(this.#memory.ends, END.records, this.#fresh);
    } else {
      this.#freed = this.get(id, 0);
    }
    this.#used.add(id);
    this.#size++;
    return id;
  }

  /** The record is withdrawn. */
  free(id: number): void {
    this.#link(id);
    this.#used.delete(id);
    this.#size--;
  }

  /** From now on the record outlives the process, where its memory does. */
  commit(id: number): void {
    Atomics.store(this.words, this.offset(id) + FIELD.commit, this.#markOf(id));
  }

  /** Before it is freed, or changed where it is FIXED. */
  withdraw(id: number): void {
    Atomics.store(this.words, this.offset(id) + FIELD.commit, 0);
  }

  isCommitted(id: number): boolean {
    const mark = this.get(id, FIELD.commit);
    return mark !== 0 && mark === this.#markOf(id);
  }

  /** The least inherited id above `after`, or -1. */
  nextInherited(after: number): number {
    return this.#inherited.next(after + 1);
  }

  /** Puts an inherited record to use as it is. */
  takeOver(id: number): void {
    this.#inherited.delete(id);
    this.#used.add(id);
    this.#size++;
  }

  /** Frees an inherited record. */
  giveUp(id: number): void {
    this.#inherited.delete(id);
    this.withdraw(id);
    this.#link(id);
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

  #makeRoom(): boolean {
    if (this.#fresh === this.#limit) return false;
    this.#room = Math.min(this.#memory.room(this.#fresh + 1), this.#limit);
    return this.#fresh < this.#room;
  }

  #link(id: number): void {
    this.set(id, 0, this.#freed);
    this.#freed = id;
  }

  /** Never 0. Not against anybody: it tells a whole record from one that was being written. */
  #markOf(id: number): number {
    const { words } = this;
    const at = this.offset(id);
    const kind = words[at + FIELD.kind]! & FIXED_KIND;
    let mark = (kind & CONNECTION_FLAG.data) === 0 ? kind : kind ^ words[at + FIELD.data]!;
    for (let index = 0; index < FIXED.length; index++) {
      mark = Math.imul((mark << 5) | (mark >>> 27), 0x9e3779b1) ^ words[at + FIXED[index]!]!;
    }
    return Math.imul(mark, 0x85ebca6b) | 1;
  }
}

/** Throws a RangeError when no table can have this limit. */
export function checkLimit(limit: number): void {
  if (Number.isInteger(limit) && limit >= 1 && limit <= RECORDS_MAX) return;
  throw new RangeError(
    `Cannot hold ${limit} connections: expected an integer from 1 to ${RECORDS_MAX}`,
  );
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, index) => from + index);
}
