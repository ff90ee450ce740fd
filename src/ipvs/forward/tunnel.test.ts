/** Tunnels on the wire, byte for byte (RFC 2003, RFC 2473, RFC 2784, the GUE draft; ip_vs_tunnel_xmit()). */
import { expect, test } from "vitest";
import { address } from "../../../test/builders.ts";
import { hex } from "../../../test/bytes.ts";
import { Names } from "../../../test/packets/names.ts";
import { parsePacket } from "../../../test/packets/packet-text.ts";
import { internetChecksum } from "../../../test/packets/true-checksums.ts";
import { toPort } from "../../net/port.ts";
import { NO_ARRIVAL, Packet } from "../packets/packet.ts";
import { Encapsulator, innerPacketStart, type Tunnel, tunnelOverhead } from "./tunnel.ts";

const IPIP: Tunnel = { kind: "tunnel", encapsulation: "ipip" };
const gre = (checksum: "none" | "full"): Tunnel => ({
  kind: "tunnel",
  encapsulation: "gre",
  checksum,
});
const gue = (checksum: "none" | "full" | "remote"): Tunnel => ({
  kind: "tunnel",
  encapsulation: "gue",
  port: toPort(6080),
  checksum,
});

interface Scene {
  readonly row?: string;
  readonly family?: "inet" | "inet6";
  readonly outer?: "inet" | "inet6";
  readonly copiesDontFragment?: boolean;
}

/** The packet inside the tunnel, and how long its headers are. */
function encapsulated(
  tunnel: Tunnel,
  {
    row = "C:1000 > V:80 S ttl 63 df",
    family = "inet",
    outer = "inet",
    copiesDontFragment = true,
  }: Scene = {},
): { readonly bytes: Uint8Array; readonly headers: Uint8Array; readonly inner: Uint8Array } {
  const inner = parsePacket(row, new Names(family));
  const isInet = outer === "inet";
  const source = address(isInet ? "10.1.0.1" : "fd01::1");
  const destination = address(isInet ? "10.1.0.21" : "fd01::21");
  const room = 64;
  const memory = new Uint8Array(room + inner.length);
  memory.set(inner, room);
  const packet = new Packet();
  expect(
    packet.moveTo(memory, room, memory.length, { ...NO_ARRIVAL, headroom: room }),
  ).toBeUndefined();
  const identification = 0x0102;
  new Encapsulator().encapsulate(packet, tunnel, {
    source,
    destination,
    copiesDontFragment,
    identification,
  });
  const overhead = tunnelOverhead(tunnel, destination);
  expect(room - packet.start).toBe(overhead);
  expect(packet.headroom).toBe(room - overhead);
  const bytes = memory.subarray(packet.start, packet.end);
  expect(bytes.subarray(overhead)).toEqual(inner);
  return { bytes, headers: bytes.subarray(0, overhead), inner };
}

// Version and length, TOS, total length, identification, DF, time to live, protocol, checksum, addresses.
const rows: [what: string, tunnel: Tunnel, scene: Scene, headers: string][] = [
  [
    "IP in IP copies DF and the time to live",
    IPIP,
    {},
    "4500 003c 0000 4000 3f04 27a7 0a01 0001 0a01 0015",
  ],
  [
    "IP in IP without DF has an identification",
    IPIP,
    { row: "C:1000 > V:80 S ttl 63" },
    "4500 003c 0102 0000 3f04 66a5 0a01 0001 0a01 0015",
  ],
  [
    "IP in IP without path MTU discovery does not copy DF",
    IPIP,
    { copiesDontFragment: false },
    "4500 003c 0102 0000 3f04 66a5 0a01 0001 0a01 0015",
  ],
  [
    "IP in IP copies the type of service",
    IPIP,
    { row: "C:1000 > V:80 S ttl 63 tos 185 df" },
    "45b9 003c 0000 4000 3f04 26ee 0a01 0001 0a01 0015",
  ],
  [
    "congestion is not copied",
    IPIP,
    { row: "C:1000 > V:80 S ttl 63 tos 3 df" },
    "4502 003c 0000 4000 3f04 27a5 0a01 0001 0a01 0015",
  ],
  ["GRE", gre("none"), {}, "4500 0040 0000 4000 3f2f 2778 0a01 0001 0a01 0015 0000 0800"],
  [
    "GUE",
    gue("none"),
    {},
    "4500 0048 0000 4000 3f11 278e 0a01 0001 0a01 0015 PORT 17c0 0034 0000 0004 0000",
  ],
  [
    "IPv6 in IPv4 is protocol 41",
    IPIP,
    { family: "inet6", row: "C:1000 > V:80 S ttl 63" },
    "4500 0050 0102 0000 3f29 666c 0a01 0001 0a01 0015",
  ],
  [
    "IPv6 in GRE",
    gre("none"),
    { family: "inet6", row: "C:1000 > V:80 S ttl 63" },
    "4500 0054 0102 0000 3f2f 6662 0a01 0001 0a01 0015 0000 86dd",
  ],
  [
    "IPv6 in GUE",
    gue("none"),
    { family: "inet6", row: "C:1000 > V:80 S ttl 63" },
    "4500 005c 0102 0000 3f11 6678 0a01 0001 0a01 0015 PORT 17c0 0048 0000 0029 0000",
  ],
  [
    "IPv4 in IPv6",
    IPIP,
    { outer: "inet6" },
    "6000 0000 0028 043f fd01 0000 0000 0000 0000 0000 0000 0001 fd01 0000 0000 0000 0000 0000 0000 0021",
  ],
  [
    "IPv6 in IPv6",
    IPIP,
    { family: "inet6", outer: "inet6", row: "C:1000 > V:80 S ttl 63 tos 16" },
    "6100 0000 003c 293f fd01 0000 0000 0000 0000 0000 0000 0001 fd01 0000 0000 0000 0000 0000 0000 0021",
  ],
];

test.for(rows)("%s", ([, tunnel, scene, expected]) => {
  const { headers } = encapsulated(tunnel, scene);
  const udp = scene.outer === "inet6" ? 40 : 20;
  const port = hex(headers.subarray(udp, udp + 2));
  expect(hex(headers)).toBe(expected.replace("PORT", port));
});

test("GRE's checksum covers its header and the packet", () => {
  const { headers, bytes } = encapsulated(gre("full"));
  expect(hex(headers.subarray(20, 24))).toBe("8000 0800");
  expect(hex(headers.subarray(26))).toBe("0000");
  expect(internetChecksum(bytes.subarray(20))).toBe(0);
});

test.for(["full", "remote"] as const)("GUE's outer UDP checksum is right (%s)", (checksum) => {
  const { bytes } = encapsulated(gue(checksum));
  const pseudo = Uint8Array.from([...bytes.subarray(12, 20), 0, 17, ...bytes.subarray(24, 26)]);
  expect(internetChecksum(pseudo, bytes.subarray(20))).toBe(0);
  expect(hex(bytes.subarray(28, 32))).toBe("0004 0000");
});

test("GUE over IPv6 has a right outer UDP checksum when asked for, else none", () => {
  const { bytes } = encapsulated(gue("full"), { outer: "inet6" });
  const length = bytes.subarray(44, 46);
  const pseudo = Uint8Array.from([...bytes.subarray(8, 40), 0, 0, ...length, 0, 0, 0, 17]);
  expect(internetChecksum(pseudo, bytes.subarray(40))).toBe(0);
  expect(hex(encapsulated(gue("none"), { outer: "inet6" }).bytes.subarray(46, 48))).toBe("0000");
});

test("GUE's source port is ephemeral, one for a flow, and spread over flows", () => {
  const portOf = (row: string): number => {
    const { headers } = encapsulated(gue("none"), { row });
    return (headers[20]! << 8) | headers[21]!;
  };
  const ports = Array.from({ length: 64 }, (_, index) => portOf(`C:${1000 + index} > V:80 .`));
  expect(new Set(ports).size).toBeGreaterThan(60);
  expect(Math.min(...ports)).toBeGreaterThanOrEqual(32768);
  expect(Math.max(...ports)).toBeLessThanOrEqual(60999);
  expect(portOf("C:1000 > V:80 P. len 500")).toBe(ports[0]);
});

test.for([IPIP, gre("none"), gre("full"), gue("none")])(
  "the inner packet is found again: %o",
  (tunnel) => {
    const { bytes, headers } = encapsulated(tunnel);
    expect(innerPacketStart(bytes, bytes[9]!, 20, bytes.length)).toBe(headers.length);
  },
);

test("an inner packet of another kind, or cut off, is not found", () => {
  const { bytes } = encapsulated(gre("none"), { family: "inet6", row: "C:1000 > V:80 S" });
  expect(innerPacketStart(bytes, 47, 20, bytes.length)).toBeUndefined();
  expect(innerPacketStart(bytes, 47, 20, 23)).toBeUndefined();
  expect(innerPacketStart(bytes, 17, 20, 30)).toBeUndefined();
  expect(innerPacketStart(bytes, 4, 20, 20)).toBeUndefined();
  expect(innerPacketStart(bytes, 6, 20, bytes.length)).toBeUndefined();
});
