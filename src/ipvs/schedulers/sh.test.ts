import { expect, test } from "vitest";
import { request } from "../../../test/builders.ts";
import { type SchedulingFlags, SchedulingTable } from "../../../test/scheduling-table.ts";

/** How often each of three is picked for 256 clients whose slots are all different: the first of the list first. */
function shares(weights: number[], flags: SchedulingFlags = {}): Record<string, number> {
  const table = new SchedulingTable("sh", flags);
  weights.forEach((weight, index) => {
    table.add(`10.1.0.${21 + index}`, { weight });
  });
  return count(table);
}

function count(table: SchedulingTable): Record<string, number> {
  const counts: Record<string, number> = {};
  for (let last = 0; last < 256; last++) {
    // GOLDEN_RATIO_32 is odd, so a step in the address's top byte goes through all slots.
    const picked = table.open(request({ client: `${last}.0.0.0` }));
    counts[picked] = (counts[picked] ?? 0) + 1;
  }
  return counts;
}

// biome-ignore format: a table
const cases: [why: string, weights: number[], shares: Record<string, number>][] = [
  ["go by weight",                          [1, 1, 2],     { 23: 128, 22: 64, 21: 64 }],
  ["include a drained one, which refuses",  [1, 0, 2],     { 23: 128, 21: 64, "-": 64 }],
  ["go to the first when it is heavy",      [1, 1, 65535], { 23: 256 }],
];

test.for(cases)("slots %s", ([, weights, expected]) => {
  expect(shares(weights)).toEqual(expected);
});

test("slots follow an edited weight", () => {
  const table = new SchedulingTable("sh");
  table.add("10.1.0.21");
  table.add("10.1.0.22");
  table.setWeight("10.1.0.21", 3);
  expect(count(table)).toEqual({ 22: 64, 21: 192 });
});

test("fallback leaves nobody out while one may take connections", () => {
  expect(shares([1, 0, 0], { fallback: true })).toEqual({ 21: 256 });
  expect(shares([0, 0, 0], { fallback: true })).toEqual({ "-": 256 });
});
