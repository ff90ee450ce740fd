import fc from "fast-check";
import { expect, test } from "vitest";
import { addressPair, payload, uint8, uint16, uint32 } from "../../test/arbitraries.ts";
import { bytes } from "../../test/bytes.ts";
import { Address } from "./address.ts";
import * as checksum from "./checksum.ts";
import * as icmp from "./icmp.ts";
import * as icmpv6 from "./icmpv6.ts";
import { IP_PROTOCOL } from "./ip-protocol.ts";

const V6 = { source: Address.parse("2001:db8::1")!, destination: Address.parse("2001:db8::2")! };

function read(message: Uint8Array): icmp.IcmpView {
  return icmp.IcmpView.over(message) as icmp.IcmpView;
}

function readV6(message: Uint8Array): icmpv6.Icmpv6View {
  return icmpv6.Icmpv6View.over(message) as icmpv6.Icmpv6View;
}

function pseudoV6(length: number): number {
  return checksum.pseudoHeader(V6, IP_PROTOCOL.icmpv6, length);
}

test("over() reads an echo request", () => {
  const echo = read(bytes("0800 f7f6 0001 0002 0506 0000"));
  expect([echo.type, echo.code, echo.identifier, echo.sequence]).toEqual([8, 0, 1, 2]);
  expect([echo.isEcho, echo.isError, echo.payloadStart]).toEqual([true, false, 8]);
  expect(echo.payload).toEqual(bytes("0506 0000"));
});

test("over() refuses messages that end inside their header", () => {
  expect(icmp.IcmpView.over(bytes("0800 0000 0001 00"))).toBe("truncated");
  expect(icmpv6.Icmpv6View.over(bytes("8000 0000 0001 00"))).toBe("truncated");
});

test("errors are those of RFC 792 and RFC 4443", () => {
  const types = Array.from({ length: 256 }, (_, type) => type);
  const errors = types.filter((type) => read(Uint8Array.of(type, 0, 0, 0, 0, 0, 0, 0)).isError);
  expect(errors).toEqual([3, 4, 5, 11, 12]);
  const errorsV6 = types.filter((type) => readV6(Uint8Array.of(type, 0, 0, 0, 0, 0, 0, 0)).isError);
  expect(errorsV6).toEqual(types.slice(0, 128));
});

const original = Uint8Array.from({ length: 1500 }, (_, index) => index);

const errors: [why: string, message: Uint8Array, head: string][] = [
  ["host unreachable", icmp.destinationUnreachable(1, original, 0, 1500), "0301 0000 0000"],
  ["port unreachable", icmp.destinationUnreachable(3, original, 0, 1500), "0303 0000 0000"],
  ["fragmentation needed", icmp.fragmentationNeeded(1480, original, 0, 1500), "0304 0000 05c8"],
  ["time exceeded", icmp.timeExceeded(original, 0, 1500), "0b00 0000 0000"],
];

test.for(errors)("%s quotes what fits into 576 bytes with its headers", ([, message, head]) => {
  expect(message.length).toBe(576 - 20);
  const view = read(message);
  expect(Uint8Array.from([...message.subarray(0, 2), ...message.subarray(4, 8)])).toEqual(
    bytes(head),
  );
  expect(view.payload).toEqual(original.subarray(0, 548));
  expect(view.isChecksumRight()).toBe(true);
  expect(view.isError).toBe(true);
});

const errorsV6: [why: string, message: Uint8Array, head: string][] = [
  [
    "address unreachable",
    icmpv6.destinationUnreachableV6(3, original, 0, 1500, V6),
    "0103 0000 0000",
  ],
  ["packet too big", icmpv6.packetTooBig(1480, original, 0, 1500, V6), "0200 0000 05c8"],
  ["hop limit exceeded", icmpv6.timeExceededV6(original, 0, 1500, V6), "0300 0000 0000"],
];

test.for(errorsV6)("%s quotes what fits into 1280 bytes with its headers", ([, message, head]) => {
  expect(message.length).toBe(1280 - 40);
  const view = readV6(message);
  expect(Uint8Array.from([...message.subarray(0, 2), ...message.subarray(4, 8)])).toEqual(
    bytes(head),
  );
  expect(view.payload).toEqual(original.subarray(0, 1232));
  expect(view.isChecksumRight(pseudoV6(view.length))).toBe(true);
  expect(view.isError).toBe(true);
});

test("an error quotes its window and nothing behind it", () => {
  expect(read(icmp.timeExceeded(original, 100, 128)).payload).toEqual(original.subarray(100, 128));
});

const header = fc.record({ type: uint8, code: uint8, rest: uint32 });

test("what is emitted is what is read", () => {
  fc.assert(
    fc.property(header, payload(), addressPair("inet6"), (fields, content, addresses) => {
      const view = read(icmp.emitIcmp(fields, content));
      expect({ type: view.type, code: view.code, rest: view.rest }).toEqual(fields);
      expect(view.payload).toEqual(content);
      expect(view.isChecksumRight()).toBe(true);
      const six = readV6(icmpv6.emitIcmpv6(fields, content, addresses));
      expect({ type: six.type, code: six.code, rest: six.rest }).toEqual(fields);
      expect(six.payload).toEqual(content);
      const pseudo = checksum.pseudoHeader(addresses, IP_PROTOCOL.icmpv6, six.length);
      expect(six.isChecksumRight(pseudo)).toBe(true);
    }),
  );
});

test("echoes carry identifier and sequence", () => {
  fc.assert(
    fc.property(uint16, uint16, payload(), (identifier, sequence, data) => {
      const view = read(icmp.emitEcho("request", identifier, sequence, data));
      expect([view.type, view.identifier, view.sequence]).toEqual([8, identifier, sequence]);
      expect(read(icmp.emitEcho("reply", identifier, sequence, data)).type).toBe(0);
      const six = readV6(icmpv6.emitEchoV6("reply", identifier, sequence, data, V6));
      expect([six.type, six.identifier, six.sequence]).toEqual([129, identifier, sequence]);
      expect(readV6(icmpv6.emitEchoV6("request", 1, 1, data, V6)).isEcho).toBe(true);
    }),
  );
});

test("setMtu() and refreshChecksum() keep checksums true", () => {
  fc.assert(
    fc.property(uint16, uint16, payload(), (before, after, content) => {
      const quoted = Uint8Array.from([1, ...content]);
      const view = read(icmp.fragmentationNeeded(before, quoted, 0, quoted.length));
      view.setMtu(after);
      expect([view.mtu, view.isChecksumRight()]).toEqual([after, true]);
      const six = readV6(icmpv6.packetTooBig(before, quoted, 0, quoted.length, V6));
      six.setMtu(after);
      expect([six.mtu, six.isChecksumRight(pseudoV6(six.length))]).toEqual([after, true]);

      view.payload[0] = 2;
      six.payload[0] = 2;
      expect([view.isChecksumRight(), six.isChecksumRight(pseudoV6(six.length))]).toEqual([
        false,
        false,
      ]);
      view.refreshChecksum();
      six.refreshChecksum(pseudoV6(six.length));
      expect([view.isChecksumRight(), six.isChecksumRight(pseudoV6(six.length))]).toEqual([
        true,
        true,
      ]);
      six.adjustChecksum(V6.source.w3, 99);
      const moved = { ...V6, source: Address.parse("2001:db8::63")! };
      expect(six.isChecksumRight(checksum.pseudoHeader(moved, 58, six.length))).toBe(true);
    }),
  );
});
