import { expect, test } from "vitest";
import { candidates, request, type TestCandidate } from "../../../test/builders.ts";
import { prng } from "../../base/prng.ts";
import { DEFAULT_SYSCTLS } from "../desired/sysctls.ts";
import { lblc } from "./lblc.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
const MINUTE_MS = 60_000;

/** A service of three whose first is the cached one for 192.0.2.1, the second then less loaded. */
function cachedFirst() {
  const scheduler = lblc<TestCandidate>({
    fallback: false,
    port: false,
    prng: prng(1),
    sysctls: () => DEFAULT_SYSCTLS,
  });
  const list = candidates("w9 0/0, w9 0/0, w9 5/0");
  const [first, second] = list as [TestCandidate, TestCandidate];
  const pick = (destination: string, now = 0) =>
    scheduler.pick(request({ destination, now }), list);
  expect(pick("192.0.2.1")).toBe(first);
  first.activeConnections = 4;
  return { scheduler, first, second, pick };
}

test("an address keeps its server, and others go to the least loaded", () => {
  const { first, second, pick } = cachedFirst();
  expect(pick("192.0.2.1")).toBe(first);
  expect(pick("192.0.2.2")).toBe(second);
});

const losses: [why: string, facts: Partial<TestCandidate>, isKept: boolean][] = [
  ["is drained", { weight: 0 }, false],
  ["was removed", { isAvailable: false }, false],
  [
    "has more active connections than its weight, and others have time",
    { activeConnections: 10 },
    false,
  ],
  ["has as many active connections as its weight", { activeConnections: 9 }, true],
  ["reached its upper threshold", { isOverloaded: true }, true],
];

test.for(losses)("a server that %s: kept?", ([, facts, isKept]) => {
  const { first, second, pick } = cachedFirst();
  Object.assign(first, facts);
  expect(pick("192.0.2.1")).toBe(isKept ? first : second);
});

test("a saturated server is kept while no other has time", () => {
  const { first, second, pick } = cachedFirst();
  first.activeConnections = 10;
  second.activeConnections = 5;
  expect(pick("192.0.2.1")).toBe(first);
  second.activeConnections = 4;
  expect(pick("192.0.2.1")).toBe(second);
});

test("a removed server that comes back keeps its addresses", () => {
  const { first, pick } = cachedFirst();
  first.isAvailable = false;
  first.isAvailable = true;
  expect(pick("192.0.2.1")).toBe(first);
});

test("an address that nobody asked for in a day is forgotten", () => {
  const { scheduler, first, second, pick } = cachedFirst();
  const tickUntil = (end: number, begin = 0) => {
    for (let now = begin; now <= end; now += MINUTE_MS) scheduler.tick?.(now);
  };
  tickUntil(DAY_MS - MINUTE_MS);
  expect(pick("192.0.2.1", DAY_MS - MINUTE_MS)).toBe(first);
  tickUntil(2 * DAY_MS + 31 * MINUTE_MS, DAY_MS);
  expect(pick("192.0.2.1", 2 * DAY_MS + 31 * MINUTE_MS)).toBe(second);
});
