import { expect, test } from "vitest";
import { nearest } from "./nearest.ts";

const KNOWN = ["weight", "port", "address", "upperThreshold", "lowerThreshold", "vip"];

// biome-ignore format: a table
const cases: [word: string, meant: string | undefined][] = [
  ["wieght",          "weight"],
  ["weigth",          "weight"],
  ["Port",            "port"],
  ["adress",          "address"],
  ["upper_threshold", "upperThreshold"],
  ["vips",            "vip"],
  ["colour",          undefined],
  ["",                undefined],
];

test.for(cases)("%s means %s", ([word, meant]) => {
  expect(nearest(word, KNOWN)).toBe(meant);
});
