/**
 * Tunnels: the packet goes unchanged inside another one, addressed to the real server.
 *
 * ip_vs_tunnel_xmit() and its helpers in ip_vs_xmit.c: IP in IP (RFC 2003), GRE (RFC 2784), GUE
 * (draft-ietf-intarea-gue) over UDP, in all four combinations of families.
 */
import { Address } from "../../net/address.ts";
import * as checksum from "../../net/checksum.ts";
import { ETHERTYPE } from "../../net/ethernet.ts";
import { GRE_FIELD_LENGTH, GRE_FLAG, GRE_HEADER_LENGTH, GRE_OFFSET } from "../../net/gre.ts";
import { GUE_HEADER_LENGTH, GUE_OFFSET, gueHeaderLengthAt } from "../../net/gue.ts";
import { IP_PROTOCOL } from "../../net/ip-protocol.ts";
import { IPV4_HEADER_LENGTH, type Ipv4Fields, writeIpv4Header } from "../../net/ipv4.ts";
import { IPV6_HEADER_LENGTH, type Ipv6Fields, writeIpv6Header } from "../../net/ipv6.ts";
import { UDP_HEADER_LENGTH, UDP_OFFSET } from "../../net/udp.ts";
import { readUint16, writeUint16, writeUint32 } from "../../net/words.ts";
import type { Forwarding } from "../desired/service.ts";
import type { Packet } from "../packets/packet.ts";
import type { Destination } from "../services/destination.ts";

export type Tunnel = Extract<Forwarding, { kind: "tunnel" }>;

/** GUE's first four bytes as a word: everything but the protocol is 0. */
const GUE_PROTOCOL_SHIFT = 16;
const ECN_MASK = 0x03;
const ECN_CONGESTION = 0x03;
const ECN_CAPABLE = 0x02;
/** Linux's default net.ipv4.ip_local_port_range, from which GUE's source ports come. */
const EPHEMERAL_FIRST = 32768;
const EPHEMERAL_COUNT = 28232;

const NOBODY = Address.inet(0);

const IPIP: Tunnel = { kind: "tunnel", encapsulation: "ipip" };

/** The destination's tunnel, or plain IP in IP when it was configured anew with another method meanwhile. */
export function tunnelOf({ plan: { forwarding } }: Destination): Tunnel {
  return forwarding.kind === "tunnel" ? forwarding : IPIP;
}

/** Bytes that the tunnel puts before a packet. */
export function tunnelOverhead(tunnel: Tunnel, outer: Address): number {
  const ip = outer.family === "inet" ? IPV4_HEADER_LENGTH : IPV6_HEADER_LENGTH;
  switch (tunnel.encapsulation) {
    case "ipip":
      return ip;
    case "gre":
      return ip + GRE_HEADER_LENGTH + (tunnel.checksum === "full" ? GRE_FIELD_LENGTH : 0);
    case "gue":
      return ip + UDP_HEADER_LENGTH + GUE_HEADER_LENGTH;
  }
}

/** The outer header's addresses and what it does with fragmentation. */
export interface Outer {
  readonly source: Address;
  readonly destination: Address;
  /** Copy the inner packet's DF bit: sysctl pmtu_disc. */
  readonly copiesDontFragment: boolean;
  /** For outer packets that may be fragmented. */
  readonly identification: number;
}

type Mutable<Fields> = { -readonly [Name in keyof Fields]: Fields[Name] };

/** Writes tunnels' headers. Keeps the fields of outer headers, to be filled anew for each packet. */
export class Encapsulator {
  readonly #inet: Mutable<Ipv4Fields> = {
    tos: 0,
    identification: 0,
    dontFragment: false,
    timeToLive: 0,
    protocol: 0,
    source: NOBODY,
    destination: NOBODY,
  };
  readonly #inet6: Mutable<Ipv6Fields> = {
    trafficClass: 0,
    hopLimit: 0,
    nextHeader: 0,
    source: NOBODY,
    destination: NOBODY,
  };

  /**
   * Writes the tunnel's headers into the packet's headroom and moves its start there. The packet's time to live has
   * been decremented, its own checksums are complete, and its headroom is tunnelOverhead() at least.
   */
  encapsulate(packet: Packet, tunnel: Tunnel, outer: Outer): void {
    const overhead = tunnelOverhead(tunnel, outer.destination);
    const { bytes, end } = packet;
    const start = packet.start - overhead;
    const innerProtocol = packet.family === 4 ? IP_PROTOCOL.ipip : IP_PROTOCOL.ipv6;
    const ipLength = outer.destination.family === "inet" ? IPV4_HEADER_LENGTH : IPV6_HEADER_LENGTH;
    const next = start + ipLength;
    this.#writeIp(packet, start, outer, outerProtocol(tunnel, innerProtocol), end - next);
    switch (tunnel.encapsulation) {
      case "ipip":
        break;
      case "gre":
        writeGre(packet, next, tunnel.checksum === "full");
        break;
      case "gue":
        writeUint32(bytes, next + UDP_HEADER_LENGTH, innerProtocol << GUE_PROTOCOL_SHIFT);
        writeUdp(packet, next, outer, tunnel);
        break;
    }
    packet.start = start;
    packet.headroom -= overhead;
  }

  #writeIp(
    packet: Packet,
    start: number,
    outer: Outer,
    protocol: number,
    payloadLength: number,
  ): void {
    if (outer.destination.family === "inet") {
      const fields = this.#inet;
      fields.tos = encapsulatedTos(packet);
      fields.dontFragment =
        outer.copiesDontFragment && packet.family === 4 && packet.ipv4.dontFragment;
      fields.identification = fields.dontFragment ? 0 : outer.identification;
      fields.timeToLive = packet.timeToLive;
      fields.protocol = protocol;
      fields.source = outer.source;
      fields.destination = outer.destination;
      writeIpv4Header(packet.bytes, start, fields, payloadLength);
      return;
    }
    const fields = this.#inet6;
    fields.trafficClass = encapsulatedTos(packet);
    fields.hopLimit = packet.timeToLive;
    fields.nextHeader = protocol;
    fields.source = outer.source;
    fields.destination = outer.destination;
    writeIpv6Header(packet.bytes, start, fields, payloadLength);
  }
}

function outerProtocol(tunnel: Tunnel, innerProtocol: number): number {
  switch (tunnel.encapsulation) {
    case "ipip":
      return innerProtocol;
    case "gre":
      return IP_PROTOCOL.gre;
    case "gue":
      return IP_PROTOCOL.udp;
  }
}

/** RFC 3168 section 9.1.1, full functionality: congestion already experienced starts the outer header as capable. */
function encapsulatedTos(packet: Packet): number {
  const tos = packet.family === 4 ? packet.ipv4.tos : packet.ipv6.trafficClass;
  return (tos & ECN_MASK) === ECN_CONGESTION ? (tos & ~ECN_MASK) | ECN_CAPABLE : tos;
}

function writeGre(packet: Packet, at: number, hasChecksum: boolean): void {
  const { bytes, end } = packet;
  writeUint16(bytes, at + GRE_OFFSET.flags, hasChecksum ? GRE_FLAG.checksum : 0);
  writeUint16(
    bytes,
    at + GRE_OFFSET.protocol,
    packet.family === 4 ? ETHERTYPE.ipv4 : ETHERTYPE.ipv6,
  );
  if (!hasChecksum) return;
  writeUint32(bytes, at + GRE_OFFSET.optional, 0);
  writeUint16(bytes, at + GRE_OFFSET.optional, checksum.complement(checksum.sum(bytes, at, end)));
}

function writeUdp(
  packet: Packet,
  at: number,
  outer: Outer,
  tunnel: Extract<Tunnel, { encapsulation: "gue" }>,
): void {
  const { bytes, end } = packet;
  const length = end - at;
  writeUint16(bytes, at + UDP_OFFSET.source, flowPort(packet));
  writeUint16(bytes, at + UDP_OFFSET.destination, tunnel.port);
  writeUint16(bytes, at + UDP_OFFSET.length, length);
  writeUint16(bytes, at + UDP_OFFSET.checksum, 0);
  if (tunnel.checksum === "none") return;
  const pseudo = checksum.pseudoHeader(outer, IP_PROTOCOL.udp, length);
  const sum = checksum.complement(checksum.sum(bytes, at, end, pseudo));
  writeUint16(bytes, at + UDP_OFFSET.checksum, sum || 0xffff);
}

/** An outer source port that stays the same for a flow, so that routers keep its packets in order: udp_flow_src_port(). */
function flowPort(packet: Packet): number {
  const addresses =
    packet.source0 ^
    packet.source1 ^
    packet.source2 ^
    packet.source3 ^
    Math.imul(
      packet.destination0 ^ packet.destination1 ^ packet.destination2 ^ packet.destination3,
      0x9e3779b1,
    );
  const ports = (packet.sourcePort << 16) | packet.destinationPort;
  const hash = Math.imul(addresses ^ Math.imul(ports, 0x85ebca6b), 0xc2b2ae35) >>> 0;
  return EPHEMERAL_FIRST + (hash % EPHEMERAL_COUNT);
}

/**
 * Where the IPv4 packet inside a tunnel packet begins, when `protocol` at `at` is one of our tunnels'; undefined when
 * not. For ICMP errors that quote our own outer packets, cut anywhere.
 */
export function innerPacketStart(
  bytes: Uint8Array,
  protocol: number,
  at: number,
  end: number,
): number | undefined {
  switch (protocol) {
    case IP_PROTOCOL.ipip:
      return at < end ? at : undefined;
    case IP_PROTOCOL.gre: {
      if (
        at + GRE_HEADER_LENGTH > end ||
        readUint16(bytes, at + GRE_OFFSET.protocol) !== ETHERTYPE.ipv4
      )
        return undefined;
      const hasChecksum = (readUint16(bytes, at + GRE_OFFSET.flags) & GRE_FLAG.checksum) !== 0;
      return at + GRE_HEADER_LENGTH + (hasChecksum ? GRE_FIELD_LENGTH : 0);
    }
    case IP_PROTOCOL.udp: {
      const gue = at + UDP_HEADER_LENGTH;
      if (gue + GUE_HEADER_LENGTH > end || bytes[gue + GUE_OFFSET.protocol] !== IP_PROTOCOL.ipip)
        return undefined;
      return gue + gueHeaderLengthAt(bytes, gue);
    }
    default:
      return undefined;
  }
}
