/** Frames in a line each, as tcpdump prints them. */

import { Address } from "../../net/address.ts";
import { ARP_OPERATION, ArpView } from "../../net/arp.ts";
import { ETHERTYPE, EthernetView } from "../../net/ethernet.ts";
import { GreView } from "../../net/gre.ts";
import { ICMP_TYPE, IcmpView, UNREACHABLE_CODE } from "../../net/icmp.ts";
import { ICMPV6_TYPE, Icmpv6View } from "../../net/icmpv6.ts";
import { IP_PROTOCOL } from "../../net/ip-protocol.ts";
import { Ipv4View } from "../../net/ipv4.ts";
import { Ipv6View } from "../../net/ipv6.ts";
import { ZERO_MAC } from "../../net/mac-address.ts";
import { PortsView } from "../../net/ports.ts";
import { TCP_FLAG, TcpView } from "../../net/tcp.ts";
import { TCP_OPTION, tcpOptions } from "../../net/tcp-options.ts";
import { UdpView } from "../../net/udp.ts";
import { readUint16 } from "../../net/words.ts";

/** Where connections' numbers begin, so that they can be told from there on. */
export type Beginnings = Map<string, number>;

const ETHERTYPE_NAMES: Readonly<Record<number, string>> = {
  [ETHERTYPE.ipv4]: "IPv4",
  [ETHERTYPE.ipv6]: "IPv6",
  [ETHERTYPE.arp]: "ARP",
};

/** tcpdump's order. */
const FLAG_LETTERS = [
  [TCP_FLAG.fin, "F"],
  [TCP_FLAG.syn, "S"],
  [TCP_FLAG.rst, "R"],
  [TCP_FLAG.psh, "P"],
  [TCP_FLAG.urg, "U"],
  [TCP_FLAG.ack, "."],
] as const;

/** `withLink`: -e. */
export function frameText(
  bytes: Uint8Array,
  withLink: boolean,
  beginnings: Beginnings = new Map(),
): string {
  const ethernet = EthernetView.over(bytes);
  if (typeof ethernet === "string") return "[|ether]";
  const { etherType, payload, source, destination } = ethernet;
  const name = ETHERTYPE_NAMES[etherType];
  const content = contentText(etherType, payload, beginnings);
  if (withLink) {
    const hex = `0x${etherType.toString(16).padStart(4, "0")}`;

    return `${source} > ${destination}, ethertype ${name ?? "Unknown"} (${hex}), length ${bytes.length}: ${content}`;
  }
  const prefix =
    etherType === ETHERTYPE.arp ? "ARP, " : etherType === ETHERTYPE.ipv6 ? "IP6 " : "IP ";
  return `${prefix}${content}`;
}

/** A packet without a frame, as a tunnel's end shows it. */
export function packetText(bytes: Uint8Array, beginnings: Beginnings = new Map()): string {
  const isInet6 = bytes[0]! >>> 4 === 6;
  const text = ipText(bytes, beginnings);
  return `${isInet6 ? "IP6" : "IP"} ${text}`;
}

function contentText(etherType: number, payload: Uint8Array, beginnings: Beginnings): string {
  if (etherType === ETHERTYPE.arp) return arpText(payload);
  const isIp = etherType === ETHERTYPE.ipv4 || etherType === ETHERTYPE.ipv6;
  return isIp ? ipText(payload, beginnings) : `length ${payload.length}`;
}

function arpText(payload: Uint8Array): string {
  const arp = ArpView.over(payload);
  if (typeof arp === "string") return "[|arp]";
  const { operation, sender, senderMac, target, targetMac } = arp.message;
  const length = `length ${payload.length}`;
  if (operation === ARP_OPERATION.reply) return `Reply ${sender} is-at ${senderMac}, ${length}`;
  const known = targetMac === ZERO_MAC ? "" : ` (${targetMac})`;
  if (sender.equals(target) && known === "") return `Announcement ${target}, ${length}`;
  if (sender.isUnspecified) return `Probe ${target}${known}, ${length}`;
  return `Request who-has ${target}${known} tell ${sender}, ${length}`;
}

type Packet = Ipv4View | Ipv6View;

function ipText(bytes: Uint8Array, beginnings: Beginnings): string {
  const packet = bytes[0]! >>> 4 === 6 ? Ipv6View.over(bytes) : Ipv4View.over(bytes);
  if (typeof packet === "string") return `[|ip${bytes[0]! >>> 4 === 6 ? "6" : ""}]`;
  const { source, destination, protocol, payload } = packet;
  const between = `${source} > ${destination}: `;
  if (packet.fragmentOffset > 0) return `${between}${protocolName(protocol)}`;
  switch (protocol) {
    case IP_PROTOCOL.tcp:
      return tcpText(packet, beginnings);
    case IP_PROTOCOL.udp:
      return udpText(packet);
    case IP_PROTOCOL.icmp:
      return `${between}${icmpText(payload)}`;
    case IP_PROTOCOL.icmpv6:
      return `${between}${icmpv6Text(packet)}`;
    case IP_PROTOCOL.ipip:
      return `${between}IP ${ipText(payload, beginnings)}`;
    case IP_PROTOCOL.ipv6:
      return `${between}IP6 ${ipText(payload, beginnings)}`;
    case IP_PROTOCOL.gre:
      return `${between}${greText(payload, beginnings)}`;
    default:
      return `${between}ip-proto-${protocol} ${payload.length}`;
  }
}

function protocolName(protocol: number): string {
  if (protocol === IP_PROTOCOL.icmp) return "icmp";
  if (protocol === IP_PROTOCOL.tcp) return "tcp";
  return protocol === IP_PROTOCOL.udp ? "udp" : `ip-proto-${protocol}`;
}

function ends({ source, destination, payload }: Packet): string {
  const ports = PortsView.over(payload);
  if (typeof ports === "string") return `${source} > ${destination}: `;
  return `${source}.${ports.source} > ${destination}.${ports.destination}: `;
}

function tcpText(packet: Packet, beginnings: Beginnings): string {
  const tcp = TcpView.over(packet.payload);
  if (typeof tcp === "string") return `${ends(packet)}[|tcp]`;
  const { flags, sequence, acknowledgement, window, payload, options } = tcp;
  const letters = FLAG_LETTERS.filter(([bit]) => (flags & bit) !== 0).map(([, letter]) => letter);
  const mine = `${packet.source}.${tcp.source}>${packet.destination}.${tcp.destination}`;
  const theirs = `${packet.destination}.${tcp.destination}>${packet.source}.${tcp.source}`;
  const isOpening = (flags & TCP_FLAG.syn) !== 0;
  // As tcpdump does it: whole numbers in the first segment that it sees of a connection.
  const isFirst = !beginnings.has(mine) && !beginnings.has(theirs);
  if (isOpening) beginnings.set(mine, sequence);
  const known = beginnings.get(mine) ?? remember(beginnings, mine, sequence);
  const begins = isOpening || isFirst ? 0 : known;
  const from = (sequence - begins) >>> 0;
  const parts = [`Flags [${letters.join("") || "none"}]`];
  const isShown = isOpening || payload.length > 0 || (flags & (TCP_FLAG.fin | TCP_FLAG.rst)) !== 0;
  if (isShown)
    parts.push(`seq ${from}${payload.length > 0 ? `:${(from + payload.length) >>> 0}` : ""}`);
  if ((flags & TCP_FLAG.ack) !== 0) {
    const theirBeginning =
      beginnings.get(theirs) ?? (isOpening ? 0 : remember(beginnings, theirs, acknowledgement - 1));
    const base = isOpening || isFirst ? 0 : theirBeginning;
    parts.push(`ack ${(acknowledgement - base) >>> 0}`);
  }
  parts.push(`win ${window}`);
  const named = [...tcpOptions(options)].map(({ kind, value }) =>
    kind === TCP_OPTION.maximumSegmentSize ? `mss ${readUint16(value, 0)}` : `opt-${kind}`,
  );
  if (named.length > 0) parts.push(`options [${named.join(",")}]`);
  parts.push(`length ${payload.length}`);
  return `${ends(packet)}${parts.join(", ")}${httpText(tcp)}`;
}

function remember(beginnings: Beginnings, key: string, number: number): number {
  beginnings.set(key, number >>> 0);
  return number;
}

/** The first line of what goes to a web server and comes from one. */
function httpText({ source, destination, payload }: TcpView): string {
  if (payload.length === 0 || (source !== 80 && destination !== 80)) return "";
  const [line = ""] = new TextDecoder().decode(payload.subarray(0, 200)).split("\r\n");
  return /^(GET|POST|HEAD|HTTP\/)/.test(line) ? `: HTTP: ${line}` : ": HTTP";
}

function udpText(packet: Packet): string {
  const udp = UdpView.over(packet.payload);
  return `${ends(packet)}UDP, length ${typeof udp === "string" ? 0 : udp.payload.length}`;
}

function greText(payload: Uint8Array, beginnings: Beginnings): string {
  const gre = GreView.over(payload);
  if (typeof gre === "string") return "[|gre]";
  const inner = gre.protocol === ETHERTYPE.ipv6 ? "IP6" : "IP";
  return `GREv0, length ${payload.length}: ${inner} ${ipText(gre.payload, beginnings)}`;
}

function icmpText(message: Uint8Array): string {
  const icmp = IcmpView.over(message);
  if (typeof icmp === "string") return "[|icmp]";
  const length = `length ${message.length}`;
  const { type, code, identifier, sequence } = icmp;
  if (icmp.isEcho) {
    const what = type === ICMP_TYPE.echoRequest ? "request" : "reply";
    return `ICMP echo ${what}, id ${identifier}, seq ${sequence}, ${length}`;
  }
  const quoted = Ipv4View.unplaced();
  const isQuoted = quoted.moveToQuote(icmp.payload, 0, icmp.payload.length) === undefined;
  const about = isQuoted ? `${quoted.destination}` : "?";
  if (type === ICMP_TYPE.timeExceeded) return `ICMP time exceeded in-transit, ${length}`;
  if (type === ICMP_TYPE.redirect) {
    return `ICMP redirect ${about} to host ${Address.inet(icmp.rest)}, ${length}`;
  }
  if (type !== ICMP_TYPE.destinationUnreachable) return `ICMP type-#${type}, ${length}`;
  switch (code) {
    case UNREACHABLE_CODE.host:
      return `ICMP host ${about} unreachable, ${length}`;
    case UNREACHABLE_CODE.port: {
      const ports = isQuoted ? PortsView.over(quoted.payload) : "truncated";
      const port = typeof ports === "string" ? "?" : ports.destination;
      return `ICMP ${about} ${protocolName(quoted.protocol)} port ${port} unreachable, ${length}`;
    }
    case UNREACHABLE_CODE.protocol:
      return `ICMP ${about} protocol ${quoted.protocol} unreachable, ${length}`;
    case UNREACHABLE_CODE.fragmentationNeeded:
      return `ICMP ${about} unreachable - need to frag (mtu ${icmp.mtu}), ${length}`;
    default:
      return `ICMP net ${about} unreachable, ${length}`;
  }
}

function icmpv6Text({ payload }: Packet): string {
  const icmp = Icmpv6View.over(payload);
  if (typeof icmp === "string") return "[|icmp6]";
  const length = `length ${payload.length}`;
  const { type, identifier, sequence } = icmp;
  switch (type) {
    case ICMPV6_TYPE.echoRequest:
      return `ICMP6, echo request, id ${identifier}, seq ${sequence}, ${length}`;
    case ICMPV6_TYPE.echoReply:
      return `ICMP6, echo reply, id ${identifier}, seq ${sequence}, ${length}`;
    case ICMPV6_TYPE.neighbourSolicitation:
      return `ICMP6, neighbor solicitation, who has ${Address.fromBytes(icmp.payload, 0, "inet6")}, ${length}`;
    case ICMPV6_TYPE.neighbourAdvertisement:
      return `ICMP6, neighbor advertisement, tgt is ${Address.fromBytes(icmp.payload, 0, "inet6")}, ${length}`;
    case ICMPV6_TYPE.packetTooBig:
      return `ICMP6, packet too big, mtu ${icmp.mtu}, ${length}`;
    case ICMPV6_TYPE.timeExceeded:
      return `ICMP6, time exceeded in-transit, ${length}`;
    case ICMPV6_TYPE.destinationUnreachable:
      return `ICMP6, destination unreachable, ${length}`;
    default:
      return `ICMP6, type-#${type}, ${length}`;
  }
}
