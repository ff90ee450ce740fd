/**
 * What became of a packet, as text: the reason, the next hop, and how what goes out differs from what came in.
 *
 *     forward-route R1                          nothing but the time to live, less by one
 *     forward-masquerade R1 to R1:8080          its destination
 *     forward-reply C from V:80 parts 1500 220  its source; and cut up
 *     forward-tunnel R1 in D > R1 ipip df       inside another packet, as it was
 *     drop-no-destination; V > C unreachable-port about C:1000 > V:80 S
 *
 * What a reader would not see is checked here: every byte that should be as it was, and every checksum. A fault shows
 * as `!!` and what it is.
 */
import type { Instant } from "../../src/base/clock.ts";
import type { Outcome } from "../../src/ipvs/packets/outcome.ts";
import { NO_ARRIVAL, Packet } from "../../src/ipvs/packets/packet.ts";
import type { Address } from "../../src/net/address.ts";
import { IP_PROTOCOL } from "../../src/net/ip-protocol.ts";
import { Ipv4View } from "../../src/net/ipv4.ts";
import { Ipv6View } from "../../src/net/ipv6.ts";
import { Reassembler } from "../../src/net/reassembly.ts";
import { hex } from "../bytes.ts";
import type { Names } from "./names.ts";
import { formatEnd, formatPacket } from "./packet-text.ts";
import { internetChecksum, writeTrueChecksums } from "./true-checksums.ts";

/** `connection` is what is to be said of the packet's connection. */
export function describeOutcome(
  sent: Uint8Array,
  outcome: Outcome,
  connection: string,
  names: Names,
): string {
  const { verdict, reason, route, packet, parts, notices } = outcome;
  const words: string[] = [reason];
  if (route !== undefined) words.push(names.name(route.nextHop));
  if (verdict === "forward" || verdict === "pass") {
    if (reason === "pass-fragment") return reason;
    const out = packet.bytes.slice(packet.start, packet.end);
    if (packet.isChecksumPartial) finishAsCard(out);
    words.push(describePackets(sent, parts.length > 0 ? parts : [out], reason, names));
    if (parts.length > 0) words.push(`parts ${parts.map(({ length }) => length).join(" ")}`);
  }
  words.push(connection);
  const told = notices.map((each) => `; ${formatPacket(each, names)}${faultOf(each)}`);
  return words.filter((word) => word !== "").join(" ") + told.join("");
}

/** What goes out: one packet, or the parts of one. */
function describePackets(
  sent: Uint8Array,
  out: readonly Uint8Array[],
  reason: string,
  names: Names,
): string {
  if (isMalformed(sent)) return "";
  const wholes = reassemble(out);
  const words: string[] = [];
  const isTunnel =
    reason === "forward-tunnel" || (reason === "forward-icmp-request" && !isIcmp(wholes[0]!));
  if (isTunnel) words.push(describeOuter(wholes[0]!, names));
  const inner = isTunnel ? wholes.map(innerOf) : wholes;
  const first = inner[0]!;
  if (isIcmp(sent) && hex(sent) === hex(first)) return "";
  if (isIcmp(sent)) return [...words, formatPacket(first, names), ...wholes.map(faultOf)].join(" ");
  const before = headOf(sent);
  const after = headOf(first);
  const lost = reason.startsWith("pass") ? 0 : 1;
  if (endOf(before, "source", names) !== endOf(after, "source", names)) {
    words.push(`from ${endOf(after, "source", names)}`);
  }
  if (endOf(before, "destination", names) !== endOf(after, "destination", names)) {
    words.push(`to ${endOf(after, "destination", names)}`);
  }
  if (after.timeToLive !== before.timeToLive - lost) words.push(`ttl ${after.timeToLive}`);
  words.push(...new Set(wholes.map(faultOf)));
  const isRewritten = words.some((word) => word.startsWith("from ") || word.startsWith("to "));
  words.push(inner.length === 1 ? difference(sent, first, isRewritten) : scatter(sent, inner));
  return words.filter((word) => word !== "").join(" ");
}

function describeOuter(packet: Uint8Array, names: Names): string {
  const { source, destination, protocol, timeToLive, tos, dontFragment } = headOf(packet);
  const kinds: Readonly<Record<number, string>> = {
    [IP_PROTOCOL.ipip]: "ipip",
    [IP_PROTOCOL.ipv6]: "ipip",
    [IP_PROTOCOL.gre]: "gre",
    [IP_PROTOCOL.udp]: "gue",
  };
  const options = [
    timeToLive === 63 ? "" : `outer-ttl ${timeToLive}`,
    tos === 0 ? "" : `tos ${tos}`,
    dontFragment ? "df" : "",
  ];
  const what = `in ${names.name(source)} > ${names.name(destination)} ${kinds[protocol]}`;
  return [what, ...options].filter((word) => word !== "").join(" ");
}

interface Head {
  readonly source: Address;
  readonly destination: Address;
  readonly protocol: number;
  readonly timeToLive: number;
  readonly tos: number;
  readonly dontFragment: boolean;
  readonly payloadStart: number;
  readonly bytes: Uint8Array;
}

function headOf(bytes: Uint8Array): Head {
  if (bytes[0]! >>> 4 === 4) {
    const { source, destination, protocol, timeToLive, tos, dontFragment, payloadStart } =
      Ipv4View.over(bytes) as Ipv4View;
    return { source, destination, protocol, timeToLive, tos, dontFragment, payloadStart, bytes };
  }
  const { source, destination, protocol, hopLimit, trafficClass, payloadStart } = Ipv6View.over(
    bytes,
  ) as Ipv6View;
  return {
    source,
    destination,
    protocol,
    timeToLive: hopLimit,
    tos: trafficClass,
    dontFragment: false,
    payloadStart,
    bytes,
  };
}

function isMalformed(bytes: Uint8Array): boolean {
  return new Packet().moveTo(bytes, 0, bytes.length, NO_ARRIVAL) !== undefined;
}

function isIcmp(bytes: Uint8Array): boolean {
  const { protocol } = headOf(bytes);
  return protocol === IP_PROTOCOL.icmp || protocol === IP_PROTOCOL.icmpv6;
}

function portAt(head: Head, side: "source" | "destination"): number {
  return 2 * (side === "source" ? 0 : 1) + head.payloadStart;
}

function hasPorts({ protocol }: Head): boolean {
  return [IP_PROTOCOL.tcp, IP_PROTOCOL.udp, IP_PROTOCOL.sctp].includes(protocol as 6);
}

function endOf(head: Head, side: "source" | "destination", names: Names): string {
  const at = portAt(head, side);
  const port = hasPorts(head) ? (head.bytes[at]! << 8) | head.bytes[at + 1]! : undefined;
  return formatEnd(head[side], port, names);
}

/** Whether `out` is what `sent` must have become, given its new ends: the rest is known to the byte. */
function difference(sent: Uint8Array, out: Uint8Array, isRewritten: boolean): string {
  if (!hasTrueChecksums(sent)) return "";
  const expected = sent.slice();
  const isInet = out[0]! >>> 4 === 4;
  const { payloadStart } = headOf(out);
  const copy = (start: number, end: number): void => expected.set(out.subarray(start, end), start);
  if (isInet) {
    copy(8, 9);
    copy(12, 20);
  } else {
    copy(7, 40);
  }
  if (hasPorts(headOf(out))) copy(payloadStart, payloadStart + 4);
  writeTrueChecksums(expected, { alsoAbsent: isRewritten });
  if (out.length !== expected.length) return `!! ${out.length} bytes, not ${expected.length}`;
  const at = out.findIndex((byte, index) => byte !== expected[index]);
  return at < 0 ? "" : `!! byte ${at} is ${out[at]}, not ${expected[at]}`;
}

/** Whether the segments hold the payload of the super-packet that came. */
function scatter(sent: Uint8Array, segments: readonly Uint8Array[]): string {
  const payloadOf = (packet: Uint8Array): string => {
    const { payloadStart, protocol } = headOf(packet);
    return hexDigits(packet.subarray(payloadStart + (protocol === IP_PROTOCOL.tcp ? 20 : 8)));
  };
  const isWhole = segments.map(payloadOf).join("") === payloadOf(sent);
  return isWhole && segments.every(hasTrueChecksums) ? "" : "!! segments do not make the packet";
}

function hexDigits(bytes: Uint8Array): string {
  return hex(bytes).replaceAll(" ", "");
}

function hasTrueChecksums(packet: Uint8Array): boolean {
  const whole = packet.slice();
  writeTrueChecksums(whole);
  return whole.every((byte, index) => byte === packet[index]);
}

/** What is wrong with a packet that goes out: its own checksums, and those of the packet that it quotes. */
function faultOf(packet: Uint8Array): string {
  const { protocol, payloadStart } = headOf(packet);
  if (isIcmp(packet)) return hasTrueChecksums(packet) ? "" : " !! checksum";
  if (packet[0]! >>> 4 === 4 && internetChecksum(packet.subarray(0, payloadStart)) !== 0) {
    return " !! header checksum";
  }
  const hasGreChecksum = protocol === IP_PROTOCOL.gre && (packet[payloadStart]! & 0x80) !== 0;
  if (hasGreChecksum && internetChecksum(packet.subarray(payloadStart)) !== 0) return " !! GRE";
  return "";
}

/** The packet inside a tunnel packet. */
function innerOf(packet: Uint8Array): Uint8Array {
  const { protocol, payloadStart } = headOf(packet);
  switch (protocol) {
    case IP_PROTOCOL.gre:
      return packet.slice(payloadStart + ((packet[payloadStart]! & 0x80) === 0 ? 4 : 8));
    case IP_PROTOCOL.udp:
      if (!hasTrueChecksums(packet)) throw new Error("The outer UDP checksum is wrong");
      return packet.slice(payloadStart + 8 + 4);
    default:
      return packet.slice(payloadStart);
  }
}

/** Whole packets as their receiver gets them. */
function reassemble(packets: readonly Uint8Array[]): Uint8Array[] {
  const reassembler = new Reassembler();
  return packets.flatMap((packet) => {
    const view = packet[0]! >>> 4 === 4 ? Ipv4View.over(packet) : Ipv6View.over(packet);
    if (typeof view === "string") return [packet];
    return reassembler.add(view, 0 as Instant) ?? [];
  });
}

/** Adds up what the sender left to the network card: over the pseudo-header's sum that stands in the field. */
function finishAsCard(packet: Uint8Array): void {
  const { protocol, payloadStart } = headOf(packet);
  const field = payloadStart + (protocol === IP_PROTOCOL.tcp ? 16 : 6);
  const sum = internetChecksum(packet.subarray(payloadStart)) || 0xffff;
  packet[field] = sum >>> 8;
  packet[field + 1] = sum;
}
