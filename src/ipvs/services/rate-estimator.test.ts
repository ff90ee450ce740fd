import fc from "fast-check";
import { expect, test } from "vitest";
import { RateEstimator } from "./rate-estimator.ts";

const scales: [what: string, scale: number, shift: bigint][] = [
  ["events", RateEstimator.EVENTS, 9n],
  ["bytes", RateEstimator.BYTES, 4n],
];

test.for(scales)("%s are estimated as in 64-bit integers", ([, scale, shift]) => {
  const increments = fc.array(
    fc.oneof(fc.nat(9), fc.nat(2 ** 31 - 1), fc.maxSafeNat().map(shrink)),
  );
  fc.assert(
    fc.property(increments, (increments) => {
      const estimator = new RateEstimator(scale);
      let value = 0;
      let average = 0n;
      for (const increment of increments) {
        value += increment;
        estimator.update(value);
        // ip_vs_est.c: rate = delta << 9 (or 4), average += (rate - average) >> 2.
        average += ((BigInt(increment) << shift) - average) >> 2n;
        const perSecond = (average + (1n << shift) - 1n) >> (shift + 1n);
        expect(BigInt(estimator.perSecond)).toBe(perSecond);
      }
    }),
    { seed: 7 },
  );
});

/** Up to 2^40: what 4 Tbit/s bring in 2 s. */
function shrink(value: number): number {
  return Math.floor(value / 2 ** 13);
}

test("10 Gbit/s are shown as 1.25 GB/s, and counted beyond 32 bits", () => {
  const estimator = new RateEstimator(RateEstimator.BYTES);
  for (let round = 1; round <= 100; round++) estimator.update(round * 2_500_000_000);
  expect(estimator.perSecond).toBe(1_250_000_000);
  expect(estimator.count).toBe(250_000_000_000);
});
