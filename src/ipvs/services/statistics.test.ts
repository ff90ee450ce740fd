import { expect, test } from "vitest";
import { Traffic } from "./statistics.ts";

/** Two seconds of `perSecond` packets each way, of `bytes` bytes. */
function run(traffic: Traffic, perSecond: number, bytes: number): void {
  for (let count = 0; count < 2 * perSecond; count++) {
    traffic.countConnection();
    traffic.countIn(bytes);
    traffic.countOut(2 * bytes);
  }
  traffic.estimate();
}

test("a rate steps up by a quarter of what is missing", () => {
  const traffic = new Traffic();
  const seen = Array.from({ length: 8 }, () => {
    run(traffic, 1000, 100);
    return traffic.rates.connectionsPerSecond;
  });
  expect(seen).toEqual([250, 437, 578, 684, 763, 822, 867, 900]);
});

test("a rate falls back to 0 the same way", () => {
  const traffic = new Traffic();
  for (let round = 0; round < 80; round++) run(traffic, 1000, 100);
  const seen = Array.from({ length: 4 }, () => {
    traffic.estimate();
    return traffic.rates.inBytesPerSecond;
  });
  expect(seen).toEqual([75_000, 56_250, 42_187, 31_641]);
  for (let round = 0; round < 80; round++) traffic.estimate();
  expect(Object.values(traffic.rates)).toEqual([0, 0, 0, 0, 0]);
});

test("a steady rate is shown as it is", () => {
  const traffic = new Traffic();
  for (let round = 0; round < 60; round++) run(traffic, 3, 40);
  expect(traffic.rates).toEqual({
    connectionsPerSecond: 3,
    inPacketsPerSecond: 3,
    outPacketsPerSecond: 3,
    inBytesPerSecond: 120,
    outBytesPerSecond: 240,
  });
});

test("counters are shown as of the last estimation", () => {
  const traffic = new Traffic();
  traffic.countConnection();
  traffic.countIn(60);
  traffic.countOut(1500);
  expect(Object.values(traffic.counters)).toEqual([0, 0, 0, 0, 0]);
  traffic.estimate();
  traffic.countIn(60);
  expect(traffic.counters).toEqual({
    connections: 1,
    inPackets: 1,
    outPackets: 1,
    inBytes: 60,
    outBytes: 1500,
  });
  expect(traffic.inPackets).toBe(2);
});

test("zero() restarts what is shown and nothing else", () => {
  const traffic = new Traffic();
  run(traffic, 1000, 100);
  traffic.zero();
  expect(Object.values(traffic.counters)).toEqual([0, 0, 0, 0, 0]);
  expect(Object.values(traffic.rates)).toEqual([0, 0, 0, 0, 0]);
  expect(traffic.connections).toBe(2000);

  run(traffic, 1000, 100);
  expect(traffic.counters.connections).toBe(2000);
  expect(traffic.rates.connectionsPerSecond).toBe(250);
});

test("zero() leaves what was not shown yet to the next estimation", () => {
  const traffic = new Traffic();
  traffic.estimate();
  traffic.countConnection();
  traffic.zero();
  expect(traffic.counters.connections).toBe(0);
  traffic.estimate();
  expect(traffic.counters.connections).toBe(1);
});

test("what is shown stands still while nobody estimates, and catches up", () => {
  const traffic = new Traffic();
  run(traffic, 100, 100);
  const { counters, rates } = traffic;
  for (let count = 0; count < 500; count++) traffic.countConnection();
  expect(traffic.counters).toEqual(counters);
  expect(traffic.rates).toEqual(rates);
  traffic.estimate();
  expect(traffic.counters.connections).toBe(700);
});
