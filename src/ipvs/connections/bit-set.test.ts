import { expect, test } from "vitest";
import { prng } from "../../base/prng.ts";
import { BitSet } from "./bit-set.ts";

test("next() walks through the members in order", () => {
  const set = new BitSet(100);
  for (const value of [0, 31, 32, 63, 64, 99]) set.add(value);
  set.delete(63);
  const seen: number[] = [];
  for (let value = set.next(0); value >= 0; value = set.next(value + 1)) seen.push(value);
  expect(seen).toEqual([0, 31, 32, 64, 99]);
});

const ends: [why: string, from: number][] = [
  ["behind the last member", 8],
  ["at the capacity", 64],
  ["past it", 1000],
];

test.for(ends)("next() finds nothing %s", ([, from]) => {
  const set = new BitSet(64);
  set.add(7);
  expect(set.next(from)).toBe(-1);
});

test("agrees with a Set under random changes", () => {
  const random = prng(5);
  const set = new BitSet(77);
  const model = new Set<number>();
  for (let step = 0; step < 2_000; step++) {
    const value = random.below(77);
    if (random.below(2) === 0) {
      set.add(value);
      model.add(value);
    } else {
      set.delete(value);
      model.delete(value);
    }
    const from = random.below(77);
    const least = [...model].filter((member) => member >= from).sort((a, b) => a - b)[0];
    expect(set.has(value)).toBe(model.has(value));
    expect(set.next(from)).toBe(least ?? -1);
  }
});
