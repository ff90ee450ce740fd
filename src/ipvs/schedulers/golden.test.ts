/**
 * What the kernel's IPVS picked: sequences recorded on Linux 6.12.117. A destination is named by the last part of its
 * address; `x5` repeats the one before to five in a row; `-` is a refusal.
 */
import { expect, test } from "vitest";
import { request } from "../../../test/builders.ts";
import { SchedulingTable } from "../../../test/scheduling-table.ts";
import type { SchedulerName } from "./index.ts";

type Row = [scheduler: SchedulerName, protocol: "TCP" | "UDP", weights: string, picks: string];

// biome-ignore format: a table
const rows: Row[] = [
  ["rr",    "TCP", "1 1 1",    "23 22 21 23 22 21 23"],
  ["rr",    "TCP", "1 2 4",    "23 22 21 23 22 21 23"],
  ["rr",    "TCP", "1x3 1 1",  "23 22 21 23 22 21 23 22 21 23 22 23"],
  ["rr",    "TCP", "1x3 1x4 1x2", "23 22 21 23 22 21 22 21 22 - -"],
  ["wrr",   "TCP", "1 2 4",    "23 22 21 23 23 23 22 23 22 21 23 23 23 22 23 22"],
  ["wrr",   "TCP", "4 3 2",    "23 22 21 21 22 21 23 22 21 23 22 21 21 22 21 23 22 21"],
  ["wrr",   "TCP", "6 3 0",    "22 21 21 22 21 21 22 21 21"],
  ["wrr",   "TCP", "10 20 30", "23 22 21 23 23 22 23 22 21 23 23 22"],
  ["lc",    "TCP", "1 1 1",    "23 22 21 23 22 21 23"],
  ["lc",    "TCP", "1 2 4",    "23 22 21 23 22 21 23"],
  ["wlc",   "TCP", "1 2 4",    "23 22 21 23 23 22 23 23 22 21 23 23 22 23 23 22"],
  ["wlc",   "UDP", "1 2 4",    "23 22 21 23 23 22 23 23 22 21 23 23 22 23 23 22"],
  ["wlc",   "TCP", "0 2 3",    "23 22 23 22 23 23 22 23 22 23 23 22"],
  ["sed",   "TCP", "1 2 4",    "23 23 22 23 23 22 21 23 23 22 23 23 22 21 23 23"],
  ["sed",   "UDP", "1 2 4",    "23x9"],
  ["nq",    "TCP", "1 2 4",    "23 22 21 23 23 23 22 23 23 22 23 23 22 21 23 23"],
  ["lblc",  "TCP", "1 1 1",    "23 23 22 22 21 21 21 21 21"],
  ["lblc",  "TCP", "1 2 4",    "23x5 22x3 21x8"],
  ["lblcr", "TCP", "1 1 1",    "23 23 22 22 21 21 21 22 23"],
  ["lblcr", "TCP", "1 2 4",    "23x5 22x3 21 21 23 22 23 23 21 22"],
  ["fo",    "TCP", "1 2 4",    "23x9"],
  ["ovf",   "TCP", "1 2 4",    "23x5 22x3 21x2 - -"],
  ["ovf",   "TCP", "1 1 1",    "23 23 22 22 21 21 - -"],
];

test.for(rows)("%s %s %s picks %s", ([scheduler, protocol, weights, picks]) => {
  const expected = spell(picks);
  const table = new SchedulingTable(scheduler);
  weights.split(" ").forEach((text, index) => {
    const [weight, upperThreshold] = text.split("x").map(Number);
    table.add(`10.1.0.${21 + index}`, { weight: weight!, upperThreshold: upperThreshold ?? 0 });
  });
  expect(expected.map(() => table.open(request(), protocol))).toEqual(expected);
});

/** `"23x2 -"` as `["23", "23", "-"]`. */
function spell(picks: string): string[] {
  return picks.split(" ").flatMap((pick) => {
    const [name, times = "1"] = pick.split("x");
    return Array.from({ length: Number(times) }, () => name!);
  });
}
