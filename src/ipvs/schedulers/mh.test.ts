import { expect, test } from "vitest";
import { request } from "../../../test/builders.ts";
import { type SchedulingFlags, SchedulingTable } from "../../../test/scheduling-table.ts";

function tableOf(servers: number, flags: SchedulingFlags = {}): SchedulingTable {
  const table = new SchedulingTable("mh", flags);
  for (let index = 1; index <= servers; index++) table.add(`10.1.0.${index}`);
  return table;
}

function picks(table: SchedulingTable): string[] {
  return Array.from({ length: 1000 }, (_, index) =>
    table.open(request({ client: `10.9.${index >> 8}.${index & 0xff}` })),
  );
}

function moved(before: string[], after: string[], from: string): number {
  return before.filter((pick, index) => pick !== from && pick !== after[index]).length;
}

test("a removed server moves few clients of the others", () => {
  const table = tableOf(10);
  const before = picks(table);
  table.remove("10.1.0.4");
  const after = picks(table);
  expect(after).not.toContain("4");
  expect(moved(before, after, "4")).toBeLessThan(50);
});

test("a drained server moves nobody, and refuses its clients", () => {
  const table = tableOf(10);
  const before = picks(table);
  table.setWeight("10.1.0.4", 0);
  const after = picks(table);
  expect(after).toEqual(before.map((pick) => (pick === "4" ? "-" : pick)));
});

test("fallback finds others for a drained server's clients", () => {
  const table = tableOf(10, { fallback: true });
  const before = picks(table);
  table.setWeight("10.1.0.4", 0);
  const after = picks(table);
  expect(moved(before, after, "4")).toBe(0);
  expect(after).not.toContain("4");
  expect(after).not.toContain("-");
});

test("shares go by weight, however large the weights are", () => {
  const table = new SchedulingTable("mh");
  table.add("10.1.0.1", { weight: 500_000_000 });
  table.add("10.1.0.2", { weight: 1_500_000_000 });
  const share = picks(table).filter((pick) => pick === "1").length;
  expect(share).toBeGreaterThan(200);
  expect(share).toBeLessThan(300);
});

test("a server that never had a weight gets no slot", () => {
  const table = new SchedulingTable("mh");
  table.add("10.1.0.1", { weight: 0 });
  expect(table.open(request())).toBe("-");
  table.add("10.1.0.2", { weight: 1 });
  expect(new Set(picks(table))).toEqual(new Set(["2"]));
});
