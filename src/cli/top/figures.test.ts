import { expect, test } from "vitest";
import { brief, count } from "./figures.ts";

// biome-ignore format: a table
const FIGURES: readonly [value: number, text: string][] = [
  [0, "0"], [7, "7"], [0.4, "0.4"], [3.95, "4.0"], [9.96, "10"], [999, "999"], [999.6, "1.0k"],
  [1_000, "1.0k"], [1_234, "1.2k"], [99_950, "100k"], [999_499, "999k"], [1_048_576, "1.0M"],
  [12_345_678_901, "12G"], [1e15, "1.0P"], [1e19, "10000P"],
];

test.for(FIGURES)("%d is %s", ([value, text]) => {
  expect(brief(value)).toBe(text);
});

test("what is counted is exact as long as there is room", () => {
  expect(count(99_999)).toBe("99999");
  expect(count(100_000)).toBe("100k");
});
