import fc from "fast-check";
import { expect, test } from "vitest";
import { inetAddress, payload, uint16 } from "../../test/arbitraries.ts";
import { bytes } from "../../test/bytes.ts";
import { Address } from "./address.ts";
import {
  ARP_OPERATION,
  type ArpFault,
  ArpView,
  emitArp,
  emitArpReply,
  emitArpRequest,
} from "./arp.ts";
import { ETHERTYPE, EthernetView, emitEthernet } from "./ethernet.ts";
import { BROADCAST_MAC, macBytes, parseMac, readMac } from "./mac-address.ts";

const HOST = parseMac("02:00:00:00:00:0a")!;
const FRAME = "ffff ffff ffff 0200 0000 000a 0806 70696e67";
const TAGGED = "ffff ffff ffff 0200 0000 000a 8100 a064 86dd 70696e67";

test("over() reads a frame", () => {
  const frame = EthernetView.over(bytes(FRAME)) as EthernetView;
  const header = {
    destination: BROADCAST_MAC,
    source: HOST,
    etherType: ETHERTYPE.arp,
    tag: undefined,
  };
  expect(frame.header).toEqual(header);
  expect([frame.payloadStart, frame.vlan, frame.isMulticast]).toEqual([14, undefined, true]);
  expect(frame.payload).toEqual(bytes("70696e67"));
});

test("over() reads a frame with a tag", () => {
  const frame = EthernetView.over(bytes(TAGGED)) as EthernetView;
  expect([frame.etherType, frame.tag, frame.vlan]).toEqual([ETHERTYPE.ipv6, 0xa064, 100]);
  expect([frame.payloadStart, frame.payload]).toEqual([18, bytes("70696e67")]);
});

const cut: [why: string, frame: string][] = [
  ["is empty", ""],
  ["ends inside its header", FRAME.slice(0, 32)],
  ["ends inside its tag", TAGGED.slice(0, 42)],
];

test.for(cut)("over() refuses a frame that %s", ([, frame]) => {
  expect(EthernetView.over(bytes(frame))).toBe("truncated");
});

test("addresses are compared and copied without text", () => {
  const packet = bytes(FRAME);
  const frame = EthernetView.over(packet) as EthernetView;
  const other = macBytes(parseMac("02:00:00:00:00:0b")!);
  expect([frame.isTo(packet), frame.isFrom(packet, 6), frame.isTo(packet, 6)]).toEqual([
    true,
    true,
    false,
  ]);
  frame.setDestination(packet, 6);
  frame.setSource(other);
  expect([frame.isTo(macBytes(HOST)), frame.isFrom(other), frame.isMulticast]).toEqual([
    true,
    true,
    false,
  ]);
});

test.for([
  ["02:00:00:AA:bb:0c", "02:00:00:aa:bb:0c"],
  ["2:0:0:0:0:c", undefined],
  ["02-00-00-00-00-0c", undefined],
  ["02:00:00:00:00", undefined],
  ["02:00:00:00:00:0c:00", undefined],
  ["02:00:00:00:00:0g", undefined],
] as const)("parseMac(%s) is %s", ([text, mac]) => {
  expect(parseMac(text)).toBe(mac);
});

const mac = fc.uint8Array({ minLength: 6, maxLength: 6 }).map((raw) => readMac(raw, 0));

test("what is emitted is what is read", () => {
  const header = fc.record({
    destination: mac,
    source: mac,
    etherType: uint16.filter((type) => type !== ETHERTYPE.vlan),
    tag: fc.option(uint16, { nil: undefined }),
  });
  fc.assert(
    fc.property(header, payload(), (fields, content) => {
      const frame = EthernetView.over(emitEthernet(fields, content)) as EthernetView;
      expect(frame.header).toEqual(fields);
      expect(frame.payload).toEqual(content);
      expect(parseMac(fields.source)).toBe(fields.source);
    }),
  );
});

const [asker, asked] = [Address.parse("192.168.150.1")!, Address.parse("192.168.150.100")!];
const REQUEST = "0001 0800 0604 0001 0200 0000 000a c0a8 9601 0000 0000 0000 c0a8 9664";

test("ARP asks, and answers who asked", () => {
  const request = emitArpRequest(HOST, asker, asked);
  expect(request).toEqual(bytes(REQUEST));
  const { message } = ArpView.over(request) as ArpView;
  const answer = emitArpReply(message, parseMac("02:00:00:00:00:0b")!);
  expect(answer).toEqual(
    bytes("0001 0800 0604 0002 0200 0000 000b c0a8 9664 0200 0000 000a c0a8 9601"),
  );
});

const arpFaults: [why: string, message: string, fault: ArpFault][] = [
  ["ends too early", REQUEST.slice(0, -2), "truncated"],
  ["is about another link layer", REQUEST.replace("0001", "0006"), "unsupported"],
  ["is about another protocol", REQUEST.replace("0800", "86dd"), "unsupported"],
  ["has link-layer addresses of 8 bytes", REQUEST.replace("0604", "0804"), "unsupported"],
  ["has network addresses of 16 bytes", REQUEST.replace("0604", "0610"), "unsupported"],
];

test.for(arpFaults)("over() refuses an ARP message that %s", ([, message, fault]) => {
  expect(ArpView.over(bytes(message))).toBe(fault);
});

test("what is emitted as ARP is what is read", () => {
  const message = fc.record({
    operation: fc.constantFrom(ARP_OPERATION.request, ARP_OPERATION.reply),
    senderMac: mac,
    sender: inetAddress,
    targetMac: mac,
    target: inetAddress,
  });
  fc.assert(
    fc.property(message, (fields) => {
      expect((ArpView.over(emitArp(fields)) as ArpView).message).toEqual(fields);
    }),
  );
});
