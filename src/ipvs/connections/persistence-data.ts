/**
 * What persistence engines know templates by (a Call-ID, the kernel's pe_data), kept where no garbage collector looks.
 *
 * In slots of 256 bytes, the first of which is the length. Memory is taken a chunk at a time, as templates need it.
 */
import type { Flow } from "./flow.ts";
import { CHUNK_BYTES, CHUNK_SHIFT, END, SLOT_SHIFT, type TableMemory } from "./table-memory.ts";

const CHUNK_SLOTS = 1 << CHUNK_SHIFT;
const NONE = -1;

export class PersistenceData {
  readonly #memory: TableMemory;
  readonly #chunks: Uint8Array[] = [];
  readonly #freed: number[] = [];
  /** Of an earlier process's slots those that a template has claimed; until settle(), the others are nobody's. */
  readonly #claimed = new Set<number>();
  readonly #inherited: number;
  #fresh: number;

  constructor(memory: TableMemory) {
    this.#memory = memory;
    this.#fresh = this.#inherited = memory.ends[END.slots]!;
  }

  /** Memory that was reserved. */
  get bytes(): number {
    return this.#chunks.length * CHUNK_BYTES;
  }

  /** The slot that now holds these bytes, 255 at most; or -1 when there is no memory for it. */
  keep(bytes: Uint8Array, start: number, length: number): number {
    const slot = this.#freed.pop() ?? this.#allocate();
    if (slot === NONE) return slot;
    const chunk = this.#chunkOf(slot);
    const at = offsetOf(slot);
    chunk[at] = length;
    for (let index = 0; index < length; index++) chunk[at + 1 + index] = bytes[start + index]!;
    return slot;
  }

  release(slot: number): void {
    this.#freed.push(slot);
  }

  /** Of an earlier process: whether the slot holds anything, and nobody else claimed it. */
  claim(slot: number): boolean {
    if (slot < 0 || slot >= this.#inherited || this.#claimed.has(slot)) return false;
    while (slot >>> CHUNK_SHIFT >= this.#chunks.length) if (!this.#addChunk()) return false;
    if (this.#chunkOf(slot)[offsetOf(slot)] === 0) return false;
    this.#claimed.add(slot);
    return true;
  }

  /** Frees those of an earlier process's slots that nobody claimed. */
  settle(): void {
    for (let slot = 0; slot < this.#inherited; slot++) {
      if (this.#claimed.has(slot)) continue;
      while (slot >>> CHUNK_SHIFT >= this.#chunks.length) if (!this.#addChunk()) return;
      this.#freed.push(slot);
    }
    this.#claimed.clear();
  }

  equals(slot: number, bytes: Uint8Array, start: number, length: number): boolean {
    const chunk = this.#chunkOf(slot);
    const at = offsetOf(slot);
    if (chunk[at] !== length) return false;
    for (let index = 0; index < length; index++) {
      if (chunk[at + 1 + index] !== bytes[start + index]) return false;
    }
    return true;
  }

  /** Has `flow` tell where the slot's bytes lie. */
  read(slot: number, flow: Flow): void {
    flow.dataBytes = this.#chunkOf(slot);
    flow.dataStart = offsetOf(slot) + 1;
    flow.dataLength = flow.dataBytes[offsetOf(slot)]!;
  }

  /** A character for each byte. */
  text(slot: number): string {
    const chunk = this.#chunkOf(slot);
    const at = offsetOf(slot);
    return String.fromCharCode(...chunk.subarray(at + 1, at + 1 + chunk[at]!));
  }

  #allocate(): number {
    while (this.#fresh >>> CHUNK_SHIFT >= this.#chunks.length) if (!this.#addChunk()) return NONE;
    const slot = this.#fresh++;
    Atomics.store(this.#memory.ends, END.slots, this.#fresh);
    return slot;
  }

  #addChunk(): boolean {
    const chunk = this.#memory.chunk(this.#chunks.length);
    if (chunk !== undefined) this.#chunks.push(chunk);
    return chunk !== undefined;
  }

  #chunkOf(slot: number): Uint8Array {
    return this.#chunks[slot >>> CHUNK_SHIFT]!;
  }
}

function offsetOf(slot: number): number {
  return (slot & (CHUNK_SLOTS - 1)) << SLOT_SHIFT;
}
