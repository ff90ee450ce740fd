import { describe, expect, test } from "vitest";
import { address } from "../../../test/builders.ts";
import { type Frame, run } from "../../../test/classic-bpf.ts";
import { markRule } from "../../../test/mark-rules.ts";
import { receiveFilter } from "./packet-filter.ts";

const IPV4 = 0x0800;
const IPV6 = 0x86dd;
const ARP = 0x0806;
const TCP = 6;
const ICMP = 1;

function inet(protocol: number, source: string, destination: string): Frame {
  const bytes = new Uint8Array(64);
  bytes[14 + 9] = protocol;
  bytes.set(address(source).bytes(), 14 + 12);
  bytes.set(address(destination).bytes(), 14 + 16);
  return { etherType: IPV4, bytes };
}

function inet6(protocol: number, source: string, destination: string): Frame {
  const bytes = new Uint8Array(64);
  bytes[14 + 6] = protocol;
  bytes.set(address(source).bytes(), 14 + 8);
  bytes.set(address(destination).bytes(), 14 + 24);
  return { etherType: IPV6, bytes };
}

const filter = receiveFilter({
  ignoredInterfaces: [7, 9],
  addresses: ["192.0.2.1", "198.51.100.200", "2001:db8::1"].map(address),
});
const request = inet(TCP, "203.0.113.5", "192.0.2.1");

describe("takes", () => {
  test.for([
    ["a request to a service", request],
    ["a reply from a server", inet(TCP, "198.51.100.200", "203.0.113.5")],
    ["IPv6 to a service", inet6(TCP, "2001:db8::9", "2001:db8::1")],
    ["IPv6 from a service's address", inet6(TCP, "2001:db8::1", "2001:db8::9")],
    ["ICMP between anybody", inet(ICMP, "203.0.113.5", "203.0.113.6")],
    ["IPv6 with an extension header", inet6(0, "2001:db8::8", "2001:db8::9")],
    ["ARP", { etherType: ARP }],
    ["multicast and broadcast", { ...request, packetType: 2 }],
  ] as const)("%s", ([, frame]) => {
    expect(run(filter, frame)).toBe(0xffff_ffff);
  });
});

describe("drops", () => {
  test.for([
    ["what is not about a service", inet(TCP, "203.0.113.5", "203.0.113.6")],
    ["IPv6 that is not", inet6(TCP, "2001:db8::8", "2001:db8::9")],
    ["frames of an ignored interface", { ...request, interfaceIndex: 9 }],
    ["frames for another host", { ...request, packetType: 3 }],
    ["frames with a VLAN tag", { ...request, hasVlanTag: true }],
    ["frames without an Ethernet header", { ...request, hardwareType: 772 }],
    ["other protocols", { ...request, etherType: 0x88cc }],
  ] as const)("%s", ([, frame]) => {
    expect(run(filter, frame)).toBe(0);
  });
});

test("without addresses in a family nothing of it is taken", () => {
  const none = receiveFilter({ ignoredInterfaces: [], addresses: [address("192.0.2.1")] });
  expect(run(none, inet6(58, "2001:db8::8", "2001:db8::9"))).toBe(0);
  expect(run(none, request)).toBe(0xffff_ffff);
});

test("more addresses than fit, or undefined, take everything", () => {
  const many = Array.from({ length: 251 }, (_, index) => address(`10.0.1.${index}`));
  for (const addresses of [many, undefined]) {
    const all = receiveFilter({ ignoredInterfaces: [], addresses });
    expect(run(all, inet(TCP, "203.0.113.5", "203.0.113.6"))).toBe(0xffff_ffff);
  }
});

test("as many as fit make a program that the kernel takes", () => {
  const addresses = Array.from({ length: 250 }, (_, index) => address(`10.0.1.${index}`));
  const both = [...addresses, ...addresses.map((each) => address(`2001:db8::${each.w3 & 255}`))];
  const ignoredInterfaces = Array.from({ length: 1000 }, (_, index) => index);
  const program = receiveFilter({ ignoredInterfaces, addresses: both });
  expect(program.length / 8).toBeLessThanOrEqual(4096);
  expect(() =>
    receiveFilter({ ignoredInterfaces: [...ignoredInterfaces, 1000], addresses: [] }),
  ).toThrow(RangeError);
});

describe("what a mark rule matches is taken", () => {
  const marked = receiveFilter({
    ignoredInterfaces: [],
    addresses: [address("192.0.2.1")],
    marks: [
      "-d 10.0.0.0/24 -p tcp --ports 80,443,8000-8100 -m 1",
      "-s 10.9.0.0/16 -p udp --sports 53 -m 1",
      "-d 10.0.1.1 -m 1",
      "-d 2001:db8:0:8000::/49 -p tcp --ports 80 -m 1",
    ].map(markRule),
  });

  function withPorts(frame: Frame, source: number, destination: number, options = 0): Frame {
    const bytes = frame.bytes!.slice();
    const isInet = frame.etherType === IPV4;
    if (isInet) bytes[14] = 0x45 + options;
    const view = new DataView(bytes.buffer);
    const at = isInet ? 34 + 4 * options : 54;
    view.setUint16(at, source);
    view.setUint16(at + 2, destination);
    return { ...frame, bytes };
  }

  function fragment(frame: Frame, offset: number): Frame {
    const bytes = frame.bytes!.slice();
    new DataView(bytes.buffer).setUint16(20, offset);
    return { ...frame, bytes };
  }

  const UDP = 17;
  const farm = inet(TCP, "10.8.0.1", "10.0.0.9");
  const farm6 = inet6(TCP, "fd09::1", "2001:db8:0:ffff::1");
  // biome-ignore format: a table
  const frames: [what: string, frame: Frame, isTaken: boolean][] = [
    ["a port",                     withPorts(farm, 1, 443),         true],
    ["a port behind IP options",   withPorts(farm, 1, 443, 3),      true],
    ["the end of a range",         withPorts(farm, 1, 8100),        true],
    ["behind a range",             withPorts(farm, 1, 8101),        false],
    ["before a range",             withPorts(farm, 1, 7999),        false],
    ["another network",            withPorts(inet(TCP, "10.8.0.1", "10.0.2.9"), 1, 80), false],
    ["another protocol",           withPorts(inet(UDP, "10.8.0.1", "10.0.0.9"), 1, 80), false],
    ["a first fragment",           fragment(withPorts(farm, 1, 9), 0x2000), true],
    ["a later fragment",           fragment(withPorts(farm, 1, 9), 0x0010), true],
    ["a packet that must not be fragmented", fragment(withPorts(farm, 1, 9), 0x4000), false],
    ["a source port",              withPorts(inet(UDP, "10.9.8.7", "10.3.3.3"), 53, 9), true],
    ["another source port",        withPorts(inet(UDP, "10.9.8.7", "10.3.3.3"), 54, 53), false],
    ["every port",                 withPorts(inet(UDP, "10.8.8.7", "10.0.1.1"), 5, 6), true],
    ["IPv6",                       withPorts(farm6, 1, 80),         true],
    ["IPv6, another port",         withPorts(farm6, 80, 81),        false],
    ["IPv6, another network",      withPorts(inet6(TCP, "fd09::1", "2001:db8:0:7fff::1"), 1, 80), false],
    ["a service, as before",       withPorts(request, 1, 1),        true],
  ];

  test.for(frames)("%s", ([, frame, isTaken]) => {
    expect(run(marked, frame)).toBe(isTaken ? 0xffff_ffff : 0);
  });

  test("or more, when the rules do not fit the program", () => {
    const marks = Array.from({ length: 256 }, (_, index) =>
      markRule(`-d 10.${index}.0.0/16 -p tcp --ports 1,3,5,7,9,11,13 -m 1`),
    );
    const coarse = receiveFilter({ ignoredInterfaces: [], addresses: [], marks });
    expect(coarse.length / 8).toBeLessThanOrEqual(4096);
    expect(run(coarse, withPorts(inet(TCP, "9.9.9.9", "9.9.9.9"), 2, 2))).toBe(0xffff_ffff);
    expect(run(coarse, withPorts(farm6, 1, 80))).toBe(0);
  });
});
