import { expect, test } from "vitest";
import { candidates, request, type TestCandidate } from "../../../test/builders.ts";
import { prng } from "../../base/prng.ts";
import { DEFAULT_SYSCTLS } from "../desired/sysctls.ts";
import { twos } from "./twos.ts";

/** How often each candidate is picked of `times`, its load staying what it is. */
function count(loads: string, times: number): number[] {
  const list = candidates(loads);
  const scheduler = twos<TestCandidate>({
    fallback: false,
    port: false,
    prng: prng(1),
    sysctls: () => DEFAULT_SYSCTLS,
  });
  const counts = list.map(() => 0);
  for (let index = 0; index < times; index++) {
    counts[list.indexOf(scheduler.pick(request(), list)!)]!++;
  }
  return counts;
}

test("of two idle ones each is drawn by its weight", () => {
  const [light, heavy] = count("w100 0/0, w300 0/0", 4000) as [number, number];
  expect(light / heavy).toBeCloseTo(1 / 3, 1);
});

test("the loaded one is picked only when drawn twice", () => {
  const [loaded, idle] = count("w100 9/0, w100 0/0", 4000) as [number, number];
  expect(loaded / idle).toBeCloseTo(1 / 3, 1);
});

test("weights that sum up to more than 2^32 are drawn fairly", () => {
  const counts = count("w2147483647 0/0, w2147483647 0/0, w2147483647 0/0", 3000);
  for (const each of counts) expect(each / 1000).toBeCloseTo(1, 1);
});
