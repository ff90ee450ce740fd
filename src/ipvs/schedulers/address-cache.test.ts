import { expect, test } from "vitest";
import { AddressCache } from "./address-cache.ts";

const MINUTE_MS = 60_000;

function fill(cache: AddressCache<{ lastUse: number }>, count: number, lastUse = 0): void {
  const begin = cache.size;
  for (let index = begin; index < begin + count; index++) cache.add(`${index}`, { lastUse });
}

/** Ticks each second from `begin` to `end`, both in minutes, without the beginning. */
function run(cache: AddressCache<{ lastUse: number }>, begin: number, end: number): void {
  for (let now = begin * MINUTE_MS + 1000; now <= end * MINUTE_MS; now += 1000) cache.tick(now);
}

test("refuses entries beyond its limit, and counts them", () => {
  const cache = new AddressCache(() => 86_400);
  fill(cache, 24_576);
  cache.add("one more", { lastUse: 0 });
  cache.add("0", { lastUse: 5 });
  expect(cache.size).toBe(24_576);
  expect(cache.uncached).toBe(1);
  expect(cache.use("one more", 0)).toBeUndefined();
  expect(cache.use("0", 0)).toBeDefined();
});

test("every thirtieth minute forgets what was not used for the expiration", () => {
  let expiration = 86_400;
  const cache = new AddressCache(() => expiration);
  cache.tick(0);
  fill(cache, 10);
  cache.use("3", 10 * MINUTE_MS + 1);
  run(cache, 0, 29);
  expect(cache.size).toBe(10);
  expiration = 20 * 60;
  run(cache, 29, 30);
  expect(cache.size).toBe(1);
  run(cache, 30, 59);
  expect(cache.size).toBe(1);
  run(cache, 59, 60);
  expect(cache.size).toBe(0);
});

test("when crowded forgets what was idle for 6 minutes, four for three too many", () => {
  const cache = new AddressCache(() => 86_400);
  cache.tick(0);
  fill(cache, 16_384 + 300);
  run(cache, 0, 5);
  expect(cache.size).toBe(16_384 + 300);
  cache.use("0", 5 * MINUTE_MS);
  run(cache, 5, 6);
  expect(cache.size).toBe(16_384 - 100);
  expect(cache.use("0", 6 * MINUTE_MS)).toBeDefined();
  expect(cache.use("1", 6 * MINUTE_MS)).toBeUndefined();
});

test("when full forgets no more than 8192 in a minute", () => {
  const cache = new AddressCache(() => 86_400);
  cache.tick(0);
  fill(cache, 24_576);
  run(cache, 0, 6);
  expect(cache.size).toBe(16_384);
  run(cache, 6, 7);
  expect(cache.size).toBe(16_384);
});
