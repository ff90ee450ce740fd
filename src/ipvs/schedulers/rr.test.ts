import { expect, test } from "vitest";
import { request } from "../../../test/builders.ts";
import { SchedulingTable } from "../../../test/scheduling-table.ts";

function tableOf3(): SchedulingTable {
  const table = new SchedulingTable("rr");
  for (const part of [21, 22, 23]) table.add(`10.1.0.${part}`);
  return table;
}

function open(table: SchedulingTable, times: number): string {
  return Array.from({ length: times }, () => table.open(request())).join(" ");
}

// 23 and 22 had their turn when the change comes.
const changes: [what: string, change: (table: SchedulingTable) => void, then: string][] = [
  ["nothing happens", () => {}, "21 23 22 21"],
  ["one is added at the head", (table) => table.add("10.1.0.24"), "21 24 23 22"],
  ["the last picked is removed", (table) => table.remove("10.1.0.22"), "21 23 21 23"],
  ["the next is removed", (table) => table.remove("10.1.0.21"), "23 22 23 22"],
  ["the one before is removed", (table) => table.remove("10.1.0.23"), "21 22 21 22"],
  ["the next is drained", (table) => table.setWeight("10.1.0.21", 0), "23 22 23 22"],
  ["the last picked is drained", (table) => table.setWeight("10.1.0.22", 0), "21 23 21 23"],
  ["a weight changes", (table) => table.setWeight("10.1.0.23", 9), "21 23 22 21"],
];

test.for(changes)("rr goes on after the last picked when %s", ([, change, then]) => {
  const table = tableOf3();
  expect(open(table, 2)).toBe("23 22");
  change(table);
  expect(open(table, 4)).toBe(then);
});

test("rr starts at the head again when the first of the list was picked and removed", () => {
  const table = tableOf3();
  expect(open(table, 1)).toBe("23");
  table.remove("10.1.0.23");
  expect(open(table, 3)).toBe("22 21 22");
});
