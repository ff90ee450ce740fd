import fc from "fast-check";
import { expect, test } from "vitest";
import { inet6Address, inetAddress, uint16, uint32 } from "../../test/arbitraries.ts";
import { bytes } from "../../test/bytes.ts";
import type { Instant } from "../base/clock.ts";
import { prng } from "../base/prng.ts";
import { Address } from "./address.ts";
import { fragmentIpv4 } from "./fragmentation.ts";
import { emitIpv4, type Ipv4Fields, Ipv4View } from "./ipv4.ts";
import { emitIpv6, Ipv6View } from "./ipv6.ts";
import { Reassembler } from "./reassembly.ts";
import { writeUint16, writeUint32 } from "./words.ts";

const START = 0 as Instant;
const BASE = {
  protocol: 17,
  source: Address.parse("10.0.0.1")!,
  destination: Address.parse("10.0.0.2")!,
  identification: 7,
};

function inet(packet: Uint8Array): Ipv4View {
  return Ipv4View.over(packet) as Ipv4View;
}

function inet6(packet: Uint8Array): Ipv6View {
  return Ipv6View.over(packet) as Ipv6View;
}

function pattern(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => index * 7);
}

/** `0+16 16.8`: bytes of a pattern from an offset on, "+" with more to come and "." without. */
function fragmentsOf(notation: string, base: Ipv4Fields = BASE): Ipv4View[] {
  return notation.split(" ").map((piece) => {
    const [, offset, sign, length] = /^(\d+)([+.])(\d+)$/.exec(piece)!;
    const from = Number(offset);
    const payload = pattern(70_000).subarray(from, from + Number(length));
    return inet(emitIpv4({ ...base, fragmentOffset: from, moreFragments: sign === "+" }, payload));
  });
}

test("fragmentIpv4() cuts at multiples of 8 and keeps a packet that fits", () => {
  const packet = inet(emitIpv4({ ...BASE, tos: 4, timeToLive: 9 }, pattern(100)));
  const pieces = (fragmentIpv4(packet, 69) as Uint8Array[]).map(inet);
  expect(pieces.map((it) => [it.fragmentOffset, it.payload.length, it.moreFragments])).toEqual([
    [0, 48, true],
    [48, 48, true],
    [96, 4, false],
  ]);
  for (const piece of pieces) {
    expect([piece.tos, piece.timeToLive, piece.identification]).toEqual([4, 9, 7]);
    expect(piece.isChecksumRight()).toBe(true);
  }
  expect(fragmentIpv4(packet, 120)).toEqual([packet.bytes]);
});

test("fragmentIpv4() refuses DF and an MTU without room for a unit behind the header", () => {
  const packet = emitIpv4({ ...BASE, dontFragment: true }, pattern(1481));
  expect(fragmentIpv4(inet(packet), 1500)).toBe("dont-fragment");
  expect(fragmentIpv4(inet(emitIpv4(BASE, pattern(100))), 27)).toBe("mtu-too-small");
});

test("fragmentIpv4() fragments a fragment further", () => {
  const [middle] = fragmentsOf("1480+1480");
  const pieces = (fragmentIpv4(middle!, 1020) as Uint8Array[]).map(inet);
  expect(pieces.map((it) => [it.fragmentOffset, it.payload.length, it.moreFragments])).toEqual([
    [1480, 1000, true],
    [2480, 480, true],
  ]);
});

const options: [why: string, first: string, others: string][] = [
  ["record route, in the first only", "07 07 04 00000000 00", "01 01 01 01010101 00"],
  ["strict source route, in all", "89 07 04 0a000001 00", "89 07 04 0a000001 00"],
  [
    "router alert, in all, behind no-operations",
    "01 01 94 04 0000 01 01",
    "01 01 94 04 0000 01 01",
  ],
  ["time stamp behind security", "82 04 0000 44 04 05 00", "82 04 0000 01 01 01 01"],
  ["nonsense as it is", "07 01 04 00000000 00", "07 01 04 00000000 00"],
];

test.for(options)("fragmentIpv4() copies %s", ([, first, others]) => {
  const packet = inet(emitIpv4({ ...BASE, options: bytes(first) }, pattern(100)));
  const pieces = (fragmentIpv4(packet, 76) as Uint8Array[]).map((it) => inet(it).header.options);
  expect(pieces).toEqual([bytes(first), bytes(others), bytes(others)]);
});

const shuffle = <Item>(items: readonly Item[], seed: number): Item[] => {
  const random = prng(seed);
  const rest = [...items];
  return items.map(() => rest.splice(random.below(rest.length), 1)[0]!);
};

test("what is fragmented is reassembled, in any order, with duplicates and interleaved", () => {
  const header = fc.record({
    source: inetAddress,
    destination: inetAddress,
    identification: uint16,
    protocol: fc.constantFrom(6, 17, 132),
    options: fc.nat({ max: 10 }).map((words) => new Uint8Array(4 * words)),
  });
  const length = fc.integer({ min: 200, max: 4000 });
  const mtu = fc.integer({ min: 128, max: 1500 });
  fc.assert(
    fc.property(header, length, length, mtu, uint32, (fields, one, other, size, seed) => {
      const wholes = [
        emitIpv4(fields, pattern(one)),
        emitIpv4({ ...fields, identification: fields.identification ^ 1 }, pattern(other)),
      ];
      const pieces = wholes.flatMap((whole) => fragmentIpv4(inet(whole), size) as Uint8Array[]);
      const reassembler = new Reassembler();
      const made = shuffle([...pieces], seed).flatMap((piece) => {
        const whole = reassembler.add(inet(piece), START);
        const again = whole ?? reassembler.add(inet(piece), START);
        return again === undefined ? [] : [again];
      });
      expect(made).toHaveLength(2);
      expect(made).toEqual(expect.arrayContaining(wholes));
      expect(reassembler.size).toBe(0);
    }),
    { numRuns: 50 },
  );
});

const fates: [why: string, fragments: string, made: number, counts: object][] = [
  ["two that fit", "0+16 16.8", 1, { reassembled: 1 }],
  ["the last before the first", "16.8 0+16", 1, { reassembled: 1 }],
  ["a hole", "0+16 24.8", 0, {}],
  ["no first", "16.8 8+8", 0, {}],
  ["a duplicate", "0+16 0+16 16.8", 1, { reassembled: 1, duplicates: 1 }],
  ["an overlap with the one before", "0+16 8.16", 0, { overlapping: 1 }],
  ["an overlap with the one behind", "16+16 8+16", 0, { overlapping: 1 }],
  ["one inside another", "0+32 8+8", 0, { overlapping: 1 }],
  ["one around another", "8+8 0+32", 0, { overlapping: 1 }],
  ["bytes behind the end", "16.8 24+8", 0, { overlapping: 1 }],
  ["an end before other bytes", "24+8 8.8", 0, { overlapping: 1 }],
  ["a second end behind the first", "8.8 16.8", 0, { overlapping: 1 }],
  ["a length that is no multiple of 8", "0+12", 0, { malformed: 1 }],
  ["nothing in it", "16.0", 0, { malformed: 1 }],
  ["an end behind 65535", "65528.100", 0, { tooLarge: 1 }],
];

test.for(fates)("fragments with %s", ([, notation, made, counts]) => {
  const reassembler = new Reassembler();
  const wholes = fragmentsOf(notation).flatMap((it) => reassembler.add(it, START) ?? []);
  expect(wholes.length > 0 ? 1 : 0).toBe(made);
  const nonZero = Object.entries(reassembler.counts).filter(([, count]) => count > 0);
  expect(Object.fromEntries(nonZero)).toEqual(counts);
});

test("a datagram that its header makes longer than 65535 is too large", () => {
  const base = { ...BASE, options: new Uint8Array(8) };
  const reassembler = new Reassembler();
  const pieces = fragmentsOf("0+65504 65504.8", { ...base });
  expect(pieces.map((it) => reassembler.add(it, START))).toEqual([undefined, undefined]);
  expect([reassembler.counts.tooLarge, reassembler.size]).toEqual([1, 0]);
});

test("limits are kept and counted", () => {
  const limits = { datagramsMax: 2, fragmentsPerDatagramMax: 3, bytesPerDatagramMax: 4000 };
  const reassembler = new Reassembler(limits);
  for (const identification of [1, 2, 3]) {
    reassembler.add(fragmentsOf("0+8", { ...BASE, identification })[0]!, START);
  }
  expect([reassembler.size, reassembler.counts.refused]).toEqual([2, 1]);
  for (const it of fragmentsOf("8+8 16+8 24+8", { ...BASE, identification: 1 })) {
    reassembler.add(it, START);
  }
  expect([reassembler.size, reassembler.counts.tooLarge]).toEqual([1, 1]);
  reassembler.add(fragmentsOf("3200+808", { ...BASE, identification: 2 })[0]!, START);
  expect([reassembler.size, reassembler.counts.tooLarge]).toEqual([0, 2]);
});

test("a datagram waits 30 s from its first fragment, whatever comes later", () => {
  const reassembler = new Reassembler();
  const [first, second, last] = fragmentsOf("0+8 8+8 16.8");
  expect(reassembler.nextDeadline).toBeUndefined();
  reassembler.add(first!, START);
  reassembler.add(second!, 29_999 as Instant);
  expect(reassembler.nextDeadline).toBe(30_000);
  expect(reassembler.expire(29_999 as Instant)).toBe(0);
  expect(reassembler.add(last!, 30_000 as Instant)).toBeUndefined();
  expect([reassembler.size, reassembler.counts.timedOut]).toEqual([1, 1]);
});

const congestion: [why: string, first: number, last: number, whole: number][] = [
  ["met by the last fragment", 0b10, 0b11, 0b11],
  ["met by the first", 0b11, 0b01, 0b11],
  ["met by none", 0b10, 0b10, 0b10],
  ["not for who takes no part", 0b00, 0b11, 0b00],
];

test.for(congestion)("congestion %s is told", ([, first, last, whole]) => {
  const reassembler = new Reassembler();
  const [one] = fragmentsOf("0+8", { ...BASE, tos: 0xb8 | first });
  const [other] = fragmentsOf("8.8", { ...BASE, tos: 0xb8 | last });
  reassembler.add(one!, START);
  expect(inet(reassembler.add(other!, START)!).tos).toBe(0xb8 | whole);
});

test("what is no fragment is whole", () => {
  const packet = emitIpv4(BASE, pattern(10));
  expect(new Reassembler().add(inet(packet), START)).toEqual(packet);
});

const V6 = {
  source: Address.parse("2001:db8::1")!,
  destination: Address.parse("2001:db8::2")!,
};
const DESTINATION_OPTIONS = "2c00 0104 0000 0000";

/** A fragment of `payload`, behind `before`, whose last header announces the fragment header. */
function fragmentV6(before: Uint8Array, payload: Uint8Array, from: number, to: number): Ipv6View {
  const header = new Uint8Array(8);
  header[0] = 17;
  writeUint16(header, 2, from | (to < payload.length ? 1 : 0));
  writeUint32(header, 4, 42);
  const nextHeader = before.length > 0 ? 60 : 44;
  const body = Uint8Array.from([...before, ...header, ...payload.subarray(from, to)]);
  return inet6(emitIpv6({ ...V6, nextHeader, trafficClass: 0x02 }, body));
}

test.for([
  ["behind the fixed header", ""],
  ["behind destination options", DESTINATION_OPTIONS],
])("IPv6 fragments %s are reassembled, in any order", ([, before]) => {
  const unfragmentable = bytes(before!);
  fc.assert(
    fc.property(fc.integer({ min: 100, max: 3000 }), uint32, (length, seed) => {
      const payload = pattern(length);
      const starts = Array.from({ length: Math.ceil(length / 96) }, (_, index) => index * 96);
      const pieces = starts.map((at) =>
        fragmentV6(unfragmentable, payload, at, Math.min(at + 96, length)),
      );
      const reassembler = new Reassembler();
      const [whole, ...more] = shuffle(pieces, seed).flatMap((it) => {
        const made = reassembler.add(it, START);
        return made === undefined ? [] : [made];
      });
      const plain = unfragmentable.slice();
      if (plain.length > 0) plain[0] = 17;
      const nextHeader = plain.length > 0 ? 60 : 17;
      const body = Uint8Array.from([...plain, ...payload]);
      expect(whole).toEqual(emitIpv6({ ...V6, nextHeader, trafficClass: 0x02 }, body));
      expect(more).toEqual([]);
    }),
    { numRuns: 30 },
  );
});

test("an atomic IPv6 fragment is whole, whatever waits under its identification", () => {
  const reassembler = new Reassembler();
  reassembler.add(fragmentV6(new Uint8Array(0), pattern(100), 0, 96), START);
  const whole = reassembler.add(fragmentV6(new Uint8Array(0), pattern(10), 0, 10), START);
  expect(whole).toEqual(emitIpv6({ ...V6, nextHeader: 17, trafficClass: 0x02 }, pattern(10)));
  expect(reassembler.size).toBe(1);
});

test("datagrams of two IPv6 sources do not mix with one another", () => {
  fc.assert(
    fc.property(inet6Address, inet6Address, (one, other) => {
      fc.pre(!one.equals(other));
      const reassembler = new Reassembler();
      const piece = (source: Address, from: number, more: number) => {
        const body = Uint8Array.from([17, 0, 0, from | more, 0, 0, 0, 1, ...pattern(8)]);
        return inet6(emitIpv6({ source, destination: one, nextHeader: 44 }, body));
      };
      expect(reassembler.add(piece(one, 0, 1), START)).toBeUndefined();
      expect(reassembler.add(piece(other, 8, 0), START)).toBeUndefined();
      expect(reassembler.size).toBe(2);
    }),
  );
});

test("the whole has the mark of the fragment that begins it, in whichever order they come", () => {
  for (const order of [
    [0, 1],
    [1, 0],
  ]) {
    const fragments = fragmentsOf("0+16 16.8");
    const reassembler = new Reassembler();
    for (const index of order) reassembler.add(fragments[index]!, START, index === 0 ? 7 : 8);
    expect(reassembler.counts.reassembled).toBe(1);
    expect(reassembler.mark).toBe(7);
  }
  const whole = new Reassembler();
  whole.add(fragmentsOf("0.8")[0]!, START, 7);
  expect(whole.mark).toBe(7);
});

test("what waits is bounded in bytes, and what is given up makes room", () => {
  const reassembler = new Reassembler({ bytesMax: 2_000, timeoutMs: 1_000 });
  const first = (identification: number) => fragmentsOf("0+800", { ...BASE, identification })[0]!;
  for (const identification of [1, 2]) reassembler.add(first(identification), START);
  expect([reassembler.size, reassembler.counts.refused]).toEqual([1, 1]);
  // Small ones cost more than their bytes.
  for (let index = 0; index < 100; index++) {
    reassembler.add(fragmentsOf("0+8", { ...BASE, identification: 10 + index })[0]!, START);
  }
  const { size } = reassembler;
  expect(size).toBeLessThan(6);
  expect(reassembler.expire(1_000 as Instant)).toBe(size);
  const whole = fragmentsOf("0+800 800.8").map((piece) => reassembler.add(piece, 1_000 as Instant));
  expect(whole[1]?.length).toBe(828);
  reassembler.add(first(3), 1_000 as Instant);
  expect(reassembler.size).toBe(1);
});
