import fc from "fast-check";
import { expect, test } from "vitest";
import { addressPair, payload, port, uint32 } from "../../test/arbitraries.ts";
import { bytes } from "../../test/bytes.ts";
import { Address } from "./address.ts";
import * as checksum from "./checksum.ts";
import { IP_PROTOCOL } from "./ip-protocol.ts";
import { toPort } from "./port.ts";
import { emitUdp, type UdpFault, UdpView } from "./udp.ts";

// 10.0.0.1:40000 > 10.0.0.2:53, "ping".
const DATAGRAM = "9c40 0035 000c 708d 70696e67";
const ADDRESSES = {
  source: Address.parse("10.0.0.1")!,
  destination: Address.parse("10.0.0.2")!,
};

test("over() reads every field of a datagram", () => {
  const udp = UdpView.over(bytes(`${DATAGRAM} 0000`)) as UdpView;
  expect(udp.header).toEqual({ source: 40000, destination: 53 });
  expect(udp.checksum).toBe(0x708d);
  expect(udp.payload).toEqual(bytes("70696e67"));
  expect([udp.length, udp.end]).toEqual([12, 12]);
  expect(udp.isChecksumRight(checksum.pseudoHeader(ADDRESSES, 17, 12))).toBe(true);
  expect(emitUdp(udp.header, udp.payload, ADDRESSES)).toEqual(bytes(DATAGRAM));
});

const faults: [why: string, datagram: string, fault: UdpFault][] = [
  ["ends inside its header", "9c40 0035 000c 70", "truncated"],
  ["says it is shorter than its header", "9c40 0035 0007 708d", "bad-length"],
  ["says it is longer than the packet", "9c40 0035 000d 708d 70696e67", "bad-length"],
];

test.for(faults)("over() refuses a datagram that %s", ([, datagram, fault]) => {
  expect(UdpView.over(bytes(datagram))).toBe(fault);
});

const redirects: [why: string, before: string, after: string][] = [
  ["updates the checksum", "9c40 0035 000c 708d 70696e67", "9c40 14e9 000c 5bd9 70696e67"],
  ["leaves no checksum as none", "9c40 0035 000c 0000 70696e67", "9c40 14e9 000c 0000 70696e67"],
  ["sends a zero checksum as ones", "9c40 0035 0008 14b4", "9c40 14e9 0008 ffff"],
];

test.for(redirects)("setDestination() %s", ([, before, after]) => {
  const packet = bytes(before);
  (UdpView.over(packet) as UdpView).setDestination(toPort(5353));
  expect(packet).toEqual(bytes(after));
});

test("a datagram without a checksum is right, and gets one when it is refreshed", () => {
  const packet = bytes("9c40 0035 000c 0000 70696e67");
  const udp = UdpView.over(packet) as UdpView;
  expect(udp.isChecksumRight(1234)).toBe(true);
  udp.refreshChecksum(checksum.pseudoHeader(ADDRESSES, 17, 12));
  expect(packet).toEqual(bytes(DATAGRAM));
});

test("a computed checksum of zero is sent as ones", () => {
  const udp = UdpView.over(bytes("0000 0000 0008 0000")) as UdpView;
  udp.refreshChecksum(0xffff - 8);
  expect(udp.checksum).toBe(0xffff);
});

const anyPair = fc.oneof(addressPair("inet"), addressPair("inet6"));

test("what is emitted is what is read", () => {
  fc.assert(
    fc.property(port, port, payload(), anyPair, (source, destination, content, addresses) => {
      const udp = UdpView.over(emitUdp({ source, destination }, content, addresses)) as UdpView;
      expect(udp.header).toEqual({ source, destination });
      expect(udp.payload).toEqual(content);
      const pseudo = checksum.pseudoHeader(addresses, IP_PROTOCOL.udp, udp.length);
      expect(udp.isChecksumRight(pseudo)).toBe(true);
      expect((UdpView.over(emitUdp({ source, destination }, content)) as UdpView).checksum).toBe(0);
    }),
  );
});

test("translation keeps the checksum what a full sum gives", () => {
  fc.assert(
    fc.property(
      port,
      port,
      payload(),
      addressPair("inet"),
      uint32,
      (from, to, content, pair, word) => {
        const header = { source: from, destination: from };
        const udp = UdpView.over(emitUdp(header, content, pair)) as UdpView;
        udp.setSource(to);
        udp.setDestination(to);
        udp.adjustChecksum(pair.destination.w3, word);
        const after = { source: pair.source, destination: Address.inet(word) };
        const expected = emitUdp({ source: to, destination: to }, content, after);
        expect(udp.checksum).toBe((expected[6]! << 8) | expected[7]!);
      },
    ),
  );
});
