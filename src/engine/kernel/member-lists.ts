/**
 * Memory for lists of destinations, which the programs read: regions of a power of two of words, used again. What is left of one
 * behind its list's end is filled with EMPTY, which stands for nobody.
 */
import { randomInt } from "node:crypto";
import type { Memory } from "../host/system/libc.ts";
import { MEMBERS_MAX } from "./kernel-maps.ts";

/** A match has two sides. */
const SMALLEST = 2;
/** EMPTY_MEMBER in bpf/abi/. */
const EMPTY = 0x1_ffff;
/** Of 15 bits, none of them 0. */
const TAGS = 0x7fff;

export interface Region {
  readonly first: number;
  /** A power of two. */
  readonly size: number;
}

export interface MemberList extends Region {
  readonly count: number;
  /** Tells it from those that lay there before. */
  readonly tag: number;
}

export class MemberLists {
  readonly #words: Uint32Array;
  /** By size. */
  readonly #free = new Map<number, number[]>();
  #end = 0;
  #tag = randomInt(TAGS);

  constructor(memory: Pick<Memory, "bytes">) {
    this.#words = new Uint32Array(memory.bytes.buffer, memory.bytes.byteOffset, MEMBERS_MAX);
  }

  /** Lists that lie there already: the room between them is free. */
  reserve(lists: readonly Region[]): void {
    for (const { first, size } of lists.toSorted((one, other) => one.first - other.first)) {
      if (first >= this.#end) this.#freeBetween(this.#end, first);
      this.#end = Math.max(this.#end, first + size);
    }
  }

  /**
   * Writes a list, with room for `least` members at least, and where it lies. Where there is no other room it is written over
   * `before`, if it has room for it; undefined when there is none at all.
   */
  write(
    members: readonly number[],
    least: number,
    before: Region | undefined,
  ): MemberList | undefined {
    const region =
      this.#take(sizeOf(Math.max(members.length, least))) ?? this.#take(sizeOf(members.length));
    const used =
      region ?? (before !== undefined && before.size >= members.length ? before : undefined);
    if (used === undefined) return undefined;
    this.#words.set(members, used.first);
    this.#words.fill(EMPTY, used.first + members.length, used.first + used.size);
    this.#tag = (this.#tag + 1) % TAGS;
    return { first: used.first, size: used.size, count: members.length, tag: this.#tag + 1 };
  }

  /** What stands at a place. */
  at({ first }: Region, place: number): number {
    return this.#words[first + place]!;
  }

  /** Whether a list says the same as these. */
  isOf(list: MemberList, members: readonly number[]): boolean {
    return (
      list.count === members.length &&
      members.every((member, place) => member === this.at(list, place))
    );
  }

  /** Whether a list of so many members has a place. */
  hasRoom(count: number): boolean {
    const size = sizeOf(count);
    return (this.#free.get(size)?.length ?? 0) > 0 || this.#end + size <= MEMBERS_MAX;
  }

  free({ first, size }: Region): void {
    const others = this.#free.get(size);
    if (others === undefined) this.#free.set(size, [first]);
    else others.push(first);
  }

  #take(size: number): Region | undefined {
    const freed = this.#free.get(size)?.pop();
    if (freed !== undefined) return { first: freed, size };
    if (this.#end + size > MEMBERS_MAX) return undefined;
    const first = this.#end;
    this.#end += size;
    return { first, size };
  }

  #freeBetween(from: number, to: number): void {
    for (let at = from; to - at >= SMALLEST; ) {
      let size = SMALLEST;
      while (size * 2 <= to - at) size *= 2;
      this.free({ first: at, size });
      at += size;
    }
  }
}

/** How large the region of a list of so many members is. */
export function sizeOf(count: number): number {
  let size = SMALLEST;
  while (size < count) size *= 2;
  return size;
}
