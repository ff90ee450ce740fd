import { expect, test } from "vitest";
import { short, timeSpan } from "./numbers.ts";

const numbers: [value: number, text: string][] = [
  [0, "0"],
  [7, "7"],
  [7.256, "7.26"],
  [42.06, "42.1"],
  [999, "999"],
  [999.7, "1.00k"],
  [1_234, "1.23k"],
  [12_340_000, "12.3M"],
];

test.each(numbers)("%d is written %s", (value, text) => expect(short(value)).toBe(text));

const spans: [seconds: number, text: string][] = [
  [0, "0 s"],
  [12.7, "12 s"],
  [3_600, "1 h"],
  [3_725, "1 h 2 min"],
  [100_000, "1 d 3 h"],
];

test.each(spans)("%d seconds are %s", (seconds, text) => expect(timeSpan(seconds)).toBe(text));
