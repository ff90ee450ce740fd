/** Whatever comes from the wire, a view refuses it or can be read from end to end, and reads only its own window. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { ArpView } from "./arp.ts";
import { EthernetView } from "./ethernet.ts";
import { GreView } from "./gre.ts";
import { GueView } from "./gue.ts";
import { IcmpView } from "./icmp.ts";
import { Icmpv6View } from "./icmpv6.ts";
import { Ipv4View } from "./ipv4.ts";
import { Ipv6View } from "./ipv6.ts";
import { BLOCK, BYTE_ORDER_MAGIC } from "./pcapng.ts";
import { readCapture } from "./pcapng-reader.ts";
import { PortsView } from "./ports.ts";
import { SctpView } from "./sctp.ts";
import { completeChecksum, segment } from "./segmentation.ts";
import { TcpView } from "./tcp.ts";
import { tcpOptions } from "./tcp-options.ts";
import { UdpView } from "./udp.ts";
import type { View } from "./view.ts";
import { writeUint32 } from "./words.ts";

const views: [name: string, first: number, create: () => View][] = [
  ["EthernetView", 0x02, () => EthernetView.unplaced()],
  ["ArpView", 0x00, () => ArpView.unplaced()],
  ["Ipv4View", 0x45, () => Ipv4View.unplaced()],
  ["Ipv6View", 0x60, () => Ipv6View.unplaced()],
  ["TcpView", 0x00, () => TcpView.unplaced()],
  ["UdpView", 0x00, () => UdpView.unplaced()],
  ["PortsView", 0x00, () => PortsView.unplaced()],
  ["SctpView", 0x00, () => SctpView.unplaced()],
  ["IcmpView", 0x03, () => IcmpView.unplaced()],
  ["Icmpv6View", 0x01, () => Icmpv6View.unplaced()],
  ["GreView", 0xb0, () => GreView.unplaced()],
  ["GueView", 0x02, () => GueView.unplaced()],
];

/** Bytes like a real header's often enough to come past the first check: small numbers are frequent. */
const packet = fc.array(fc.oneof(fc.nat({ max: 255 }), fc.constantFrom(0, 1, 6, 17, 43, 44, 60)), {
  maxLength: 120,
});

/** What every field, every getter and every method without parameters of `view` gives. */
function readEverything(view: View): Record<string, unknown> {
  const found: Record<string, unknown> = { start: view.start, end: view.end };
  const members = Object.getOwnPropertyDescriptors(Object.getPrototypeOf(view) as object);
  for (const [name, { value, ...accessor }] of Object.entries(members)) {
    if (accessor.get !== undefined) found[name] = Reflect.get(view, name);
    else if (/^(is|sourceWord|destinationWord|chunks)/.test(name) && typeof value === "function") {
      const result: unknown = (value as (argument: number) => unknown).call(view, 0);
      found[name] = name === "chunks" ? [...(result as Iterable<unknown>)] : result;
    }
  }
  return found;
}

test.for(views)("%s survives any bytes", ([, first, create]) => {
  fc.assert(
    fc.property(packet, fc.boolean(), fc.nat({ max: 20 }), (numbers, looksRight, before) => {
      const content = Uint8Array.from(numbers);
      if (looksRight && content.length > 0) content[0] = first;
      const end = before + content.length;
      const [zeros, ones] = [0x00, 0xff].map((around) => {
        const bytes = new Uint8Array(end + 50).fill(around);
        bytes.set(content, before);
        return bytes;
      }) as [Uint8Array, Uint8Array];

      const view = create();
      const fault = view.moveTo(zeros, before, end);
      if (fault !== undefined) {
        expect(typeof fault).toBe("string");
        return;
      }
      expect(view.start).toBe(before);
      expect(view.end).toBeLessThanOrEqual(end);
      const seen = readEverything(view);
      // Other bytes around the window must not show.
      expect(view.moveTo(ones, before, end)).toBeUndefined();
      expect(readEverything(view)).toEqual(seen);
    }),
    { numRuns: 400 },
  );
});

test.for(views)("%s refuses windows that are none", ([, , create]) => {
  const bytes = new Uint8Array(100).fill(0x45);
  const windows = [
    [-1, 90],
    [0, 101],
    [60, 40],
    [100, 100],
    [Number.NaN, 90],
    [0, Number.NaN],
  ];
  for (const [start, end] of windows) {
    expect(create().moveTo(bytes, start!, end!)).toBe("truncated");
  }
});

test.for(views)("%s shows zeros until it is moved", ([, , create]) => {
  const { start, end } = readEverything(create());
  expect([start, end]).toEqual([0, expect.any(Number)]);
});

test("a view that refuses stays where it was", () => {
  const bytes = Uint8Array.of(0x9c, 0x40, 0, 53, 0, 8, 0, 0);
  const udp = UdpView.over(bytes) as UdpView;
  expect(udp.moveTo(Uint8Array.of(1, 2), 0, 2)).toBe("truncated");
  expect(udp.destination).toBe(53);
});

test("quotes, options, segments and captures survive any bytes", () => {
  fc.assert(
    fc.property(packet, fc.constantFrom(0x45, 0x4f, 0x60), (numbers, first) => {
      const content = Uint8Array.from([first, ...numbers]);
      const inet = Ipv4View.unplaced();
      const inet6 = Ipv6View.unplaced();
      if (inet.moveToQuote(content, 0, content.length) === undefined) readEverything(inet);
      if (inet6.moveToQuote(content, 0, content.length) === undefined) readEverything(inet6);
      expect([...tcpOptions(content)].length).toBeLessThanOrEqual(content.length);
      segment(content, 0, content.length, 8);
      completeChecksum(content, 0, content.length);
      readCapture(content);
      const capture = new Uint8Array(12 + content.length);
      writeUint32(capture, 0, BLOCK.sectionHeader);
      writeUint32(capture, 4, capture.length);
      writeUint32(capture, 8, BYTE_ORDER_MAGIC);
      capture.set(content, 12);
      readCapture(capture);
    }),
    { numRuns: 500 },
  );
});
