import fc from "fast-check";
import { expect, test } from "vitest";
import { inet6Address, payload, uint8 } from "../../test/arbitraries.ts";
import { bytes } from "../../test/bytes.ts";
import { Address } from "./address.ts";
import * as checksum from "./checksum.ts";
import { emitIpv6, type Ipv6Fault, Ipv6View } from "./ipv6.ts";

const ADDRESSES = "2001 0db8 0000 0000 0000 0000 0000 0001 2001 0db8 0000 0000 0000 0000 0000 0002";

/** A packet from 2001:db8::1 to 2001:db8::2 with `body` behind the fixed header. */
function packet(nextHeader: string, body: string, payloadLength = bytes(body).length): Uint8Array {
  const length = payloadLength.toString(16).padStart(4, "0");
  return bytes(`6b81 2345 ${length} ${nextHeader} 40 ${ADDRESSES} ${body}`);
}

test("over() reads every field of a packet", () => {
  const ip = Ipv6View.over(packet("11", "70696e67 ffff", 4)) as Ipv6View;
  expect(ip.header).toEqual({
    trafficClass: 0xb8,
    flowLabel: 0x12345,
    hopLimit: 64,
    nextHeader: 17,
    source: Address.parse("2001:db8::1"),
    destination: Address.parse("2001:db8::2"),
  });
  expect([ip.payloadLength, ip.payloadStart, ip.end, ip.protocol]).toEqual([4, 40, 44, 17]);
  expect(ip.payload).toEqual(bytes("70696e67"));
  expect([ip.hasExtensions, ip.isFragment]).toEqual([false, false]);
});

const HOP_BY_HOP = (next: string) => `${next}00 0502 0000 0100`;
const ROUTING = (next: string) => `${next}02 0401 0000 0000 ${"00".repeat(16)}`;
const DESTINATION = (next: string) => `${next}00 0104 0000 0000`;
const AUTHENTICATION = (next: string) => `${next}04 0000 0000 0001 0000 0001 ${"ab".repeat(12)}`;
const FRAGMENT = (next: string, field: string) => `${next}00 ${field} 0000 002a`;
const PING = "70696e67";

const chains: [why: string, first: string, body: string, protocol: number, at: number][] = [
  ["hop-by-hop options", "00", HOP_BY_HOP("06") + PING, 6, 48],
  ["a routing header", "2b", ROUTING("11") + PING, 17, 64],
  ["destination options", "3c", DESTINATION("84") + PING, 132, 48],
  ["an authentication header, which counts words of 4", "33", AUTHENTICATION("06") + PING, 6, 64],
  [
    "a first fragment's headers, to the end",
    "2c",
    FRAGMENT("3c", "0001") + DESTINATION("06") + PING,
    6,
    56,
  ],
  [
    "a later fragment's header, no further",
    "2c",
    FRAGMENT("3c", "0009") + DESTINATION("06"),
    60,
    48,
  ],
  [
    "four kinds in RFC 8200's order",
    "00",
    HOP_BY_HOP("2b") + ROUTING("33") + AUTHENTICATION("3c") + DESTINATION("3a") + PING,
    58,
    104,
  ],
  ["nothing, before ESP", "32", PING, 50, 40],
  ["nothing, before no next header", "3b", "", 59, 40],
];

test.for(chains)("walks over %s", ([, first, body, protocol, at]) => {
  const ip = Ipv6View.over(packet(first, body)) as Ipv6View;
  expect([ip.protocol, ip.payloadStart]).toEqual([protocol, at]);
  expect(ip.hasExtensions).toBe(at > 40);
});

test("reads the fragment header, wherever it stands", () => {
  const body = HOP_BY_HOP("2c") + FRAGMENT("06", "05a9") + PING;
  const ip = Ipv6View.over(packet("00", body)) as Ipv6View;
  expect([ip.isFragment, ip.isFirstFragment, ip.fragmentOffset, ip.moreFragments]).toEqual([
    true,
    false,
    1448,
    true,
  ]);
  expect([ip.identification, ip.fragmentStart, ip.fragmentAnnouncedAt]).toEqual([42, 48, 40]);
  const plain = Ipv6View.over(packet("2c", FRAGMENT("06", "0000") + PING)) as Ipv6View;
  expect([plain.isFragment, plain.isFirstFragment, plain.moreFragments]).toEqual([
    true,
    true,
    false,
  ]);
  expect([plain.fragmentStart, plain.fragmentAnnouncedAt]).toEqual([40, 6]);
});

const faults: [why: string, packet: Uint8Array, fault: Ipv6Fault][] = [
  ["is empty", bytes(""), "truncated"],
  ["is IPv4", bytes("4500 0014"), "bad-version"],
  ["ends inside its header", packet("06", "").subarray(0, 39), "truncated"],
  ["says it is longer than it is", packet("06", PING, 5), "truncated"],
  ["ends inside an extension header's first word", packet("00", "06"), "truncated"],
  [
    "has an extension header that goes on behind it",
    packet("00", "0601 0502 0000 0100"),
    "truncated",
  ],
  ["has a fragment header cut in two", packet("2c", "0600 0000"), "truncated"],
  ["is a jumbogram", packet("00", "0600 c204 0001 0000", 0), "truncated"],
  ["has nine extension headers", packet("3c", DESTINATION("3c").repeat(9)), "too-many-headers"],
];

test.for(faults)("over() refuses a packet that %s", ([, content, fault]) => {
  expect(Ipv6View.over(content)).toBe(fault);
});

test("eight extension headers are not too many", () => {
  const body = DESTINATION("3c").repeat(7) + DESTINATION("06");
  expect((Ipv6View.over(packet("3c", body)) as Ipv6View).protocol).toBe(6);
});

test("moveToQuote() takes a packet of which only the headers are left", () => {
  const quote = packet("06", PING, 1200);
  const ip = Ipv6View.unplaced();
  expect(ip.moveTo(quote, 0, quote.length)).toBe("truncated");
  expect(ip.moveToQuote(quote, 0, quote.length)).toBeUndefined();
  expect([ip.payloadStart, ip.end, ip.payloadLength]).toEqual([40, 44, 1200]);
});

const header = fc.record({
  trafficClass: uint8,
  flowLabel: fc.nat({ max: 0xfffff }),
  hopLimit: uint8,
  nextHeader: fc.constantFrom(6, 17, 50, 58, 59, 132),
  source: inet6Address,
  destination: inet6Address,
});

test("what is emitted is what is read", () => {
  fc.assert(
    fc.property(header, payload(), (fields, content) => {
      const ip = Ipv6View.over(emitIpv6(fields, content)) as Ipv6View;
      expect(ip.header).toEqual(fields);
      expect(ip.payload).toEqual(content);
      expect(ip.protocol).toBe(fields.nextHeader);
    }),
  );
});

test("setters write what getters read, and the pseudo-header follows", () => {
  fc.assert(
    fc.property(header, inet6Address, inet6Address, (fields, source, destination) => {
      const ip = Ipv6View.over(emitIpv6(fields, new Uint8Array(0))) as Ipv6View;
      ip.setSource(source.w0, source.w1, source.w2, source.w3);
      ip.setDestination(destination.w0, destination.w1, destination.w2, destination.w3);
      expect(ip.decrementHopLimit()).toBe(Math.max(0, fields.hopLimit - 1));
      expect(ip.header).toEqual({
        ...fields,
        source,
        destination,
        hopLimit: Math.max(0, fields.hopLimit - 1),
      });
      const words = [0, 1, 2, 3].map((index) => ip.destinationWord(index));
      expect(words).toEqual([destination.w0, destination.w1, destination.w2, destination.w3]);
      const expected = checksum.pseudoHeader({ source, destination }, fields.nextHeader, 77);
      expect(ip.pseudoHeader(77)).toBe(expected);
    }),
  );
});
