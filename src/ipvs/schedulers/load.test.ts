import fc from "fast-check";
import { expect, test } from "vitest";
import { candidates, request, type TestCandidate } from "../../../test/builders.ts";
import { prng } from "../../base/prng.ts";
import { DEFAULT_SYSCTLS } from "../desired/sysctls.ts";
import { SCHEDULERS, type SchedulerName } from "./index.ts";
import { isLess } from "./load.ts";

// biome-ignore format: a table
const cases: [why: string, scheduler: SchedulerName, loads: string, winner: number][] = [
  ["the least loaded, at equal weights",           "wlc", "w1 3/0, w1 2/0, w1 4/0",        1],
  ["the heavier, at equal loads",                  "wlc", "w1 2/0, w3 2/0",                1],
  ["the first of a tie",                           "wlc", "w2 4/0, w1 2/0",                0],
  ["256 inactive connections over 1 active",       "wlc", "w1 1/0, w1 0/256",              1],
  ["the first of 1 active and 257 inactive",       "wlc", "w1 1/0, w1 0/257",              0],
  ["1 active connection over 258 inactive",        "wlc", "w1 0/258, w1 1/0",              1],
  ["between weights of 2^31 by one connection",    "wlc", "w2147483647 9000001/0, w2147483647 9000000/0", 1],
  ["the least loaded, whatever the weights",       "lc",  "w9 3/0, w1 2/0, w5 2/1",        1],
  ["the first of a tie",                           "lc",  "w1 2/0, w9 2/0",                0],
  ["by active connections and the new one",        "sed", "w1 0/0, w3 1/0",                1],
  ["without a look at inactive ones",              "sed", "w1 0/900, w1 1/0",              0],
  ["the first of a tie",                           "sed", "w1 0/0, w2 1/0",                0],
  ["the first idle one before a faster",           "nq",  "w9 1/0, w1 0/5, w2 0/0",        1],
  ["as sed when none is idle",                     "nq",  "w1 1/0, w3 1/0",                1],
  ["no idle one that is drained or overloaded",    "nq",  "w0 0/0, w1 0/0!, w1 7/0",       2],
  ["the heaviest, however loaded",                 "fo",  "w1 0/0, w3 99/0, w2 0/0",       1],
  ["the first of equals",                          "fo",  "w3 9/0, w3 0/0",                0],
  ["the next when the heaviest is overloaded",     "fo",  "w1 0/0, w3 0/0!, w2 0/0",       2],
  ["the heaviest while it has its weight active",  "ovf", "w1 0/0, w3 3/0",                1],
  ["the next when it has more",                    "ovf", "w1 0/0, w3 4/0, w2 0/0",        2],
];

test.for(cases)("%s by %s", ([, scheduler, loads, winner]) => {
  const list = candidates(loads);
  const create = SCHEDULERS[scheduler];
  const instance = create<TestCandidate>({
    fallback: false,
    port: false,
    prng: prng(1),
    sysctls: () => DEFAULT_SYSCTLS,
  });
  const picked = instance.pick(request(), list);
  expect(list.indexOf(picked!)).toBe(winner);
});

test("isLess() is exact for loads and weights of 31 bits and more", () => {
  const load = fc.nat(2 ** 40);
  const weight = fc.integer({ min: 1, max: 2 ** 31 - 1 });
  const nearby = fc.integer({ min: -1, max: 1 });
  fc.assert(
    fc.property(load, weight, weight, nearby, (load, weight, otherWeight, difference) => {
      // Near a tie, where rounding could turn the answer round.
      const tie = Number((BigInt(load) * BigInt(otherWeight)) / BigInt(weight));
      const otherLoad = Math.max(0, tie + difference);
      const expected = BigInt(load) * BigInt(otherWeight) < BigInt(otherLoad) * BigInt(weight);
      expect(isLess(load, weight, otherLoad, otherWeight)).toBe(expected);
    }),
    { seed: 7 },
  );
});
