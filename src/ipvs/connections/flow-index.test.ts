import { strict as assert } from "node:assert";
import { expect, test } from "vitest";
import { prng } from "../../base/prng.ts";
import { FlowIndex } from "./flow-index.ts";
import type { Slots } from "./slots.ts";

function idsIn(slots: Slots | undefined, hash: number): number[] {
  const ids: number[] = [];
  if (slots === undefined) return ids;
  for (let position = slots.first(hash); position >= 0; position = slots.next(hash, position)) {
    ids.push(slots.idAt(position));
  }
  return ids;
}

function ids(index: FlowIndex, hash: number): number[] {
  return [...idsIn(index.young, hash), ...idsIn(index.old, hash)].sort((a, b) => a - b);
}

/** Runs one world from its seed: hashes that collide wholly, in their low bits, or hardly, at growing sizes. */
function simulate(seed: number): void {
  const random = prng(seed);
  const hashes = random.of([1, 40, 5_000]);
  const spread = random.of([1, 64, 0x9e3779b1]);
  const grows = random.of([5, 6, 9]);
  const index = new FlowIndex(4_000);
  const model = new Map<number, number>();
  const hashOf = (id: number): number => Math.imul(id % hashes, spread);
  // A single cluster makes every look-up slow, so such a world is smaller.
  const idBound = hashes === 1 ? 300 : 4_000;

  for (let step = 0; step < 3_000; step++) {
    const id = random.below(idBound);
    const hash = hashOf(id);
    if (random.below(10) < grows && !model.has(id)) {
      index.insert(hash, id);
      model.set(id, hash);
    } else {
      assert.equal(index.remove(hash, id), model.delete(id), `step ${step}: remove ${id}`);
    }
    if (random.below(8) === 0) index.migrate(random.below(20));
    assert.equal(index.size, model.size, `step ${step}: size`);
    const probe = random.below(idBound);
    assert.equal(
      ids(index, hashOf(probe)).includes(probe),
      model.has(probe),
      `step ${step}: ${probe}`,
    );
  }
  for (const [id, hash] of model) assert.ok(ids(index, hash).includes(id), `at the end: ${id}`);
}

test.for(Array.from({ length: 30 }, (_, seed) => seed))(
  "the index agrees with a Map, seed %i",
  (seed) => {
    simulate(seed);
  },
);

test("an entry may be in twice and goes once at a time", () => {
  const index = new FlowIndex(2);
  index.insert(7, 1);
  index.insert(7, 1);
  expect(ids(index, 7)).toEqual([1, 1]);
  expect([index.remove(7, 1), index.remove(7, 1), index.remove(7, 1)]).toEqual([true, true, false]);
});

test.for([1, 48, 49, 96, 97, 5_000])(
  "an index for %i entries takes them all, and again after emptying",
  (limit) => {
    const index = new FlowIndex(limit);
    for (let turn = 0; turn < 2; turn++) {
      for (let id = 0; id < limit; id++) index.insert(Math.imul(id, 0x9e3779b1), id);
      for (let id = 0; id < limit; id++)
        expect(ids(index, Math.imul(id, 0x9e3779b1))).toEqual([id]);
      for (let id = 0; id < limit; id++) index.remove(Math.imul(id, 0x9e3779b1), id);
      expect(index.size).toBe(0);
    }
  },
);

test("entries of the same hash are found in the order in which they came, however the index grows", () => {
  const index = new FlowIndex(10_000);
  for (let id = 0; id < 1_000; id++) {
    index.insert(Math.imul(id % 500, 0x9e3779b1), id);
    if (id < 500) continue;
    const hash = Math.imul(id - 500, 0x9e3779b1);
    expect([...idsIn(index.young, hash), ...idsIn(index.old, hash)]).toEqual([id - 500, id]);
  }
  for (let id = 1_000; id < 3_000; id++) index.insert(Math.imul(id, 0x9e3779b1), id);
  for (let id = 0; id < 500; id++) {
    const hash = Math.imul(id, 0x9e3779b1);
    expect([...idsIn(index.young, hash), ...idsIn(index.old, hash)]).toEqual([id, id + 500]);
  }
});

test("growing moves a bounded number of slots with each insertion", () => {
  const index = new FlowIndex(100_000);
  let before = 0;
  for (let id = 0; id < 100_000; id++) {
    const oldUsed = index.old?.used ?? 0;
    index.insert(Math.imul(id, 0x9e3779b1), id);
    // Sixteen slots and the rest of a cluster; a new old table begins whole.
    if (index.old !== undefined && before > 0) expect(oldUsed - index.old.used).toBeLessThan(200);
    before = index.old?.used ?? 0;
  }
  expect(index.size).toBe(100_000);
});

test("maintenance alone finishes a growth", () => {
  const index = new FlowIndex(100_000);
  for (let id = 0; index.old === undefined || id < 5_000; id++)
    index.insert(Math.imul(id, 0x9e3779b1), id);
  for (let calls = 0; index.old !== undefined; calls++) {
    expect(calls).toBeLessThan(1_000);
    index.migrate(64);
  }
  expect(idsIn(index.young, Math.imul(4_999, 0x9e3779b1))).toEqual([4_999]);
});

test("one that expects entries holds them, up to its limit", () => {
  for (const limit of [1, 64, 1_000, 5_000]) {
    for (const expected of [0, 1, 500, limit].filter((each) => each <= limit)) {
      const index = new FlowIndex(limit);
      index.expect(expected);
      for (let id = 0; id < limit; id++) index.insert(Math.imul(id, 0x9e3779b1), id);
      expect(index.size).toBe(limit);
      for (let id = 0; id < limit; id++) {
        expect(index.remove(Math.imul(id, 0x9e3779b1), id)).toBe(true);
      }
    }
  }
});
