import { expect, test } from "vitest";
import { candidates, request, type TestCandidate } from "../../../test/builders.ts";
import { prng } from "../../base/prng.ts";
import { DEFAULT_SYSCTLS } from "../desired/sysctls.ts";
import { lblcr } from "./lblcr.ts";

const OPTIONS = {
  fallback: false,
  port: false,
  prng: prng(1),
  sysctls: () => ({ ...DEFAULT_SYSCTLS, lblcr_expiration: 100 }),
};

/** An address whose set is made of the first two: the first got saturated. A third is idle but too light to have time. */
function setOfTwo() {
  const scheduler = lblcr<TestCandidate>(OPTIONS);
  const list = candidates("w9 0/0, w9 0/0, w9 9/0");
  const [first, second, third] = list as [TestCandidate, TestCandidate, TestCandidate];
  const pick = (now = 0) => scheduler.pick(request({ now }), list);
  expect(pick()).toBe(first);
  first.activeConnections = 10;
  expect(pick()).toBe(second);
  return { first, second, third, pick };
}

test("the least loaded of the set serves, though others are less loaded", () => {
  const { first, second, third, pick } = setOfTwo();
  first.activeConnections = 6;
  second.activeConnections = 7;
  third.activeConnections = 5;
  expect(pick()).toBe(first);
});

test("the set grows when its least loaded is saturated and another has time", () => {
  const { first, second, third, pick } = setOfTwo();
  first.activeConnections = 11;
  second.activeConnections = 10;
  third.activeConnections = 4;
  expect(pick()).toBe(third);
});

const losses: [why: string, facts: Partial<TestCandidate>][] = [
  ["drained", { weight: 0 }],
  ["removed", { isAvailable: false }],
  ["overloaded", { isOverloaded: true }],
];

test.for(losses)("a %s member does not serve", ([, facts]) => {
  const { first, second, pick } = setOfTwo();
  first.activeConnections = 0;
  Object.assign(first, facts);
  expect(pick()).toBe(second);
});

test("a set that did not change for long gives its most loaded member up", () => {
  const { first, second, third, pick } = setOfTwo();
  first.activeConnections = 5;
  second.activeConnections = 6;
  third.activeConnections = 4;
  expect(pick(100_000)).toBe(first);
  // The second is still a member at 100 s, and given up at the first pick after them.
  second.activeConnections = 4;
  expect(pick(100_000)).toBe(second);
  second.activeConnections = 6;
  expect(pick(100_001)).toBe(first);
  second.activeConnections = 0;
  expect(pick(100_002)).toBe(first);
});
