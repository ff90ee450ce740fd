import { expect, test } from "vitest";
import { probePorts } from "./path-range.ts";

const ranges: [why: string, ephemeral: string, first: number, last: number][] = [
  ["the default leaves what is above it", "32768\t60999\n", 61_000, 65_535],
  ["one that goes further leaves less", "32768\t62000\n", 62_001, 65_535],
  ["one that goes to the end leaves what is below it", "32768\t65535\n", 28_232, 32_767],
  ["one that begins early leaves what others may have", "2100\t65535\n", 1024, 2099],
  ["one that has all leaves nothing better", "1024\t65535\n", 61_000, 65_535],
  ["none that can be read is none", "", 61_000, 65_535],
];

test.for(ranges)("%s", ([, ephemeral, first, last]) => {
  expect(probePorts(ephemeral)).toEqual({ first, last });
});
