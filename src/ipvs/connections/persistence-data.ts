/**
 * What persistence engines know templates by (a Call-ID, the kernel's pe_data), kept where no garbage collector looks.
 *
 * In slots of 256 bytes, the first of which is the length. Memory is taken a chunk at a time, as templates need it.
 */

const SLOT_SHIFT = 8;
const CHUNK_SHIFT = 12;
const CHUNK_SLOTS = 1 << CHUNK_SHIFT;

export class PersistenceData {
  readonly #chunks: Uint8Array[] = [];
  readonly #freed: number[] = [];
  #fresh = 0;

  /** Memory that was reserved. */
  get bytes(): number {
    return this.#chunks.length << (CHUNK_SHIFT + SLOT_SHIFT);
  }

  /** The slot that now holds these bytes, 255 at most. */
  keep(bytes: Uint8Array, start: number, length: number): number {
    const slot = this.#freed.pop() ?? this.#fresh++;
    if (slot >>> CHUNK_SHIFT === this.#chunks.length) {
      this.#chunks.push(new Uint8Array(CHUNK_SLOTS << SLOT_SHIFT));
    }
    const chunk = this.#chunkOf(slot);
    const at = offsetOf(slot);
    chunk[at] = length;
    for (let index = 0; index < length; index++) chunk[at + 1 + index] = bytes[start + index]!;
    return slot;
  }

  release(slot: number): void {
    this.#freed.push(slot);
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

  /** A character for each byte. */
  text(slot: number): string {
    const chunk = this.#chunkOf(slot);
    const at = offsetOf(slot);
    return String.fromCharCode(...chunk.subarray(at + 1, at + 1 + chunk[at]!));
  }

  #chunkOf(slot: number): Uint8Array {
    return this.#chunks[slot >>> CHUNK_SHIFT]!;
  }
}

function offsetOf(slot: number): number {
  return (slot & (CHUNK_SLOTS - 1)) << SLOT_SHIFT;
}
