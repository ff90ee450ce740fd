import { afterEach, expect, test } from "vitest";
import { StrandedError } from "../engine/host/system/network-namespace.ts";
import { LastResort } from "./last-resort.ts";

const told: unknown[] = [];
const ended: unknown[] = [];
let now = 0;
let resort: LastResort | undefined;

function open(): LastResort {
  told.length = 0;
  ended.length = 0;
  resort = new LastResort({
    tell: (error) => told.push(error),
    end: (error) => ended.push(error),
    now: () => now,
  });
  resort.isServing = true;
  return resort;
}

afterEach(() => resort?.[Symbol.dispose]());

test("a fault is told once, with its stack, and nothing ends", () => {
  const tested = open();
  const faults = ["one", "other"].map((text) => new Error(text));
  for (let times = 0; times < 3; times++) for (const fault of faults) tested.fault(fault);
  expect(told).toEqual(faults);
  expect(ended).toEqual([]);
});

test("what nobody caught comes here, promises too", async () => {
  open();
  const before = process.listenerCount("uncaughtException");
  process.emit("uncaughtException", new Error("lost"));
  expect(told.map(String)).toContain("Error: lost");
  resort![Symbol.dispose]();
  expect(process.listenerCount("uncaughtException")).toBe(before - 1);
});

test("faults without end, end it; some each second do not", () => {
  const tested = open();
  for (let times = 0; times < 5_000; times++, now += 20) tested.fault(new Error("again"));
  expect(ended).toEqual([]);
  for (let times = 0; times < 2_000; times++) tested.fault(new Error("and again"));
  expect(ended.length).toBeGreaterThan(0);
});

test("before it serves, and while it ends, a fault ends it", () => {
  const tested = open();
  tested.isServing = false;
  tested.fault(new Error("early"));
  expect(ended.map(String)).toEqual(["Error: early"]);
});

test("a thread in a strange network namespace ends it", () => {
  const fault = new StrandedError("Cannot return", { cause: undefined });
  open().fault(fault);
  expect(ended).toEqual([fault]);
});
