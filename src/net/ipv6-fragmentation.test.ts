import fc from "fast-check";
import { expect, test } from "vitest";
import { bytes, hex } from "../../test/bytes.ts";
import type { Instant } from "../base/clock.ts";
import { Address } from "./address.ts";
import { emitIpv6, Ipv6View } from "./ipv6.ts";
import { fragmentIpv6 } from "./ipv6-fragmentation.ts";
import { Reassembler } from "./reassembly.ts";

const addresses = {
  source: Address.parse("2001:db8::1")!,
  destination: Address.parse("2001:db8::2")!,
};

/** Extension headers: hop-by-hop or destination options, or routing, of 8 bytes. */
function chain(kinds: readonly number[], upper: number, payload: Uint8Array): [number, Uint8Array] {
  const headers = kinds.flatMap((_, index) => [kinds[index + 1] ?? upper, 0, 1, 4, 0, 0, 0, 0]);
  return [kinds[0] ?? upper, Uint8Array.from([...headers, ...payload])];
}

function packet(kinds: readonly number[], length: number): Uint8Array {
  const payload = Uint8Array.from({ length }, (_, index) => index & 0xff);
  const [nextHeader, body] = chain(kinds, 17, payload);
  return emitIpv6({ ...addresses, nextHeader }, body);
}

function cut(whole: Uint8Array, mtu: number): Uint8Array[] {
  const fragments = fragmentIpv6(Ipv6View.over(whole) as Ipv6View, mtu, 0x12345678);
  if (typeof fragments === "string") throw new Error(fragments);
  return fragments;
}

test("each piece has a fragment header of its own behind the fixed one", () => {
  const pieces = cut(packet([], 32), 64);
  expect(pieces.map((piece) => hex(piece.subarray(40)))).toEqual([
    hex(bytes("1100 0001 12345678 0001020304050607 08090a0b0c0d0e0f")),
    hex(bytes("1100 0010 12345678 1011121314151617 18191a1b1c1d1e1f")),
  ]);
  expect(pieces.map((piece) => piece[6])).toEqual([44, 44]);
  expect(pieces.map(({ length }) => length)).toEqual([64, 64]);
});

const places: [what: string, kinds: number[], before: number][] = [
  ["behind hop-by-hop options", [0], 8],
  ["behind a routing header and the destination options before it", [60, 43], 16],
  ["behind destination options without a routing header", [60], 8],
  ["before those behind a routing header", [43, 60], 8],
];

test.for(places)("the fragment header stands %s", ([, kinds, before]) => {
  const whole = packet(kinds, 2000);
  for (const piece of cut(whole, 1280)) {
    const view = Ipv6View.over(piece) as Ipv6View;
    expect(view.fragmentStart).toBe(40 + before);
    expect(piece.length).toBeLessThanOrEqual(1280);
  }
});

test("what fits is its only piece, a piece is not cut again, and headers alone must fit", () => {
  const whole = packet([], 100);
  expect(cut(whole, 140)).toEqual([whole]);
  const [piece] = cut(packet([], 3000), 1500);
  expect(fragmentIpv6(Ipv6View.over(piece!) as Ipv6View, 1280, 1)).toBe("is-fragment");
  expect(fragmentIpv6(Ipv6View.over(whole) as Ipv6View, 55, 1)).toBe("mtu-too-small");
});

test("pieces make the packet again, whatever their order", () => {
  const scene = fc.record({
    kinds: fc.constantFrom<number[][]>([], [0], [43], [0, 60, 43], [60]),
    length: fc.integer({ min: 1, max: 5000 }),
    mtu: fc.integer({ min: 120, max: 1500 }),
    seed: fc.nat(),
  });
  fc.assert(
    fc.property(scene, ({ kinds, length, mtu, seed }) => {
      const whole = packet(kinds, length);
      const pieces = cut(whole, mtu);
      const turned = [
        ...pieces.slice(seed % pieces.length),
        ...pieces.slice(0, seed % pieces.length),
      ];
      const reassembler = new Reassembler();
      const made = turned.map((piece) =>
        reassembler.add(Ipv6View.over(piece) as Ipv6View, 0 as Instant),
      );
      expect(made.at(-1)).toEqual(whole);
      if (pieces.length > 1) {
        expect(reassembler.longestFragment).toBe(Math.max(...pieces.map((piece) => piece.length)));
      }
    }),
  );
});
