import fc from "fast-check";
import { expect, test } from "vitest";
import {
  headerOptions,
  inetAddress,
  payload,
  uint8,
  uint16,
  uint32,
} from "../../test/arbitraries.ts";
import { bytes } from "../../test/bytes.ts";
import { Address } from "./address.ts";
import { emitIpv4, type Ipv4Fault, Ipv4View, writeIpv4Header } from "./ipv4.ts";

// 192.168.0.1 > 192.168.0.199, UDP, DF: the header that textbooks compute the checksum of, over 4 bytes here.
const PACKET = "4500 0018 1234 4000 4011 a688 c0a8 0001 c0a8 00c7 70696e67";

test("over() reads every field of a packet", () => {
  const ip = Ipv4View.over(bytes(`${PACKET} 0000`)) as Ipv4View;
  expect(ip.header).toEqual({
    tos: 0,
    identification: 0x1234,
    dontFragment: true,
    moreFragments: false,
    fragmentOffset: 0,
    timeToLive: 64,
    protocol: 17,
    source: Address.parse("192.168.0.1"),
    destination: Address.parse("192.168.0.199"),
    options: new Uint8Array(0),
  });
  expect(ip.sourceWord).toBe(0xc0a80001 | 0);
  expect(ip.destinationWord).toBe(0xc0a800c7 | 0);
  expect(ip.totalLength).toBe(24);
  expect(ip.end).toBe(24);
  expect(ip.payload).toEqual(bytes("70696e67"));
  expect(ip.hasOptions).toBe(false);
  expect(ip.isFragment).toBe(false);
  expect(ip.isChecksumRight()).toBe(true);
});

const faults: [why: string, packet: string, fault: Ipv4Fault][] = [
  ["is empty", "", "truncated"],
  ["is IPv6", "6000 0000 0000 3b40", "bad-version"],
  ["ends inside its header", "4500 0018 1234 4000 4011 a688 c0a8 0001 c0a8 00", "truncated"],
  ["has a header of 16 bytes", PACKET.replace("45", "44"), "bad-length"],
  ["ends inside its options", PACKET.replace("4500 0018", "4700 001c"), "truncated"],
  ["is shorter than its header", PACKET.replace("0018", "0013"), "bad-length"],
  [
    "is shorter than its header with options",
    PACKET.replace("4500 0018", "4600 0017"),
    "bad-length",
  ],
  ["says it is longer than it is", PACKET.replace("0018", "0019"), "truncated"],
];

test.for(faults)("over() refuses a packet that %s", ([, packet, fault]) => {
  expect(Ipv4View.over(bytes(packet))).toBe(fault);
});

test("moveToQuote() takes a packet of which only the header is left", () => {
  const quote = bytes(PACKET.replace("0018", "05dc"));
  const ip = Ipv4View.unplaced();
  expect(ip.moveTo(quote, 0, quote.length)).toBe("truncated");
  expect(ip.moveToQuote(quote, 0, quote.length)).toBeUndefined();
  expect([ip.payloadStart, ip.end, ip.totalLength]).toEqual([20, 24, 1500]);
  expect(ip.moveToQuote(quote, 0, 19)).toBe("truncated");
});

const fragments: [
  why: string,
  field: string,
  isFragment: boolean,
  offset: number,
  more: boolean,
][] = [
  ["the first", "2000", true, 0, true],
  ["a middle one", "20b9", true, 1480, true],
  ["the last", "00b9", true, 1480, false],
  ["the farthest", "1fff", true, 65528, false],
  ["a whole one that must stay whole", "4000", false, 0, false],
  ["a whole one with the reserved bit", "8000", false, 0, false],
];

test.for(fragments)("reads the fragment field of %s", ([, field, isFragment, offset, more]) => {
  const ip = Ipv4View.over(bytes(PACKET.replace("4000", field))) as Ipv4View;
  expect([ip.isFragment, ip.fragmentOffset, ip.moreFragments]).toEqual([isFragment, offset, more]);
});

const header = fc.record({
  tos: uint8,
  identification: uint16,
  dontFragment: fc.boolean(),
  moreFragments: fc.boolean(),
  fragmentOffset: fc.nat({ max: 0x1fff }).map((units) => units * 8),
  timeToLive: uint8,
  protocol: uint8,
  source: inetAddress,
  destination: inetAddress,
  options: headerOptions,
});

test("what is emitted is what is read", () => {
  fc.assert(
    fc.property(header, payload(), (fields, content) => {
      const ip = Ipv4View.over(emitIpv4(fields, content)) as Ipv4View;
      expect(ip.header).toEqual(fields);
      expect(ip.payload).toEqual(content);
      expect(ip.isChecksumRight()).toBe(true);
    }),
  );
});

test("setters keep the header's checksum what a full sum gives", () => {
  fc.assert(
    fc.property(header, uint32, uint32, (fields, source, destination) => {
      const ip = Ipv4View.over(emitIpv4(fields, new Uint8Array(4))) as Ipv4View;
      const left = ip.decrementTimeToLive();
      expect(left).toBe(Math.max(0, fields.timeToLive - 1));
      expect(ip.timeToLive).toBe(left);
      ip.setSource(source | 0);
      ip.setDestination(destination | 0);
      expect([ip.sourceWord, ip.destinationWord]).toEqual([source | 0, destination | 0]);
      const kept = ip.checksum;
      ip.refreshChecksum();
      expect(kept).toBe(ip.checksum);
      expect(ip.isChecksumRight()).toBe(true);
    }),
  );
});

const unwritable: [why: string, options: number, payloadLength: number][] = [
  ["options of no whole words", 3, 0],
  ["options of 44 bytes", 44, 0],
  ["a payload that the length cannot say", 0, 65516],
];

test.for(unwritable)("refuses to write %s", ([, options, payloadLength]) => {
  const [source, destination] = [Address.inet(1), Address.inet(2)];
  const fields = { protocol: 6, source, destination, options: new Uint8Array(options) };
  expect(() => writeIpv4Header(new Uint8Array(100), 0, fields, payloadLength)).toThrow(RangeError);
});
