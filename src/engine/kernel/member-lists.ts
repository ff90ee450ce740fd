/** Memory for lists of destinations, which the programs read: regions of a power of two of words, used again. */
import type { Memory } from "../host/system/libc.ts";
import { MEMBERS_MAX } from "./kernel-maps.ts";

const SMALLEST = 8;

export class MemberLists {
  readonly #words: Uint32Array;
  /** By size. */
  readonly #free = new Map<number, number[]>();
  #end = 0;

  constructor(memory: Memory) {
    this.#words = new Uint32Array(memory.bytes.buffer);
  }

  /** Lists that lie there already: the room between them is free. */
  reserve(lists: readonly { readonly first: number; readonly count: number }[]): void {
    for (const { first, count } of lists.toSorted((one, other) => one.first - other.first)) {
      if (first >= this.#end) this.#freeBetween(this.#end, first);
      this.#end = Math.max(this.#end, first + sizeOf(count));
    }
  }

  /** Writes a list, and where it begins; undefined when there is no room. */
  write(members: readonly number[]): number | undefined {
    const size = sizeOf(members.length);
    const freed = this.#free.get(size)?.pop();
    if (freed === undefined && this.#end + size > MEMBERS_MAX) return undefined;
    const first = freed ?? this.#end;
    if (freed === undefined) this.#end += size;
    this.#words.set(members, first);
    return first;
  }

  /** Whether a list of so many members has a place. */
  hasRoom(count: number): boolean {
    const size = sizeOf(count);
    return (this.#free.get(size)?.length ?? 0) > 0 || this.#end + size <= MEMBERS_MAX;
  }

  #freeBetween(from: number, to: number): void {
    for (let at = from; to - at >= SMALLEST; ) {
      let size = SMALLEST;
      while (size * 2 <= to - at) size *= 2;
      this.free(at, size);
      at += size;
    }
  }

  /** Of a list of so many members. */
  free(first: number, count: number): void {
    const size = sizeOf(count);
    const others = this.#free.get(size);
    if (others === undefined) this.#free.set(size, [first]);
    else others.push(first);
  }
}

function sizeOf(count: number): number {
  let size = SMALLEST;
  while (size < count) size *= 2;
  return size;
}
