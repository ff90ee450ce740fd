import { expect, test } from "vitest";
import { ManualClock } from "../../../base/clock.ts";
import { Address } from "../../../net/address.ts";
import type { KernelNeighbour } from "./neighbour-table.ts";
import { type NeighbourLimits, Neighbours } from "./neighbours.ts";

const ETH0 = 2;
const RIP = Address.parse("10.0.0.7")!;
const OTHER = Address.parse("10.0.0.8")!;
const MAC = Uint8Array.of(2, 0, 0, 0, 0, 7);
const NEW_MAC = Uint8Array.of(2, 0, 0, 0, 0, 8);

/** Neighbours with everything they do written down. */
function scene(limits: Partial<NeighbourLimits> = {}) {
  const clock = new ManualClock();
  const log: string[] = [];
  const kernel = new Map<string, KernelNeighbour>();
  const neighbours = new Neighbours<string>({
    clock,
    limits,
    known: (_, address) => kernel.get(address.toString()),
    ask: (_, address, mac) => log.push(`ask ${address.toString()}${mac ? ` of ${mac[5]}` : ""}`),
    send: (frame, _, mac) => log.push(`send ${frame} to ${mac[5]}`),
    undeliverable: (frame) => log.push(`undeliverable ${frame}`),
  });
  const wait = (ms: number) => {
    for (const end = clock.now() + ms; clock.now() < end; ) {
      clock.advance(Math.min(end, neighbours.nextDeadline()) - clock.now());
      neighbours.expire();
    }
  };
  const told = () => log.splice(0);
  return { clock, kernel, neighbours, wait, told };
}

test("frames wait for the answer and go in their order", () => {
  const { neighbours, told } = scene();
  expect(neighbours.find(ETH0, RIP)).toBeUndefined();
  neighbours.hold(ETH0, RIP, "a");
  neighbours.hold(ETH0, RIP, "b");
  neighbours.learn(ETH0, RIP, MAC);
  expect(told()).toEqual(["ask 10.0.0.7", "send a to 7", "send b to 7"]);
  expect(neighbours.find(ETH0, RIP)).toEqual(MAC);
  expect(told()).toEqual([]);
});

test("three questions without an answer, a second apart, make frames undeliverable", () => {
  const { neighbours, wait, told } = scene();
  neighbours.hold(ETH0, RIP, "a");
  wait(2_999);
  expect(told()).toEqual(["ask 10.0.0.7", "ask 10.0.0.7", "ask 10.0.0.7"]);
  wait(1);
  expect(told()).toEqual(["undeliverable a"]);
  neighbours.hold(ETH0, RIP, "b");
  expect(told()).toEqual(["ask 10.0.0.7"]);
});

test("an old answer is confirmed by asking its owner alone, while frames go on", () => {
  const { neighbours, wait, told } = scene();
  neighbours.hold(ETH0, RIP, "a");
  neighbours.learn(ETH0, RIP, MAC);
  told();
  wait(30_000);
  expect(told()).toEqual([]);
  expect(neighbours.find(ETH0, RIP)).toEqual(MAC);
  expect(told()).toEqual(["ask 10.0.0.7 of 7"]);
  neighbours.learn(ETH0, RIP, MAC);
  wait(10_000);
  expect(told()).toEqual([]);
  expect(neighbours.find(ETH0, RIP)).toEqual(MAC);
});

test("an answer that is not confirmed is forgotten", () => {
  const { neighbours, wait, told } = scene();
  neighbours.hold(ETH0, RIP, "a");
  neighbours.learn(ETH0, RIP, MAC);
  wait(30_000);
  neighbours.find(ETH0, RIP);
  told();
  wait(3_000);
  expect(told()).toEqual(["ask 10.0.0.7 of 7", "ask 10.0.0.7 of 7"]);
  expect(neighbours.find(ETH0, RIP)).toBeUndefined();
});

test("a neighbour that moved is followed", () => {
  const { neighbours } = scene();
  neighbours.hold(ETH0, RIP, "a");
  neighbours.learn(ETH0, RIP, MAC);
  neighbours.learn(ETH0, RIP, NEW_MAC);
  expect(neighbours.find(ETH0, RIP)).toEqual(NEW_MAC);
});

test("what nobody asked about is not learnt", () => {
  const { neighbours } = scene();
  neighbours.learn(ETH0, RIP, MAC);
  expect(neighbours.find(ETH0, RIP)).toBeUndefined();
  expect(neighbours.statistics().neighbours).toBe(0);
});

test.for(["permanent", "confirmed"] as const)(
  "a %s entry of the host's is used as it is",
  (certainty) => {
    const { kernel, neighbours, told } = scene();
    kernel.set("10.0.0.7", { mac: MAC, certainty });
    expect(neighbours.find(ETH0, RIP)).toEqual(MAC);
    expect(told()).toEqual([]);
  },
);

test("a stale entry of the host's is used and confirmed", () => {
  const { kernel, neighbours, told } = scene();
  kernel.set("10.0.0.7", { mac: MAC, certainty: "stale" });
  expect(neighbours.find(ETH0, RIP)).toEqual(MAC);
  expect(neighbours.find(ETH0, RIP)).toEqual(MAC);
  expect(told()).toEqual(["ask 10.0.0.7 of 7"]);
  neighbours.learn(ETH0, RIP, NEW_MAC);
  expect(neighbours.find(ETH0, RIP)).toEqual(NEW_MAC);
});

test("the oldest of too many frames for one neighbour is dropped", () => {
  const { neighbours, told } = scene({ framesPerNeighbour: 2 });
  for (const frame of ["a", "b", "c"]) neighbours.hold(ETH0, RIP, frame);
  neighbours.learn(ETH0, RIP, MAC);
  expect(told()).toEqual(["ask 10.0.0.7", "send b to 7", "send c to 7"]);
  expect(neighbours.statistics()).toEqual({
    neighbours: 1,
    waiting: 0,
    dropped: 1,
    undeliverable: 0,
  });
});

test("too many frames in all are dropped, too many neighbours undeliverable", () => {
  const { neighbours, told } = scene({ frames: 1, neighbours: 2 });
  neighbours.hold(ETH0, RIP, "a");
  neighbours.hold(ETH0, OTHER, "b");
  neighbours.hold(ETH0, Address.parse("10.0.0.9")!, "c");
  expect(told()).toEqual(["ask 10.0.0.7", "ask 10.0.0.8", "undeliverable c"]);
  expect(neighbours.statistics()).toEqual({
    neighbours: 2,
    waiting: 1,
    dropped: 1,
    undeliverable: 1,
  });
});

test("the same address on two interfaces is two neighbours", () => {
  const { neighbours } = scene();
  neighbours.hold(ETH0, RIP, "a");
  neighbours.hold(ETH0 + 1, RIP, "b");
  neighbours.learn(ETH0, RIP, MAC);
  expect(neighbours.find(ETH0, RIP)).toEqual(MAC);
  expect(neighbours.find(ETH0 + 1, RIP)).toBeUndefined();
});

test("what is not used is forgotten after ten minutes", () => {
  const { neighbours, wait } = scene();
  neighbours.hold(ETH0, RIP, "a");
  neighbours.learn(ETH0, RIP, MAC);
  wait(660_000);
  expect(neighbours.statistics().neighbours).toBe(0);
});
