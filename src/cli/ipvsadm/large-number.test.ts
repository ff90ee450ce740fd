import { expect, test } from "vitest";
import { formatLargeNumber } from "./large-number.ts";

// biome-ignore format: a table
const numbers: [value: number, short: string, exact: string][] = [
  [0,                   "        0", "        0"],
  [99_999_999,          " 99999999", " 99999999"],
  [100_000_000,         "  100000K", " 100000000"],
  [999_999_999,         "  999999K", " 999999999"],
  [1_000_000_000,       "    1000M", " 1000000000"],
  [99_999_999_999,      "   99999M", " 99999999999"],
  [100_000_000_000,     "     100G", " 100000000000"],
  [99_999_999_999_999,  "   99999G", " 99999999999999"],
  [100_000_000_000_000, "     100T", " 100000000000000"],
];

test.for(numbers)("%d", ([value, short, exact]) => {
  expect(formatLargeNumber(value, false)).toBe(short);
  expect(formatLargeNumber(value, true)).toBe(exact);
});
