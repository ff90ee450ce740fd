import { expect, test } from "vitest";
import { bytes } from "../../test/bytes.ts";
import { Address } from "./address.ts";
import { announcementFrame } from "./announcement.ts";
import * as checksum from "./checksum.ts";
import { EthernetView } from "./ethernet.ts";
import { Icmpv6View } from "./icmpv6.ts";
import { IP_PROTOCOL } from "./ip-protocol.ts";
import { Ipv6View } from "./ipv6.ts";
import { parseMac } from "./mac-address.ts";

const MAC = parseMac("02:00:00:00:00:01")!;

test("an IPv4 address is announced by a gratuitous ARP request", () => {
  const frame = announcementFrame(MAC, Address.parse("192.0.2.10")!, false);
  expect(frame).toEqual(
    bytes(
      "ffffffffffff 020000000001 0806 0001 0800 06 04 0001 020000000001 c000020a 000000000000 c000020a",
    ),
  );
});

test.for([
  [true, 0xa000_0000],
  [false, 0x2000_0000],
] as const)("an IPv6 address is announced by an advertisement, router %s", ([isRouter, flags]) => {
  const address = Address.parse("2001:db8::10")!;
  const frame = announcementFrame(MAC, address, isRouter);
  const ethernet = new EthernetView();
  expect(ethernet.moveTo(frame, 0, frame.length)).toBeUndefined();
  expect(ethernet.destination).toBe("33:33:00:00:00:01");
  const ip = new Ipv6View();
  expect(ip.moveTo(frame, ethernet.payloadStart, frame.length)).toBeUndefined();
  expect([ip.source.toString(), ip.destination.toString()]).toEqual(["2001:db8::10", "ff02::1"]);
  expect(ip.hopLimit).toBe(255);
  const icmp = new Icmpv6View();
  expect(icmp.moveTo(frame, ip.payloadStart, frame.length)).toBeUndefined();
  expect([icmp.type, icmp.code, icmp.rest]).toEqual([136, 0, flags]);
  expect(icmp.payload).toEqual(bytes("20010db8000000000000000000000010 02 01 020000000001"));
  const addresses = { source: ip.source, destination: ip.destination };
  const pseudoHeader = checksum.pseudoHeader(addresses, IP_PROTOCOL.icmpv6, icmp.length);
  expect(icmp.isChecksumRight(pseudoHeader)).toBe(true);
});
