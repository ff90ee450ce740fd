import { expect, test } from "vitest";
import { address } from "../../../../test/builders.ts";
import { type Frame, run } from "../../../../test/classic-bpf.ts";
import { emitIpv4 } from "../../../net/ipv4.ts";
import { emitIpv6 } from "../../../net/ipv6.ts";
import { toPort } from "../../../net/port.ts";
import { emitUdp } from "../../../net/udp.ts";
import { tunnelFilter } from "./tunnel-filter.ts";

const WHOLE = 0xffff_ffff;
const ETHERNET = new Uint8Array(14);

const frame = (etherType: number, packet: Uint8Array): Frame => ({
  etherType,
  bytes: Buffer.concat([ETHERNET, packet]),
});

const ends = { source: address("192.0.2.1"), destination: address("192.0.2.2") };
const ends6 = { source: address("2001:db8::1"), destination: address("2001:db8::2") };
const payload: Uint8Array = new Uint8Array(28);
const udpTo = (port: number): Uint8Array =>
  emitUdp({ source: toPort(40000), destination: toPort(port) }, payload);

const inet = (protocol: number, data = payload, more: object = {}): Frame =>
  frame(0x0800, emitIpv4({ ...ends, protocol, ...more }, data));
const inet6 = (nextHeader: number, data = payload): Frame =>
  frame(0x86dd, emitIpv6({ ...ends6, nextHeader }, data));

// biome-ignore format: a table
const cases: readonly (readonly [what: string, frame: Frame, withPort: boolean, without: boolean])[] = [
  ["IP in IP",                     inet(4),                                     true,  true],
  ["IPv6 in IP",                   inet(41),                                    true,  true],
  ["GRE",                          inet(47),                                    true,  true],
  ["GUE",                          inet(17, udpTo(6080)),                       true,  false],
  ["GUE behind IP options",        inet(17, udpTo(6080), { options: new Uint8Array(8) }), true, false],
  ["a later fragment of UDP",      inet(17, payload, { fragmentOffset: 1480 }), true,  false],
  ["a first fragment of UDP",      inet(17, udpTo(53), { moreFragments: true }), true, false],
  ["other UDP",                    inet(17, udpTo(53)),                         false, false],
  ["TCP",                          inet(6),                                     false, false],
  ["IPv4 over IPv6",               inet6(4),                                    true,  true],
  ["GRE over IPv6",                inet6(47),                                   true,  true],
  ["GUE over IPv6",                inet6(17, udpTo(6080)),                      true,  false],
  ["a fragment over IPv6",         inet6(44),                                   true,  true],
  ["other UDP over IPv6",          inet6(17, udpTo(53)),                        false, false],
  ["ARP",                          frame(0x0806, payload),                      false, false],
  ["what ends in its IP header",   { etherType: 0x0800, bytes: new Uint8Array(16) }, false, false],
  ["another interface's",          { ...inet(4), interfaceIndex: 4 },           false, false],
  ["of the second interface",      { ...inet(4), interfaceIndex: 3 },           true,  true],
  ["for another host",             { ...inet(4), packetType: 3 },               false, false],
  ["broadcast",                    { ...inet(4), packetType: 1 },               false, false],
  ["with a VLAN tag",              { ...inet(4), hasVlanTag: true },            false, false],
  ["without an Ethernet header",   { ...inet(4), hardwareType: 772 },           false, false],
];

const withPort = tunnelFilter({ interfaces: [2, 3], guePort: 6080 });
const withoutPort = tunnelFilter({ interfaces: [2, 3], guePort: undefined });

test.for(cases)("%s", ([, arrived, isTaken, isTakenWithout]) => {
  expect(run(withPort, arrived)).toBe(isTaken ? WHOLE : 0);
  expect(run(withoutPort, arrived)).toBe(isTakenWithout ? WHOLE : 0);
});

test("no interface, no frames", () => {
  expect(run(tunnelFilter({ interfaces: [], guePort: 6080 }), inet(4))).toBe(0);
});
