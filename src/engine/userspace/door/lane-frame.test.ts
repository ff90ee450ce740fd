import { expect, test } from "vitest";
import { Address } from "../../../net/address.ts";
import * as checksum from "../../../net/checksum.ts";
import { emitIpv4 } from "../../../net/ipv4.ts";
import { emitIpv6 } from "../../../net/ipv6.ts";
import { writeUint16 } from "../../../net/words.ts";
import { addTimeToLive, LANE_WAYS, type LaneWay, laneMac, restore, wayOf } from "./lane-frame.ts";

const inet = { source: Address.parse("10.0.0.1")!, destination: Address.parse("10.0.0.2")! };
const inet6 = { source: Address.parse("fd00::1")!, destination: Address.parse("fd00::2")! };
const DONT_FRAGMENT = 0x4000;
const MORE_FRAGMENTS = 0x2000;

/** An IPv4 packet with this word of flags and offset, and a true checksum. */
function packet(timeToLive: number, fragment: number): Uint8Array {
  const bytes = emitIpv4({ protocol: 17, ...inet, timeToLive }, new Uint8Array(8));
  writeUint16(bytes, 6, fragment);
  writeUint16(bytes, 10, 0);
  writeUint16(bytes, 10, checksum.complement(checksum.sum(bytes, 0, 20)));
  return bytes;
}

/** What dup and the postrouting chain make of it: the checksum is as dup left it, with the bit set. */
function duplicated(original: Uint8Array, timeToLive: number): Uint8Array {
  const fragment = (original[6]! << 8) | original[7]!;
  const isFragment = (fragment & 0x3fff) !== 0;
  const bytes = packet(timeToLive, isFragment ? fragment : fragment | DONT_FRAGMENT);
  bytes[6]! &= 0xbf;
  return bytes;
}

// biome-ignore format: a table
const packets: [what: string, way: LaneWay, timeToLive: number, arrives: number, fragment: number][] = [
  ["for the host",                             LANE_WAYS.input,               64,  63, 0],
  ["for the host, not to be fragmented",       LANE_WAYS.inputDontFragment,   64,  63, DONT_FRAGMENT],
  ["for the host, at its last hop",            LANE_WAYS.input,                1,   0, 0],
  ["for the host, with no hop left",           LANE_WAYS.input,                0, 255, 0],
  ["for the host, cut into pieces again",      LANE_WAYS.input,               64,  63, MORE_FRAGMENTS],
  ["for the host, its last piece",             LANE_WAYS.input,               64,  63, 0x0100],
  ["on its way through",                       LANE_WAYS.forward,             63,  63, 0],
  ["on its way through, not to be fragmented", LANE_WAYS.forwardDontFragment, 63,  63, DONT_FRAGMENT],
];

test.for(packets)(
  "a packet %s becomes again what it was",
  ([, way, timeToLive, arrives, fragment]) => {
    const original = packet(timeToLive, fragment);
    const bytes = duplicated(original, arrives);
    restore(bytes, 0, way);
    expect(bytes).toEqual(original);
  },
);

test("of an IPv6 packet for the host only the hop limit was taken", () => {
  const original = emitIpv6({ nextHeader: 17, ...inet6, hopLimit: 64 }, new Uint8Array(8));
  const bytes = original.slice();
  bytes[7]!--;
  restore(bytes, 0, LANE_WAYS.input);
  expect(bytes).toEqual(original);
  restore(bytes, 0, LANE_WAYS.forward);
  expect(bytes).toEqual(original);
});

test("what a process of the host sends comes as it is", () => {
  const bytes = packet(64, DONT_FRAGMENT);
  restore(bytes, 0, LANE_WAYS.output);
  expect(bytes).toEqual(packet(64, DONT_FRAGMENT));
});

test("a hop is added with a true checksum", () => {
  const bytes = packet(63, 0);
  addTimeToLive(bytes, 0);
  expect(bytes).toEqual(packet(64, 0));
});

test("every way is told by its address, and no other frame is the door's", () => {
  for (const way of Object.values(LANE_WAYS)) expect(wayOf(laneMac(way), 0)).toBe(way);
  for (const strange of ["020100000000", "ffffffffffff", "01005e000001", "000200000000"]) {
    expect(wayOf(Uint8Array.from(Buffer.from(strange, "hex")), 0)).toBe(undefined);
  }
});
