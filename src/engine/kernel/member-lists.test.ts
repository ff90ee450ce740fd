import { expect, test } from "vitest";
import { MEMBERS_MAX } from "./kernel-maps.ts";
import { MemberLists, sizeOf } from "./member-lists.ts";

function lists(): { readonly lists: MemberLists; readonly words: Uint32Array } {
  const bytes = new Uint8Array(MEMBERS_MAX * 4);
  return { lists: new MemberLists({ bytes }), words: new Uint32Array(bytes.buffer) };
}

const EMPTY = 0x1_ffff;

test("a list is followed by nobody up to a power of two", () => {
  const { lists: all, words } = lists();
  const list = all.write([5, 6, 7], 0, undefined)!;
  expect(list).toMatchObject({ size: 4, count: 3 });
  expect([...words.subarray(list.first, list.first + 4)]).toEqual([5, 6, 7, EMPTY]);
  expect(all.isOf(list, [5, 6, 7])).toBe(true);
  expect(all.isOf(list, [5, 6])).toBe(false);
});

test("a list that lies where another was has another tag", () => {
  const { lists: all } = lists();
  const one = all.write([1], 0, undefined)!;
  all.free(one);
  const other = all.write([1], 0, undefined)!;
  expect(other.first).toBe(one.first);
  expect(other.tag).not.toBe(one.tag);
});

test("where all is full a list is written over the one before, and no other one", () => {
  const { lists: all, words } = lists();
  const before = all.write([1, 2, 3], 8, undefined)!;
  while (all.write([], 4_096, undefined)!.size === 4_096);
  while (all.hasRoom(1)) all.write([], 0, undefined);
  const after = all.write([4, 5, 6, 7, 8], 0, before)!;
  expect(after).toMatchObject({ first: before.first, size: 8, count: 5 });
  expect([...words.subarray(after.first, after.first + 8)]).toEqual([
    4,
    5,
    6,
    7,
    8,
    EMPTY,
    EMPTY,
    EMPTY,
  ]);
  expect(all.write([1, 2, 3, 4, 5, 6, 7, 8, 9], 0, before)).toBeUndefined();
  expect(all.write([1], 0, undefined)).toBeUndefined();
});

test("what an earlier process used is nobody else's", () => {
  const { lists: all } = lists();
  all.reserve([
    { first: 8, size: 8 },
    { first: 0, size: 2 },
  ]);
  const found = [all.write([1, 2], 0, undefined), all.write([1, 2, 3, 4], 0, undefined)];
  expect(found.map((each) => each?.first)).toEqual([6, 2]);
  expect(all.write([1, 2], 0, undefined)?.first).toBe(16);
});

test.for([
  [0, 2],
  [2, 2],
  [3, 4],
  [4_093, 4_096],
] as const)("a list of %i has room for %i", ([count, size]) => {
  expect(sizeOf(count)).toBe(size);
});
