import { expect, test } from "vitest";
import type { Instant } from "../../base/clock.ts";
import { prng } from "../../base/prng.ts";
import { Flow } from "../connections/flow.ts";
import { AnsweredOpening } from "../packets/opening.ts";
import { SecondTries } from "./second-tries.ts";

const flow = new Flow();
const opening = new AnsweredOpening();

function from(client: number, port: number): AnsweredOpening {
  flow.client3 = client;
  flow.clientPort = port;
  flow.virtualPort = 80;
  return opening.fill(flow, 0);
}

test("a second try is known a second and three later, and not for ever", () => {
  const tries = new SecondTries(7);
  expect(tries.isSecond(from(1, 1000), 0 as Instant)).toBe(false);
  expect(tries.isSecond(from(1, 1000), 1_000 as Instant)).toBe(true);
  expect(tries.isSecond(from(1, 1000), 3_000 as Instant)).toBe(true);
  expect(tries.isSecond(from(1, 1001), 3_000 as Instant)).toBe(false);
  expect(tries.isSecond(from(1, 1000), 20_000 as Instant)).toBe(false);
});

test("it is known at least four seconds, whenever it came", () => {
  for (let at = 0; at < 10_000; at += 250) {
    const tries = new SecondTries(at);
    tries.isSecond(from(9, 9), 0 as Instant);
    tries.isSecond(from(1, 1000), at as Instant);
    expect(tries.isSecond(from(1, 1000), (at + 3_999) as Instant)).toBe(true);
  }
});

test("of a flood's first tries few look like second ones", () => {
  const tries = new SecondTries(7);
  const random = prng(1);
  let seconds = 0;
  for (let each = 0; each < 100_000; each++) {
    const isSecond = tries.isSecond(from(random.next(), random.below(65_536)), 1 as Instant);
    if (isSecond) seconds++;
  }
  expect(seconds).toBeLessThan(10_000);
});
