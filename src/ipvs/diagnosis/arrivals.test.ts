import { expect, test } from "vitest";
import { address } from "../../../test/builders.ts";
import type { Port } from "../../net/port.ts";
import { Arrivals } from "./arrivals.ts";

const KEY = {
  kind: "endpoint",
  protocol: "tcp",
  endpoint: { address: address("10.0.0.1"), port: 80 as Port },
} as const;

// biome-ignore format: a table
const cases: [what: string, looks: [arrived: number, taken: number][], vanished: number][] = [
  ["nothing came",                             [],                                     0],
  ["all came through",                         [[5, 5], [9, 9], [20, 20]],             0],
  ["two came and none got through",            [[2, 0], [2, 0]],                       0],
  ["some came, none got through, one look",    [[5, 0]],                               0],
  ["some came, none got through",              [[5, 0], [7, 0]],                       7],
  ["it began while some got through",          [[5, 5], [9, 5], [12, 5]],              7],
  ["one of many clients is kept out",          [[5, 2], [9, 4], [15, 6]],              0],
  ["it is over",                               [[5, 0], [7, 0], [9, 1], [9, 1]],       0],
  ["counts were forgotten, and all is well",   [[50, 9], [59, 9], [4, 4], [5, 5]],     0],
  ["counts were forgotten, and it goes on",    [[50, 0], [59, 0], [4, 0], [6, 0]],     6],
];

test.for(cases)("%s", ([, looks, vanished]) => {
  const arrivals = new Arrivals();
  for (const [arrived, taken] of looks) {
    arrivals.note(new Map([["tcp 10.0.0.1 80", { arrived, taken, fromHere: 0 }]]));
  }
  expect(arrivals.vanished(KEY)).toBe(vanished);
});

test("a client of the host's own is remembered as long as it was seen lately", () => {
  const arrivals = new Arrivals();
  arrivals.note(new Map([["tcp 10.0.0.1 80", { arrived: 1, taken: 1, fromHere: 1 }]]));
  expect(arrivals.comesFromHere(KEY)).toBe(true);
  arrivals.note(new Map());
  expect(arrivals.comesFromHere(KEY)).toBe(false);
});
