import { describe, expect, test } from "vitest";
import { address } from "../../../test/builders.ts";
import { type Frame, run } from "../../../test/classic-bpf.ts";
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
