import { expect, test } from "vitest";
import { formatPeriod, millisecondsOf, PERIOD } from "./period.ts";

// biome-ignore format: a table
const periods: [period: string | number, ms: number, shown: string | number][] = [
  ["500ms",  500,       "500ms"],
  ["1500ms", 1_500,     "1500ms"],
  ["90s",    90_000,    "90s"],
  ["120s",   120_000,   "2m"],
  ["1d",     86_400_000, "1d"],
  [2,        2_000,     "2s"],
  [0.25,     250,       "250ms"],
  [0,        0,         0],
];

test.for(periods)("millisecondsOf(%j) is %d, shown as %j", ([period, ms, shown]) => {
  expect(millisecondsOf(period)).toBe(ms);
  expect(formatPeriod(ms)).toBe(shown);
});

test.for(["", "0s", "5", "1.5s", "5 s", "s", "-1s", "1w"])("%j is no period", (text) => {
  expect(PERIOD.test(text)).toBe(false);
});
