import fc from "fast-check";
import { expect, test } from "vitest";
import { addressPair, headerOptions, port, uint16, uint32 } from "../../test/arbitraries.ts";
import { bytes } from "../../test/bytes.ts";
import { Address, type AddressPair } from "./address.ts";
import { IP_PROTOCOL } from "./ip-protocol.ts";
import { emitIpv4, Ipv4View } from "./ipv4.ts";
import { emitIpv6, Ipv6View } from "./ipv6.ts";
import { toPort } from "./port.ts";
import { emitSctp, SctpView } from "./sctp.ts";
import { completeChecksum, type SegmentationFault, segment } from "./segmentation.ts";
import { emitTcp, TCP_FLAG, type TcpFields, TcpView } from "./tcp.ts";
import { emitUdp, UdpView } from "./udp.ts";
import { writeUint16 } from "./words.ts";

const INET = { source: Address.parse("10.0.0.1")!, destination: Address.parse("10.0.0.2")! };
const ALL_FLAGS = TCP_FLAG.cwr | TCP_FLAG.ece | TCP_FLAG.ack | TCP_FLAG.psh | TCP_FLAG.fin;

function emitIp(
  addresses: AddressPair,
  protocol: number,
  identification: number,
  payload: Uint8Array,
) {
  return addresses.source.family === "inet"
    ? emitIpv4({ ...addresses, protocol, identification }, payload)
    : emitIpv6({ ...addresses, nextHeader: protocol }, payload);
}

function placeIp(packet: Uint8Array): Ipv4View | Ipv6View {
  const inet = Ipv4View.over(packet);
  return inet instanceof Ipv4View ? inet : (Ipv6View.over(packet) as Ipv6View);
}

function pattern(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => index * 7);
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

/** What a sender hands to its network card: the pseudo-header's sum in place of the checksum. */
function leavePartial(packet: Uint8Array, field: number): void {
  const ip = placeIp(packet);
  writeUint16(packet, ip.payloadStart + field, ip.pseudoHeader(ip.end - ip.payloadStart));
}

const anyPair = fc.oneof(addressPair("inet"), addressPair("inet6"));
const tcpFields = fc.record({
  source: port,
  destination: port,
  sequence: uint32,
  acknowledgement: uint32,
  flags: fc.constantFrom(ALL_FLAGS, TCP_FLAG.ack, TCP_FLAG.ack | TCP_FLAG.psh),
  window: uint16,
  options: headerOptions,
});
const length = fc.nat({ max: 5000 });
const size = fc.integer({ min: 1, max: 1460 });

test("segments of TCP are the original in pieces, each right by itself", () => {
  fc.assert(
    fc.property(anyPair, tcpFields, uint16, length, size, (addresses, fields, id, total, max) => {
      fc.pre(total / max < 200);
      const tcp = emitTcp(fields, pattern(total), addresses);
      const packet = emitIp(addresses, IP_PROTOCOL.tcp, id, tcp);
      leavePartial(packet, 16);
      const pieces = segment(packet, 0, packet.length, max) as Uint8Array[];
      expect(pieces).toHaveLength(Math.max(1, Math.ceil(total / max)));
      const payloads = pieces.map((piece, index) => {
        const ip = placeIp(piece);
        const view = TcpView.over(piece, ip.payloadStart, ip.end) as TcpView;
        expect(ip.end).toBe(piece.length);
        if (ip instanceof Ipv4View) {
          expect(ip.isChecksumRight()).toBe(true);
          expect(ip.identification).toBe((id + index) & 0xffff);
        }
        expect(view.isChecksumRight(ip.pseudoHeader(view.length))).toBe(true);
        const isFirst = index === 0;
        const isLast = index === pieces.length - 1;
        const removed = (isFirst ? 0 : TCP_FLAG.cwr) | (isLast ? 0 : TCP_FLAG.fin | TCP_FLAG.psh);
        expect(view.header).toEqual({
          ...fields,
          sequence: (fields.sequence + index * max) >>> 0,
          flags: fields.flags & ~removed,
          urgentPointer: 0,
        });
        return view.payload;
      });
      expect(concat(payloads)).toEqual(pattern(total));
    }),
    { numRuns: 60 },
  );
});

test("segments of UDP are datagrams of their own", () => {
  fc.assert(
    fc.property(anyPair, port, uint16, length, size, (addresses, source, id, total, max) => {
      fc.pre(total / max < 200);
      const header = { source, destination: source };
      const udp = emitUdp(header, pattern(total), addresses);
      const packet = emitIp(addresses, IP_PROTOCOL.udp, id, udp);
      leavePartial(packet, 6);
      const pieces = segment(packet, 0, packet.length, max) as Uint8Array[];
      const payloads = pieces.map((piece) => {
        const ip = placeIp(piece);
        const view = UdpView.over(piece, ip.payloadStart, ip.end) as UdpView;
        expect([view.end, view.checksum === 0]).toEqual([piece.length, false]);
        expect(view.isChecksumRight(ip.pseudoHeader(view.length))).toBe(true);
        expect(view.header).toEqual(header);
        return view.payload;
      });
      expect(concat(payloads)).toEqual(pattern(total));
    }),
    { numRuns: 60 },
  );
});

test("a UDP datagram without a checksum is cut into ones without", () => {
  const udp = emitUdp({ source: toPort(1), destination: toPort(2) }, pattern(100));
  const packet = emitIp(INET, IP_PROTOCOL.udp, 0, udp);
  const pieces = segment(packet, 0, packet.length, 60) as Uint8Array[];
  const sums = pieces.map((piece) => (UdpView.over(piece, 20) as UdpView).checksum);
  expect(sums).toEqual([0, 0]);
});

test("what lies around the packet stays out", () => {
  const fields: TcpFields = { source: toPort(1), destination: toPort(2), flags: TCP_FLAG.ack };
  const packet = emitIp(INET, IP_PROTOCOL.tcp, 0, emitTcp(fields, pattern(10), INET));
  const frame = concat([new Uint8Array(14).fill(0xee), packet, new Uint8Array(6).fill(0xee)]);
  const expected = segment(packet, 0, packet.length, 4);
  expect(segment(frame, 14, frame.length, 4)).toEqual(expected);
});

const ICMP = emitIpv4({ ...INET, protocol: 1 }, bytes("0800 f7ff 0000 0000"));
const FRAGMENT = emitIpv4({ ...INET, protocol: 6, moreFragments: true }, new Uint8Array(24));
const CUT_TCP = emitIpv4({ ...INET, protocol: 6 }, new Uint8Array(19));
const CUT_UDP = emitIpv4({ ...INET, protocol: 17 }, new Uint8Array(7));

const faults: [why: string, packet: Uint8Array, fault: SegmentationFault][] = [
  ["ICMP", ICMP, "unsupported"],
  ["a fragment", FRAGMENT, "unsupported"],
  ["half a TCP header", CUT_TCP, "malformed"],
  ["half a UDP header", CUT_UDP, "malformed"],
  ["no IP packet", bytes("0000 0000"), "malformed"],
];

test.for(faults)("segment() and completeChecksum() refuse %s", ([, packet, fault]) => {
  const before = packet.slice();
  expect(segment(packet, 0, packet.length, 1000)).toBe(fault);
  expect(completeChecksum(packet, 0, packet.length)).toBe(fault);
  expect(packet).toEqual(before);
});

test("segment() refuses a size that would never end", () => {
  expect(() => segment(ICMP, 0, ICMP.length, 0)).toThrow(RangeError);
});

test("completeChecksum() makes of a partial checksum the one that was emitted", () => {
  fc.assert(
    fc.property(anyPair, tcpFields, length, (addresses, fields, total) => {
      const tcp = emitIp(addresses, IP_PROTOCOL.tcp, 1, emitTcp(fields, pattern(total), addresses));
      const udp = emitIp(addresses, IP_PROTOCOL.udp, 1, emitUdp(fields, pattern(total), addresses));
      const expected = [tcp.slice(), udp.slice()];
      leavePartial(tcp, 16);
      leavePartial(udp, 6);
      expect(completeChecksum(tcp, 0, tcp.length)).toBeUndefined();
      expect(completeChecksum(udp, 0, udp.length)).toBeUndefined();
      expect([tcp, udp]).toEqual(expected);
    }),
    { numRuns: 40 },
  );
});

test("completeChecksum() refreshes SCTP's", () => {
  const header = { source: toPort(1), destination: toPort(2), verificationTag: 3 };
  const packet = emitIp(INET, IP_PROTOCOL.sctp, 0, emitSctp(header, []));
  const sctp = SctpView.over(packet, 20) as SctpView;
  sctp.setSource(toPort(9));
  expect(completeChecksum(packet, 0, packet.length)).toBeUndefined();
  expect(sctp.isChecksumRight()).toBe(true);
});
