/** A frame that left, as a line that two sides must have in common. */
import { Address } from "../../../src/net/address.ts";
import { ARP_OPERATION, ArpView } from "../../../src/net/arp.ts";
import { ETHERNET_HEADER_LENGTH, ETHERTYPE } from "../../../src/net/ethernet.ts";
import { ICMPV6_TYPE } from "../../../src/net/icmpv6.ts";
import { IP_PROTOCOL } from "../../../src/net/ip-protocol.ts";
import { readMac } from "../../../src/net/mac-address.ts";
import { formatPacket } from "../../packets/packet-text.ts";
import { writeTrueChecksums } from "../../packets/true-checksums.ts";
import { type HostNames, INTERFACES, stationNamed } from "./names.ts";

/** `lan > R1: C:1000 > R1:80 S ttl 63`. */
export function frameText(wire: string, frame: Uint8Array, names: HostNames): string {
  if (wire.startsWith("tun")) return `${wire}: ${packetText(frame, names)}`;
  const view = new DataView(frame.buffer, frame.byteOffset, frame.length);
  const body = frame.subarray(ETHERNET_HEADER_LENGTH);
  const way = `${wire}${sourceText(frame)} > ${stationNamed(readMac(frame, 0))}`;
  switch (view.getUint16(12)) {
    case ETHERTYPE.arp:
      return `${wire}: ${arpText(body, names)}`;
    case ETHERTYPE.ipv4:
    case ETHERTYPE.ipv6:
      return isSolicitation(body)
        ? `${wire}: ${solicitationText(body, names)}`
        : `${way}: ${packetText(body, names)}`;
    default:
      return `${way}: ${Buffer.from(body).toString("hex")}`;
  }
}

/** From whom, where it is not the director's own interface. */
function sourceText(frame: Uint8Array): string {
  const mac = readMac(frame, 6);
  return Object.values(INTERFACES).includes(mac) ? "" : ` from ${stationNamed(mac)}`;
}

function arpText(body: Uint8Array, names: HostNames): string {
  const arp = ArpView.over(body);
  if (typeof arp === "string") return `${arp} ARP`;
  const { message } = arp;
  const [sender, target] = [names.name(message.sender), names.name(message.target)];
  return arp.operation === ARP_OPERATION.request
    ? `${sender} asks for ${target}`
    : `${sender} is at ${stationNamed(arp.senderMac)}`;
}

const INET6_HEADER_LENGTH = 40;
const TARGET_AT = 48;

function isSolicitation(packet: Uint8Array): boolean {
  return (
    packet[0]! >>> 4 === 6 &&
    packet[6] === IP_PROTOCOL.icmpv6 &&
    packet[INET6_HEADER_LENGTH] === ICMPV6_TYPE.neighbourSolicitation
  );
}

function solicitationText(packet: Uint8Array, names: HostNames): string {
  const target = Address.fromBytes(packet, TARGET_AT, "inet6");
  return `${askerText(Address.fromBytes(packet, 8, "inet6"), names)} asks for ${names.name(target)}`;
}

/** A link-local address follows from the interface's hardware address. */
function askerText(source: Address, names: HostNames): string {
  return source.toString().startsWith("fe80:") ? "the link" : names.name(source);
}

const PROTOCOL_AT = { 4: 9, 6: 6 } as const;
const FRAGMENT_MASK = 0x3fff;
const MORE_FRAGMENTS = 0x2000;
const TUNNELS: readonly number[] = [IP_PROTOCOL.ipip, IP_PROTOCOL.ipv6];

export function packetText(packet: Uint8Array, names: HostNames): string {
  const version = packet[0]! >>> 4 === 6 ? 6 : 4;
  const start = version === 6 ? INET6_HEADER_LENGTH : (packet[0]! & 0x0f) * 4;
  const length = lengthOf(packet, version);
  const whole = packet.slice(0, length);
  const protocol = packet[PROTOCOL_AT[version]]!;
  const fragment = fragmentOf(packet, version);
  if (fragment !== undefined) {
    const ends = `${addressText(packet, version, 0, names)} > ${addressText(packet, version, 1, names)}`;
    const more = fragment.isLast ? "" : "+";
    return `${ends} protocol ${fragment.protocol} piece at ${fragment.offset}${more} len ${length}`;
  }
  const inner = TUNNELS.includes(protocol)
    ? ` in: ${packetText(whole.subarray(start), names)}`
    : "";
  const note = hasTrueChecksums(whole) ? "" : " WRONG CHECKSUM";
  return `${formatPacket(whole, names)}${inner}${note}`;
}

function lengthOf(packet: Uint8Array, version: 4 | 6): number {
  const view = new DataView(packet.buffer, packet.byteOffset, packet.length);
  return version === 6 ? INET6_HEADER_LENGTH + view.getUint16(4) : view.getUint16(2);
}

function addressText(packet: Uint8Array, version: 4 | 6, which: 0 | 1, names: HostNames): string {
  const found =
    version === 6
      ? Address.fromBytes(packet, 8 + 16 * which, "inet6")
      : Address.fromBytes(packet, 12 + 4 * which, "inet");
  return names.name(found);
}

function fragmentOf(packet: Uint8Array, version: 4 | 6) {
  const view = new DataView(packet.buffer, packet.byteOffset, packet.length);
  if (version === 4) {
    const word = view.getUint16(6) & FRAGMENT_MASK;
    if (word === 0) return undefined;
    const offset = (word & ~MORE_FRAGMENTS) * 8;
    return { protocol: packet[9]!, offset, isLast: (word & MORE_FRAGMENTS) === 0 };
  }
  if (packet[6] !== IP_PROTOCOL.fragment) return undefined;
  const word = view.getUint16(INET6_HEADER_LENGTH + 2);
  return {
    protocol: packet[INET6_HEADER_LENGTH]!,
    offset: word & 0xfff8,
    isLast: (word & 1) === 0,
  };
}

function hasTrueChecksums(packet: Uint8Array): boolean {
  const copy = packet.slice();
  writeTrueChecksums(copy);
  return Buffer.from(copy).equals(packet);
}
