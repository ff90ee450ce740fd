import { expect, test } from "vitest";
import { ManualClock } from "../../../base/clock.ts";
import { Address } from "../../../net/address.ts";
import type { KernelNeighbour } from "../../host/neighbour-table.ts";
import { type NeighbourLimits, Neighbours } from "./neighbours.ts";

const ETH0 = 2;
const RIP = Address.parse("10.0.0.7")!;
const OTHER = Address.parse("10.0.0.8")!;
const MAC = Uint8Array.of(2, 0, 0, 0, 0, 7);

function entry(isStale = false): KernelNeighbour {
  return { mac: MAC, isStale, confirmingSince: Number.NEGATIVE_INFINITY };
}

/** A frame with a name, and as many bytes. */
function frame(name: string, length = 100) {
  return { name, bytes: new Uint8Array(length) };
}

/** Neighbours with everything they do written down. */
function scene(limits: Partial<NeighbourLimits> = {}) {
  const clock = new ManualClock();
  const log: string[] = [];
  const kernel = new Map<string, KernelNeighbour>();
  const host = { isWilling: true };
  const neighbours = new Neighbours<ReturnType<typeof frame>>({
    clock,
    limits,
    known: (index, address) => kernel.get(`${address.toString()} ${index}`),
    ask: (_, address) => {
      log.push(`ask ${address.toString()}`);
      return host.isWilling;
    },
    send: ({ name }, _, mac) => log.push(`send ${name} to ${mac[5]}`),
    undeliverable: ({ name }) => log.push(`undeliverable ${name}`),
  });
  const find = (address: Address, known: KernelNeighbour) => {
    kernel.set(`${address.toString()} ${ETH0}`, known);
    neighbours.hear(ETH0, address, "known");
  };
  return { clock, kernel, host, neighbours, find, told: () => log.splice(0) };
}

test("frames wait until the host has found the neighbour, and go in their order", () => {
  const { neighbours, find, told } = scene();
  expect(neighbours.find(ETH0, RIP)).toBeUndefined();
  neighbours.hold(ETH0, RIP, frame("a"));
  neighbours.hold(ETH0, RIP, frame("b"));
  expect(told()).toEqual(["ask 10.0.0.7"]);
  find(RIP, entry());
  expect(told()).toEqual(["send a to 7", "send b to 7"]);
  expect(neighbours.find(ETH0, RIP)).toEqual(MAC);
  expect(told()).toEqual([]);
  expect(neighbours.statistics().waiting).toBe(0);
});

test("when the host asked in vain, what waited is undeliverable, and the next frame has it ask anew", () => {
  const { neighbours, told } = scene();
  neighbours.hold(ETH0, RIP, frame("a"));
  neighbours.hear(ETH0, RIP, "lost");
  neighbours.hold(ETH0, RIP, frame("b"));
  expect(told()).toEqual(["ask 10.0.0.7", "undeliverable a", "ask 10.0.0.7"]);
});

test("a stale entry is used, and confirmed by the host once in a while", () => {
  const { clock, neighbours, find, told } = scene();
  find(RIP, entry(true));
  for (let second = 0; second < 15; second++) {
    expect(neighbours.find(ETH0, RIP)).toEqual(MAC);
    clock.advance(1_000);
  }
  expect(told()).toEqual(["ask 10.0.0.7", "ask 10.0.0.7"]);
});

test("when an entry goes while frames wait for it, the host is asked again", () => {
  const { neighbours, host, told } = scene();
  neighbours.hold(ETH0, RIP, frame("a"));
  neighbours.hear(ETH0, RIP, "unknown");
  expect(told()).toEqual(["ask 10.0.0.7", "ask 10.0.0.7"]);
  host.isWilling = false;
  neighbours.hear(ETH0, RIP, "unknown");
  expect(neighbours.statistics()).toMatchObject({ waiting: 0, refused: 1 });
});

test("a frame whose neighbour the host will not look for is dropped", () => {
  const { neighbours, host } = scene();
  host.isWilling = false;
  neighbours.hold(ETH0, RIP, frame("a"));
  expect(neighbours.statistics()).toEqual({ waiting: 0, dropped: 0, refused: 1, undeliverable: 0 });
});

test("what was told while nobody could hear is found by a review", () => {
  const { neighbours, kernel, told } = scene();
  neighbours.hold(ETH0, RIP, frame("a"));
  kernel.set(`10.0.0.7 ${ETH0}`, entry());
  neighbours.review();
  expect(told()).toEqual(["ask 10.0.0.7", "send a to 7"]);
});

test("frames that the host never decides about do not wait for ever", () => {
  const { clock, neighbours } = scene();
  neighbours.hold(ETH0, RIP, frame("a"));
  expect(neighbours.nextDeadline()).toBe(30_000);
  clock.advance(29_999);
  neighbours.expire();
  expect(neighbours.statistics().waiting).toBe(1);
  clock.advance(1);
  neighbours.expire();
  expect(neighbours.statistics()).toMatchObject({ waiting: 0, dropped: 1 });
});

// biome-ignore format: a table
const full: [what: string, limits: Partial<NeighbourLimits>, sent: string[]][] = [
  ["frames for one neighbour push out the oldest", { framesPerNeighbour: 2 },  ["b", "c"]],
  ["bytes for one neighbour push out the oldest",  { bytesPerNeighbour: 250 }, ["b", "c"]],
  ["frames in all are dropped",                    { frames: 2 },              ["a", "b"]],
  ["bytes in all are dropped",                     { bytes: 250 },             ["a", "b"]],
];

test.for(full)("too many %s", ([, limits, sent]) => {
  const { neighbours, find, told } = scene(limits);
  for (const name of ["a", "b", "c"]) neighbours.hold(ETH0, RIP, frame(name));
  find(RIP, entry());
  expect(told()).toEqual(["ask 10.0.0.7", ...sent.map((name) => `send ${name} to 7`)]);
  expect(neighbours.statistics()).toMatchObject({ waiting: 0, dropped: 1 });
  for (const name of ["d", "e"]) neighbours.hold(ETH0, OTHER, frame(name));
  expect(neighbours.statistics()).toMatchObject({ waiting: 2, dropped: 1 });
});

test("the same address on two interfaces is two neighbours", () => {
  const { neighbours, find } = scene();
  neighbours.hold(ETH0 + 1, RIP, frame("a"));
  find(RIP, entry());
  expect(neighbours.find(ETH0, RIP)).toEqual(MAC);
  expect(neighbours.find(ETH0 + 1, RIP)).toBeUndefined();
  expect(neighbours.statistics().waiting).toBe(1);
});

test("what finds no room leaves nothing behind, and the host is not asked for its neighbour", () => {
  const { neighbours, told } = scene({ frames: 1 });
  neighbours.hold(ETH0, RIP, frame("a"));
  neighbours.hold(ETH0, OTHER, frame("b"));
  expect(told()).toEqual(["ask 10.0.0.7"]);
  expect(neighbours.statistics()).toMatchObject({ waiting: 1, dropped: 1 });
  neighbours.hear(ETH0, OTHER, "lost");
  expect(told()).toEqual([]);
});
