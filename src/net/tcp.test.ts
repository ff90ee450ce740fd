import fc from "fast-check";
import { expect, test } from "vitest";
import {
  addressPair,
  headerOptions,
  payload,
  port,
  uint8,
  uint16,
  uint32,
} from "../../test/arbitraries.ts";
import { bytes } from "../../test/bytes.ts";
import { Address, type AddressPair } from "./address.ts";
import * as checksum from "./checksum.ts";
import { IP_PROTOCOL } from "./ip-protocol.ts";
import { toPort } from "./port.ts";
import { PortsView } from "./ports.ts";
import { emitTcp, TCP_FLAG, type TcpFault, TcpView } from "./tcp.ts";
import { emitTcpOptions, maximumSegmentSize, tcpOptions } from "./tcp-options.ts";

// A Linux client's SYN to port 80: MSS 1460, SACK permitted, timestamps, window scale 7.
const SYN =
  "dc42 0050 12345678 00000000 a002 faf0 0000 0000 0204 05b4 0402 080a 0000 0001 0000 0000 0103 0307";

test("over() reads every field of a segment", () => {
  const tcp = TcpView.over(bytes(`${SYN} 4745 5420`)) as TcpView;
  expect(tcp.header).toEqual({
    source: 56386,
    destination: 80,
    sequence: 0x12345678,
    acknowledgement: 0,
    flags: TCP_FLAG.syn,
    window: 64240,
    urgentPointer: 0,
    options: bytes("0204 05b4 0402 080a 0000 0001 0000 0000 0103 0307"),
  });
  expect([tcp.dataOffset, tcp.payloadStart, tcp.length]).toEqual([40, 40, 44]);
  expect(tcp.payload).toEqual(bytes("4745 5420"));
  expect(maximumSegmentSize(tcp.options)).toBe(1460);
  expect([...tcpOptions(tcp.options)].map(({ kind }) => kind)).toEqual([2, 4, 8, 3]);
});

const faults: [why: string, segment: string, fault: TcpFault][] = [
  ["ends inside its header", SYN.slice(0, 45), "truncated"],
  ["has its payload inside its header", SYN.replace("a002", "4002"), "bad-offset"],
  ["ends inside its options", SYN.replace("a002", "b002"), "bad-offset"],
];

test.for(faults)("over() refuses a segment that %s", ([, segment, fault]) => {
  expect(TcpView.over(bytes(segment))).toBe(fault);
});

const options: [why: string, raw: string, mss: number | undefined][] = [
  ["behind no-operations", "01 01 0204 05b4 00 00", 1460],
  ["behind the end", "00 00 0204 05b4 00 00", undefined],
  ["behind an option of no length", "0800 0204 05b4 00 00", undefined],
  ["behind an option that goes on outside", "0809 0204 05b4 00 00", undefined],
  ["of a wrong length", "0203 05 00", undefined],
  ["cut in two", "01 01 01 02", undefined],
];

test.for(options)("maximumSegmentSize() of one %s", ([, raw, mss]) => {
  expect(maximumSegmentSize(bytes(raw))).toBe(mss);
});

test("options go through their bytes", () => {
  const kind = fc.integer({ min: 2, max: 255 });
  const option = fc.record({ kind, value: fc.uint8Array({ maxLength: 12 }) });
  fc.assert(
    fc.property(fc.array(option, { maxLength: 3 }), (list) => {
      const raw = emitTcpOptions(list);
      expect(raw.length % 4).toBe(0);
      expect([...tcpOptions(raw)]).toEqual(list);
    }),
  );
});

const header = fc.record({
  source: port,
  destination: port,
  sequence: uint32,
  acknowledgement: uint32,
  flags: uint8,
  window: uint16,
  urgentPointer: uint16,
  options: headerOptions,
});

const anyPair = fc.oneof(addressPair("inet"), addressPair("inet6"));

test("what is emitted is what is read", () => {
  fc.assert(
    fc.property(header, payload(), anyPair, (fields, content, addresses) => {
      const tcp = TcpView.over(emitTcp(fields, content, addresses)) as TcpView;
      expect(tcp.header).toEqual(fields);
      expect(tcp.payload).toEqual(content);
      const pseudo = checksum.pseudoHeader(addresses, IP_PROTOCOL.tcp, tcp.length);
      expect(tcp.isChecksumRight(pseudo)).toBe(true);
      const kept = tcp.checksum;
      tcp.refreshChecksum(pseudo);
      expect(tcp.checksum).toBe(kept);
    }),
  );
});

/** Follows every word of an address from `before` to `after`. */
function adjust(tcp: TcpView, before: Address, after: Address): void {
  tcp.adjustChecksum(before.w0, after.w0);
  tcp.adjustChecksum(before.w1, after.w1);
  tcp.adjustChecksum(before.w2, after.w2);
  tcp.adjustChecksum(before.w3, after.w3);
}

const twoPairs = fc.oneof(
  fc.tuple(addressPair("inet"), addressPair("inet")),
  fc.tuple(addressPair("inet6"), addressPair("inet6")),
);

test("translation keeps the checksum what a full sum gives", () => {
  fc.assert(
    fc.property(header, payload(), twoPairs, port, (fields, content, [before, after], to) => {
      const tcp = TcpView.over(emitTcp(fields, content, before)) as TcpView;
      adjust(tcp, before.source, after.source);
      adjust(tcp, before.destination, after.destination);
      tcp.setSource(to);
      tcp.setDestination(to);
      const translated = { ...fields, source: to, destination: to };
      const expected = TcpView.over(emitTcp(translated, content, after)) as TcpView;
      expect(tcp.checksum).toBe(expected.checksum);
      expect(tcp.header).toEqual(translated);
    }),
  );
});

test("a partial checksum follows the addresses and is finished to a right one", () => {
  fc.assert(
    fc.property(
      header,
      payload(),
      addressPair("inet"),
      uint32,
      port,
      (fields, content, pair, word, to) => {
        const segment = emitTcp(fields, content, pair);
        const partial = checksum.pseudoHeader(pair, IP_PROTOCOL.tcp, segment.length);
        segment[16] = partial >>> 8;
        segment[17] = partial;
        const tcp = TcpView.over(segment) as TcpView;
        tcp.adjustPartialChecksum(pair.destination.w3, word);
        (PortsView.over(segment) as PortsView).setDestination(to);
        checksum.completePartial(segment, 0, 16, segment.length);
        const after: AddressPair = { source: pair.source, destination: Address.inet(word) };
        const pseudo = checksum.pseudoHeader(after, IP_PROTOCOL.tcp, segment.length);
        expect(tcp.isChecksumRight(pseudo)).toBe(true);
        expect(tcp.destination).toBe(to);
      },
    ),
  );
});

test("PortsView reads and writes ports alone, even where no more is left", () => {
  const quote = bytes("dc42 0050 12345678");
  const ports = PortsView.over(quote) as PortsView;
  expect([ports.source, ports.destination]).toEqual([56386, 80]);
  ports.setSource(toPort(1));
  ports.setDestination(toPort(8080));
  expect(quote).toEqual(bytes("0001 1f90 12345678"));
  expect(PortsView.over(quote, 5)).toBe("truncated");
});

test("refuses to write options of no whole words, or of 44 bytes", () => {
  const addresses = { source: Address.inet(1), destination: Address.inet(2) };
  const fields = { source: toPort(1), destination: toPort(2), flags: TCP_FLAG.syn };
  for (const length of [3, 44]) {
    const odd = { ...fields, options: new Uint8Array(length) };
    expect(() => emitTcp(odd, new Uint8Array(0), addresses)).toThrow(RangeError);
  }
});
