import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { address } from "../../test/builders.ts";
import type { Instant } from "../base/clock.ts";
import { fragmentIpv4 } from "../net/fragmentation.ts";
import { emitGre, type GreFields } from "../net/gre.ts";
import { emitGue, type GueFields } from "../net/gue.ts";
import { emitIpv4, type Ipv4Fields, Ipv4View } from "../net/ipv4.ts";
import { emitIpv6, Ipv6View } from "../net/ipv6.ts";
import { toPort } from "../net/port.ts";
import { emitUdp, UdpView } from "../net/udp.ts";
import { isDelivery, type Outcome } from "./outcomes.ts";
import { Unwrapper } from "./unwrapper.ts";

const DIRECTOR = address("192.0.2.1");
const SERVER = address("192.0.2.12");
const CLIENT = address("203.0.113.5");
const VIP = address("192.0.2.100");
const DIRECTOR6 = address("2001:db8::1");
const SERVER6 = address("2001:db8::12");
const CLIENT6 = address("2001:db8:1::5");
const VIP6 = address("2001:db8::100");
const LOCAL = [SERVER, VIP, SERVER6, VIP6, address("127.0.0.1"), address("fe80::12")];
const GUE_PORT = 6080;
const ETHERTYPE_IPV4 = 0x0800;
const NOW = 0 as Instant;

const OUTER = { source: DIRECTOR, destination: SERVER };
const OUTER6 = { source: DIRECTOR6, destination: SERVER6 };
const PORTS = { source: toPort(40000), destination: toPort(GUE_PORT) };
const DATAGRAM = emitUdp(
  { source: toPort(5000), destination: toPort(53) },
  Uint8Array.of(1, 2, 3, 4, 5),
  { source: CLIENT, destination: VIP },
);

const request = (fields: Partial<Ipv4Fields> = {}): Uint8Array =>
  emitIpv4({ protocol: 17, source: CLIENT, destination: VIP, ...fields }, DATAGRAM);
const request6 = (fields: object = {}): Uint8Array =>
  emitIpv6({ nextHeader: 17, source: CLIENT6, destination: VIP6, ...fields }, DATAGRAM);

const ipip = (inner: Uint8Array, fields: Partial<Ipv4Fields> = {}): Uint8Array =>
  emitIpv4({ ...OUTER, protocol: 4, ...fields }, inner);
const gre = (inner: Uint8Array, fields: Partial<GreFields> = {}): Uint8Array =>
  emitIpv4({ ...OUTER, protocol: 47 }, emitGre({ protocol: ETHERTYPE_IPV4, ...fields }, inner));
const udp = (payload: Uint8Array, hasChecksum = false): Uint8Array =>
  emitIpv4({ ...OUTER, protocol: 17 }, emitUdp(PORTS, payload, hasChecksum ? OUTER : undefined));
const gue = (inner: Uint8Array, fields: Partial<GueFields> = {}): Uint8Array =>
  udp(emitGue({ protocol: 4, ...fields }, inner));

function unwrapper(
  { guePort }: { guePort: number | undefined } = { guePort: GUE_PORT },
): Unwrapper {
  return new Unwrapper({
    isLocal: (asked) => LOCAL.some((each) => each.equals(asked)),
    mayTunnel: (asked) => asked.equals(DIRECTOR) || asked.equals(DIRECTOR6),
    guePort,
  });
}

/** As on the wire: behind other bytes, and padded. */
function unwrap(packet: Uint8Array): { outcome: Outcome; inner: Uint8Array } {
  const bytes = Buffer.concat([new Uint8Array(14), packet, new Uint8Array(6)]);
  const opener = unwrapper();
  const outcome = opener.unwrap(bytes, 14, bytes.length, NOW);
  const { inner } = opener;
  return { outcome, inner: inner.bytes.subarray(inner.start, inner.end) };
}

describe("delivers what is inside", () => {
  // biome-ignore format: a table
  const tunnels: readonly (readonly [how: string, packet: Uint8Array, inner: Uint8Array, outcome: Outcome])[] = [
    ["IPv4 in IPv4",              ipip(request()),                                     request(),  "deliver-ipip"],
    ["IPv6 in IPv4",              ipip(request6(), { protocol: 41 }),                  request6(), "deliver-ipip"],
    ["IPv4 in IPv6",              emitIpv6({ ...OUTER6, nextHeader: 4 }, request()),   request(),  "deliver-ipip"],
    ["IPv6 in IPv6",              emitIpv6({ ...OUTER6, nextHeader: 41 }, request6()), request6(), "deliver-ipip"],
    ["behind IP options",         ipip(request(), { options: new Uint8Array(8) }),     request(),  "deliver-ipip"],
    ["GRE",                       gre(request()),                                      request(),  "deliver-gre"],
    ["GRE with checksum",         gre(request(), { hasChecksum: true }),               request(),  "deliver-gre"],
    ["GRE with sequence number",  gre(request(), { sequence: 7 }),                     request(),  "deliver-gre"],
    ["IPv6 in GRE",               gre(request6(), { protocol: 0x86dd }),               request6(), "deliver-gre"],
    ["GUE",                       gue(request()),                                      request(),  "deliver-gue"],
    ["GUE with UDP checksum",     udp(emitGue({ protocol: 4 }, request()), true),      request(),  "deliver-gue"],
    ["IPv6 in GUE",               gue(request6(), { protocol: 41 }),                   request6(), "deliver-gue"],
    ["GUE over IPv6",             emitIpv6({ ...OUTER6, nextHeader: 17 }, emitUdp(PORTS, emitGue({ protocol: 4 }, request()), OUTER6)), request(), "deliver-gue"],
  ];

  test.for(tunnels)("%s", ([, packet, inner, outcome]) => {
    const found = unwrap(packet);
    expect(found.outcome).toBe(outcome);
    expect(found.inner).toEqual(Buffer.from(inner));
  });

  test("without the padding that is behind it inside the tunnel", () => {
    const found = unwrap(ipip(Buffer.concat([request(), new Uint8Array(9)])));
    expect(found.inner).toEqual(Buffer.from(request()));
  });
});

describe("drops", () => {
  // biome-ignore format: a table
  const dropped: readonly (readonly [what: string, packet: Uint8Array, outcome: Outcome])[] = [
    ["nothing",                         new Uint8Array(0),                                  "drop-outer-malformed"],
    ["an outer header cut short",       ipip(request()).subarray(0, 19),                    "drop-outer-malformed"],
    ["an outer length beyond the end",  ipip(request()).subarray(0, 40),                    "drop-outer-malformed"],
    ["another protocol",                ipip(request(), { protocol: 50 }),                  "drop-outer-malformed"],
    ["an outer extension header",       emitIpv6({ ...OUTER6, nextHeader: 60 }, Buffer.concat([Uint8Array.of(4, 0, 1, 4, 0, 0, 0, 0), request()])), "drop-outer-malformed"],
    ["a wrong outer checksum",          spoiled(ipip(request()), 1),                        "drop-outer-checksum"],
    ["for another host",                ipip(request(), { destination: address("192.0.2.13") }), "drop-outer-destination"],
    ["from one who may not",            ipip(request(), { source: CLIENT }),                "drop-outer-source"],
    ["GRE cut short",                   emitIpv4({ ...OUTER, protocol: 47 }, Uint8Array.of(0, 0, 8)), "drop-gre-malformed"],
    ["GRE with routing",                spoiled(gre(request()), 20, 0x40),                  "drop-gre-malformed"],
    ["a wrong GRE checksum",            spoiled(gre(request(), { hasChecksum: true }), 24), "drop-gre-checksum"],
    ["a wrong GRE payload",             spoiled(gre(request(), { hasChecksum: true }), 55), "drop-gre-checksum"],
    ["GRE with a key",                  gre(request(), { key: 1 }),                         "drop-gre-keyed"],
    ["Ethernet in GRE",                 gre(request(), { protocol: 0x6558 }),               "drop-gre-protocol"],
    ["a UDP length beyond the end",     spoiled(gue(request()), 24),                        "drop-udp-malformed"],
    ["another port",                    spoiled(gue(request()), 23),                        "ignore-other-port"],
    ["a wrong UDP checksum",            spoiled(udp(emitGue({ protocol: 4 }, request()), true), 60), "drop-udp-checksum"],
    ["GUE cut short",                   udp(Uint8Array.of(0, 4, 0)),                        "drop-gue-malformed"],
    ["GUE of a later version",          spoiled(gue(request()), 28, 0x40),                  "drop-gue-malformed"],
    ["GUE with an unknown flag",        spoiled(gue(request()), 30, 0x80),                  "drop-gue-malformed"],
    ["a GUE control message",           gue(request(), { isControl: true }),                "drop-gue-control"],
    ["ICMP in GUE",                     gue(request(), { protocol: 1 }),                    "drop-gue-protocol"],
    ["a remote checksum outside",       gue(request(), { remoteChecksum: { start: 20, field: 400 } }), "drop-remote-checksum"],
    ["a remote checksum at the end",    gue(request(), { remoteChecksum: { start: 20, field: 32 } }), "drop-remote-checksum"],
    ["a remote checksum before itself", gue(request(), { remoteChecksum: { start: 24, field: 20 } }), "drop-remote-checksum"],
    ["nothing inside",                  ipip(new Uint8Array(0)),                            "drop-inner-malformed"],
    ["the wrong family inside",         ipip(request6()),                                   "drop-inner-malformed"],
    ["an inner length beyond the end",  ipip(request().subarray(0, 30)),                    "drop-inner-malformed"],
    ["a wrong inner checksum",          ipip(spoiled(request(), 1)),                        "drop-inner-checksum"],
    ["what is for another host",        ipip(request({ destination: address("192.0.2.13") })), "drop-inner-destination"],
    ["what is for everybody",           ipip(request({ destination: address("224.0.0.1") })), "drop-inner-destination"],
    ["what is for the loopback",        ipip(request({ destination: address("127.0.0.1") })), "drop-inner-destination"],
    ["what is for the link",            ipip(request6({ destination: address("fe80::12") }), { protocol: 41 }), "drop-inner-destination"],
    ["what seems to be from itself",    ipip(request({ source: SERVER })),                  "drop-inner-source"],
    ["what is from a loopback",         ipip(request({ source: address("127.9.9.9") })),    "drop-inner-source"],
    ["what is from everybody",          ipip(request({ source: address("255.255.255.255") })), "drop-inner-source"],
    ["what is from nobody",             ipip(request6({ source: address("::") }), { protocol: 41 }), "drop-inner-source"],
    ["what is from the link",           ipip(request6({ source: address("fe80::1") }), { protocol: 41 }), "drop-inner-source"],
  ];

  test.for(dropped)("%s", ([, packet, outcome]) => {
    expect(unwrap(packet).outcome).toBe(outcome);
  });

  test("GUE where no port was named", () => {
    const packet = gue(request());
    const outcome = unwrapper({ guePort: undefined }).unwrap(packet, 0, packet.length, NOW);
    expect(outcome).toBe("ignore-other-port");
  });

  /** The packet with bits of one byte inverted. */
  function spoiled(packet: Uint8Array, at: number, bits = 1): Uint8Array {
    packet[at]! ^= bits;
    return packet;
  }
});

test("finishes a checksum that the tunnel's other end left to us", () => {
  const inner = request();
  const view = Ipv4View.over(inner) as Ipv4View;
  const partial = view.pseudoHeader(DATAGRAM.length);
  inner[26] = partial >>> 8;
  inner[27] = partial;
  const found = unwrap(gue(inner, { remoteChecksum: { start: 20, field: 26 } }));
  expect(found.outcome).toBe("deliver-gue");
  expect(found.inner).toEqual(Buffer.from(request()));
});

describe("congestion on the tunnel's way", () => {
  // biome-ignore format: a table
  const marks: readonly (readonly [outer: number, inner: number, becomes: number | undefined])[] = [
    [0, 0, 0], [1, 1, 1], [2, 2, 2], [2, 3, 3], [0, 2, 2],
    [3, 1, 3], [3, 2, 3], [3, 3, 3], [3, 0, undefined],
  ];

  test.for(marks)("outer %s and inner %s become %s", ([outer, inner, becomes]) => {
    const tos = 0x20;
    const found = unwrap(ipip(request({ tos: tos | inner }), { tos: outer }));
    const found6 = unwrap(
      ipip(request6({ trafficClass: tos | inner }), { protocol: 41, tos: outer }),
    );
    if (becomes === undefined) {
      expect([found.outcome, found6.outcome]).toEqual(["drop-congestion", "drop-congestion"]);
      return;
    }
    const view = Ipv4View.over(found.inner) as Ipv4View;
    expect([view.tos, view.isChecksumRight()]).toEqual([tos | becomes, true]);
    expect((Ipv6View.over(found6.inner) as Ipv6View).trafficClass).toBe(tos | becomes);
  });
});

describe("outer packets in fragments", () => {
  const large = emitIpv4(
    { protocol: 17, source: CLIENT, destination: VIP },
    Uint8Array.from({ length: 1_400 }, (_, index) => index),
  );
  const fragments = (packet: Uint8Array): Uint8Array[] => {
    const parts = fragmentIpv4(Ipv4View.over(packet) as Ipv4View, 600);
    if (typeof parts === "string") throw new Error(parts);
    return [...parts];
  };

  test.for([
    ["IP in IP", ipip(large), "deliver-ipip"],
    ["GRE", gre(large, { hasChecksum: true }), "deliver-gre"],
    ["GUE", udp(emitGue({ protocol: 4 }, large), true), "deliver-gue"],
  ] as const)("%s is put together", ([, packet, outcome]) => {
    const opener = unwrapper();
    const outcomes = fragments(packet)
      .toReversed()
      .map((part) => opener.unwrap(part, 0, part.length, NOW));
    expect(outcomes).toEqual(["hold-fragment", "hold-fragment", outcome]);
    const { bytes, start, end } = opener.inner;
    expect(bytes.subarray(start, end)).toEqual(large);
    expect(opener.fragments.reassembled).toBe(1);
  });

  test("strangers' are not kept", () => {
    const opener = unwrapper();
    for (const part of fragments(ipip(large, { source: CLIENT }))) {
      expect(opener.unwrap(part, 0, part.length, NOW)).toBe("drop-outer-source");
    }
  });
});

test("merged packets have no outer checksums of their own", () => {
  const opener = unwrapper();
  const packet = gre(request(), { hasChecksum: true });
  packet[24]! ^= 1;
  expect(opener.unwrap(packet, 0, packet.length, NOW, true)).toBe("deliver-gre");
});

const templates = [
  ipip(request()),
  ipip(request6(), { protocol: 41 }),
  gre(request(), { hasChecksum: true, sequence: 1 }),
  gue(request(), { remoteChecksum: { start: 20, field: 26 } }),
  emitIpv6({ ...OUTER6, nextHeader: 4 }, request()),
];

test("whatever comes, nothing is thrown, and only whole packets for this host from elsewhere are delivered", () => {
  const spoiling = fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { maxLength: 4 });
  const property = fc.property(
    fc.constantFrom(...templates),
    spoiling,
    fc.nat({ max: 120 }),
    fc.boolean(),
    (template, changes, length, isMerged) => {
      const bytes = template.slice();
      for (const [at, value] of changes) bytes[at % bytes.length] = value;
      const end = Math.min(length, bytes.length);
      const opener = unwrapper();
      const outcome = opener.unwrap(bytes, 0, end, NOW, isMerged);
      if (!isDelivery(outcome)) return;
      const { inner } = opener;
      const view =
        bytes[inner.start]! >>> 4 === 4
          ? Ipv4View.over(inner.bytes, inner.start, inner.end)
          : Ipv6View.over(inner.bytes, inner.start, inner.end);
      if (typeof view === "string") throw new Error(view);
      expect([inner.end <= end, view.end]).toEqual([true, inner.end]);
      expect([VIP, VIP6, SERVER, SERVER6].some((each) => each.equals(view.destination))).toBe(true);
      expect(LOCAL.some((each) => each.equals(view.source))).toBe(false);
    },
  );
  fc.assert(property, { numRuns: 20_000 });
});

test("a delivered datagram's own checksum is as it was", () => {
  const { inner } = unwrap(gre(request()));
  const ip = Ipv4View.over(inner) as Ipv4View;
  const datagram = UdpView.over(ip.payload) as UdpView;
  expect(datagram.isChecksumRight(ip.pseudoHeader(datagram.length))).toBe(true);
});
