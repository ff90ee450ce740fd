import { expect, test } from "vitest";
import { Packet } from "../../ipvs/packet.ts";
import { Address } from "../../net/address.ts";
import { emitIcmp } from "../../net/icmp.ts";
import { IP_PROTOCOL } from "../../net/ip-protocol.ts";
import { emitIpv4 } from "../../net/ipv4.ts";
import { toPort } from "../../net/port.ts";
import { emitUdp } from "../../net/udp.ts";
import { type GuardEndpoint, GuardMatcher, NO_RULES } from "./guard-rules.ts";

const ARRIVAL = {
  interfaceIndex: 2,
  isUnicast: true,
  mark: 0,
  segmentSize: 0,
  isChecksumPartial: false,
  headroom: 0,
  hook: "wire" as const,
};

function endpoint(text: string): GuardEndpoint {
  const [address = "", port] = text.split(":");
  const number = port === undefined ? undefined : toPort(Number(port));
  return { protocol: "udp", address: Address.parse(address)!, port: number };
}

/** A UDP datagram `FROM:PORT TO:PORT`, or a later fragment of one. */
function packet(text: string, isFragment = false): Packet {
  const [from, to] = text.split(" ").map(endpoint) as [GuardEndpoint, GuardEndpoint];
  const ports = { source: from.port!, destination: to.port! };
  const fields = {
    source: from.address,
    destination: to.address,
    protocol: IP_PROTOCOL.udp,
    ...(isFragment ? { fragmentOffset: 1480 } : {}),
  };
  const bytes = emitIpv4(fields, emitUdp(ports, new Uint8Array(8)));
  const result = new Packet();
  expect(result.moveTo(bytes, 0, bytes.length, ARRIVAL)).toBeUndefined();
  return result;
}

const matcher = new GuardMatcher({
  ...NO_RULES,
  services: [endpoint("10.0.0.1:53"), endpoint("10.0.0.2")],
  replies: [endpoint("10.0.1.1:53")],
});

// biome-ignore format: a table
const packets: [what: string, packet: string, isFragment: boolean, isForHost: boolean, isTaken: boolean][] = [
  ["to a service",                     "9.9.9.9:7 10.0.0.1:53",  false, true,  true],
  ["to another port",                  "9.9.9.9:7 10.0.0.1:54",  false, true,  false],
  ["to a service of every port",       "9.9.9.9:7 10.0.0.2:54",  false, true,  true],
  ["to another address",               "9.9.9.9:7 10.0.0.3:53",  false, true,  false],
  ["from a service",                   "10.0.0.1:53 9.9.9.9:7",  false, false, false],
  ["a fragment to a service",          "9.9.9.9:7 10.0.0.1:53",  true,  true,  true],
  ["a fragment to another address",    "9.9.9.9:7 10.0.0.3:53",  true,  true,  false],
  ["a server's reply",                 "10.0.1.1:53 9.9.9.9:7",  false, false, true],
  ["a server's word to the host",      "10.0.1.1:53 10.0.0.9:7", false, true,  false],
  ["a server's other port",            "10.0.1.1:54 9.9.9.9:7",  false, false, false],
  ["a fragment of a server's reply",   "10.0.1.1:53 9.9.9.9:7",  true,  false, true],
];

test.for(packets)("%s", ([, text, isFragment, isForHost, isTaken]) => {
  expect(matcher.takes(packet(text, isFragment), () => isForHost)).toBe(isTaken);
});

// biome-ignore format: a table
const errors: [from: string, type: number, isForHost: boolean, isTaken: boolean][] = [
  ["10.0.1.1", 3,  false, true],
  ["10.0.1.1", 11, false, true],
  ["10.0.1.1", 8,  false, false],
  ["10.0.1.1", 3,  true,  false],
  ["10.0.1.2", 3,  false, false],
];

test.for(errors)("an ICMP message from %s of type %d", ([from, type, isForHost, isTaken]) => {
  const fields = {
    source: Address.parse(from)!,
    destination: Address.parse("9.9.9.9")!,
    protocol: IP_PROTOCOL.icmp,
  };
  const bytes = emitIpv4(fields, emitIcmp({ type, code: 0, rest: 0 }, new Uint8Array(28)));
  const packet = new Packet();
  expect(packet.moveTo(bytes, 0, bytes.length, ARRIVAL)).toBeUndefined();
  expect(matcher.takes(packet, () => isForHost)).toBe(isTaken);
});
