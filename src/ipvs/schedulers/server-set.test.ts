import { expect, test } from "vitest";
import { candidate, candidates } from "../../../test/builders.ts";
import { ServerSet } from "./server-set.ts";

// Added from the left to the right.
const cases: [why: string, loads: string, givenUp: number][] = [
  ["the most loaded", "w1 1/0, w1 3/0, w1 2/0", 1],
  ["the most loaded for its weight", "w1 2/0, w9 3/0", 0],
  ["the newest of equals", "w1 2/0, w1 2/0", 1],
  ["an overloaded one too", "w1 2/0!, w1 1/0", 0],
  ["no drained one", "w0 9/0, w1 1/0, w1 0/0", 1],
];

test.for(cases)("gives up %s", ([, loads, givenUp]) => {
  const list = candidates(loads);
  const set = new ServerSet(list[0]!, 0);
  for (const each of list) set.add(each, list.length, 0);
  set.giveUpMostLoaded(7);
  expect([set.size, set.lastChange]).toEqual([list.length - 1, 7]);
  // Adding tells who is missing: members are not added twice.
  const missing = list.findIndex((each) => {
    const before = set.size;
    set.add(each, list.length, 8);
    return set.size > before;
  });
  expect(missing).toBe(givenUp);
});

test("keeps its last server, and all when all are drained", () => {
  const [first, second] = candidates("w0 9/0, w0 1/0");
  const set = new ServerSet(first!, 0);
  set.giveUpMostLoaded(7);
  expect([set.size, set.lastChange]).toEqual([1, 0]);
  set.add(second!, 2, 3);
  set.giveUpMostLoaded(7);
  expect([set.size, set.lastChange]).toEqual([2, 3]);
});

test("keeps a removed server that may come back", () => {
  const [first, second, third] = candidates("w1 2/0, w1 1/0, w1 0/0");
  const set = new ServerSet(first!, 0);
  set.add(second!, 2, 0);
  first!.isAvailable = second!.isAvailable = false;
  set.add(third!, 1, 0);
  expect([set.size, set.leastLoaded()]).toEqual([3, third]);
  second!.isAvailable = true;
  third!.weight = 0;
  expect(set.leastLoaded()).toBe(second);
});

test("stays small where servers come and go", () => {
  const set = new ServerSet(candidate(), 0);
  for (let count = 0; count < 2000; count++) {
    const server = candidate();
    set.add(server, 3, 0);
    server.isAvailable = false;
  }
  expect(set.size).toBeLessThanOrEqual(3 + 256);
});
