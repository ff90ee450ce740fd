/** What a frame says, as far as the laboratories' statements ask. */
import { ADDRESS_LENGTH, Address } from "../../net/address.ts";
import { ARP_OPERATION, ArpView } from "../../net/arp.ts";
import { ETHERTYPE, type EthernetView } from "../../net/ethernet.ts";
import { GreView } from "../../net/gre.ts";
import { GueView } from "../../net/gue.ts";
import { ICMP_TYPE, IcmpView, UNREACHABLE_CODE } from "../../net/icmp.ts";
import { ICMPV6_HEADER_LENGTH, ICMPV6_TYPE } from "../../net/icmpv6.ts";
import { IP_PROTOCOL } from "../../net/ip-protocol.ts";
import { Ipv4View } from "../../net/ipv4.ts";
import { Ipv6View } from "../../net/ipv6.ts";
import { PortsView } from "../../net/ports.ts";
import { UdpView } from "../../net/udp.ts";
import { readUint32 } from "../../net/words.ts";
import { endpoint } from "../endpoint.ts";

export type Encapsulation = "ipip" | "gre" | "gue";

export type FrameContent =
  /** Who has the address that it is about: asked, or answered. */
  | {
      readonly kind: "arp-reply" | "neighbour-solicitation" | "neighbour-advertisement";
      readonly about: string;
    }
  | TcpContent
  | TunnelContent
  /** ICMP's "fragmentation needed", ICMPv6's "packet too big". */
  | {
      readonly kind: "too-big";
      readonly source: string;
      readonly destination: string;
      readonly mtu: number;
    }
  | { readonly kind: "other" };

export interface TcpContent {
  readonly kind: "tcp";
  /** Endpoints as `address:port`. */
  readonly source: string;
  readonly destination: string;
  readonly timeToLive: number;
}

/** A TCP segment in a tunnel. */
export interface TunnelContent {
  readonly kind: "tunnel";
  readonly encapsulation: Encapsulation;
  /** Addresses. */
  readonly source: string;
  readonly destination: string;
  readonly timeToLive: number;
  /** UDP destination port of GUE. */
  readonly port: number | undefined;
  readonly inner: TcpContent;
}

type Packet = Ipv4View | Ipv6View;

const OTHER = { kind: "other" } as const;

export function contentOf(ethernet: EthernetView): FrameContent {
  if (ethernet.etherType === ETHERTYPE.arp) {
    const arp = ArpView.over(ethernet.payload);
    if (typeof arp === "string" || arp.operation !== ARP_OPERATION.reply) return OTHER;
    return { kind: "arp-reply", about: `${arp.message.sender}` };
  }
  const packet = packetIn(ethernet.etherType, ethernet.payload);
  if (packet === undefined || packet.fragmentOffset > 0) return OTHER;
  switch (packet.protocol) {
    case IP_PROTOCOL.tcp:
      return tcp(packet) ?? OTHER;
    case IP_PROTOCOL.icmp:
      return fragmentationNeeded(packet) ?? OTHER;
    case IP_PROTOCOL.icmpv6:
      return packetTooBig(packet) ?? neighbourMessage(packet.payload) ?? OTHER;
    default:
      return tunnel(packet) ?? OTHER;
  }
}

function packetIn(etherType: number, bytes: Uint8Array): Packet | undefined {
  const packet = etherType === ETHERTYPE.ipv6 ? Ipv6View.over(bytes) : Ipv4View.over(bytes);
  const isIp = etherType === ETHERTYPE.ipv4 || etherType === ETHERTYPE.ipv6;
  return isIp && typeof packet !== "string" ? packet : undefined;
}

function tcp(packet: Packet): TcpContent | undefined {
  const ports = PortsView.over(packet.payload);
  if (packet.protocol !== IP_PROTOCOL.tcp || typeof ports === "string") return undefined;
  return {
    kind: "tcp",
    source: endpoint(`${packet.source}`, ports.source),
    destination: endpoint(`${packet.destination}`, ports.destination),
    timeToLive: timeToLiveOf(packet),
  };
}

function timeToLiveOf(packet: Packet): number {
  return packet instanceof Ipv4View ? packet.timeToLive : packet.hopLimit;
}

interface Wrapped {
  readonly encapsulation: Encapsulation;
  readonly port?: number;
  readonly etherType: number;
  readonly bytes: Uint8Array;
}

function tunnel(packet: Packet): TunnelContent | undefined {
  const wrapped = wrappedIn(packet);
  const inner = wrapped && packetIn(wrapped.etherType, wrapped.bytes);
  const segment = inner && tcp(inner);
  if (wrapped === undefined || segment === undefined) return undefined;
  return {
    kind: "tunnel",
    encapsulation: wrapped.encapsulation,
    source: `${packet.source}`,
    destination: `${packet.destination}`,
    timeToLive: timeToLiveOf(packet),
    port: wrapped.port,
    inner: segment,
  };
}

function wrappedIn({ protocol, payload }: Packet): Wrapped | undefined {
  switch (protocol) {
    case IP_PROTOCOL.gre: {
      const gre = GreView.over(payload);
      if (typeof gre === "string") return undefined;
      return { encapsulation: "gre", etherType: gre.protocol, bytes: gre.payload };
    }
    case IP_PROTOCOL.udp: {
      const udp = UdpView.over(payload);
      if (typeof udp === "string") return undefined;
      const gue = GueView.over(udp.payload);
      const etherType = typeof gue === "string" ? undefined : etherTypeOf(gue.protocol);
      if (typeof gue === "string" || etherType === undefined) return undefined;
      return { encapsulation: "gue", port: udp.destination, etherType, bytes: gue.payload };
    }
    default: {
      const etherType = etherTypeOf(protocol);
      return etherType === undefined
        ? undefined
        : { encapsulation: "ipip", etherType, bytes: payload };
    }
  }
}

function etherTypeOf(protocol: number): number | undefined {
  if (protocol === IP_PROTOCOL.ipip) return ETHERTYPE.ipv4;
  return protocol === IP_PROTOCOL.ipv6 ? ETHERTYPE.ipv6 : undefined;
}

function fragmentationNeeded({ source, destination, payload }: Packet): FrameContent | undefined {
  const icmp = IcmpView.over(payload);
  if (typeof icmp === "string" || icmp.type !== ICMP_TYPE.destinationUnreachable) return undefined;
  if (icmp.code !== UNREACHABLE_CODE.fragmentationNeeded) return undefined;
  return { kind: "too-big", source: `${source}`, destination: `${destination}`, mtu: icmp.mtu };
}

/** RFC 4443 section 3.2. */
function packetTooBig({ source, destination, payload }: Packet): FrameContent | undefined {
  if (payload[0] !== ICMPV6_TYPE.packetTooBig || payload.length < ICMPV6_HEADER_LENGTH) {
    return undefined;
  }
  const mtu = readUint32(payload, 4);
  return { kind: "too-big", source: `${source}`, destination: `${destination}`, mtu };
}

/** RFC 4861 sections 4.3 and 4.4: the target follows the first eight bytes. */
function neighbourMessage(bytes: Uint8Array): FrameContent | undefined {
  const { neighbourSolicitation, neighbourAdvertisement } = ICMPV6_TYPE;
  const isSolicitation = bytes[0] === neighbourSolicitation;
  if (!isSolicitation && bytes[0] !== neighbourAdvertisement) return undefined;
  if (bytes.length < ICMPV6_HEADER_LENGTH + ADDRESS_LENGTH.inet6) return undefined;
  return {
    kind: isSolicitation ? "neighbour-solicitation" : "neighbour-advertisement",
    about: `${Address.fromBytes(bytes, ICMPV6_HEADER_LENGTH, "inet6")}`,
  };
}
