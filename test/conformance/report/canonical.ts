/** Observations as lines that two sides must have in common, with what may vary taken out. */
import { Address } from "../../../src/net/address.ts";
import * as checksum from "../../../src/net/checksum.ts";
import { ETHERNET_HEADER_LENGTH } from "../../../src/net/ethernet.ts";
import { IP_PROTOCOL } from "../../../src/net/ip-protocol.ts";
import { findUpperLayer } from "../../../src/net/ipv6-extension.ts";
import { readMac } from "../../../src/net/mac-address.ts";
import { UDP_HEADER_LENGTH } from "../../../src/net/udp.ts";
import type { Comparison, Frame, Observation } from "../case.ts";
import { nameOf } from "../laboratory.ts";
import { HOST_WIRE } from "../ours/host-stack.ts";

/** `arrived` is the frame whose arrival was observed, `words` the command. */
export function linesOf(
  observation: Observation | undefined,
  comparison: Comparison,
  arrived: Frame | undefined,
  words: readonly string[],
): string[] {
  switch (observation?.kind) {
    case undefined:
      return ["(no report)"];
    case "ran":
      return words.includes("--nosort")
        ? sortedBlocks(ranLines(observation))
        : ranLines(observation);
    case "sent": {
      const frames = observation.frames
        .filter((frame) => !isOfHostsSctp(frame, arrived))
        .map((frame) => asHosts(frame, arrived));
      return comparison === "frames"
        ? frames.map((frame) => frameLine(frame, arrived))
        : [frames.map(receiver).join(", ") || "nobody"];
    }
    case "saw":
      return comparison === "survivors"
        ? survivors(observation.lines)
        : sortedBlocks(observation.lines);
    case "waited":
      return [];
  }
}

const ALL = 95;
const SOME = 10;

/** Lines of entries, as how many of about a hundred are left by protocol, virtual port and state. */
function survivors(lines: readonly string[]): string[] {
  const groups = Map.groupBy(lines, (line) => {
    const [protocol, , , virtual, , , state] = line.split(" ");
    return `${protocol} ${virtual?.replace(/.*:/, "port ")} ${state}`;
  });
  return [...groups]
    .map(([name, { length }]) => {
      const part = length >= ALL ? "all" : length >= SOME ? "some" : `${length}`;
      return `${name}: ${part}`;
    })
    .toSorted();
}

function ranLines({ exitCode, stdout, stderr }: Observation & { kind: "ran" }): string[] {
  return [
    `exit code ${exitCode < 0 ? `of signal ${-exitCode}` : exitCode}`,
    ...marked("stdout", stdout),
    ...marked("stderr", stderr),
  ];
}

/** Every byte shows: the end of the text without a line feed, too. */
function marked(name: string, text: string): string[] {
  if (text === "") return [];
  const ending = text.endsWith("\n") ? "" : "|no line feed";
  const lines = text.replace(/\n$/, "").split("\n");
  return lines.map((line, index) => `${name}|${line}${index === lines.length - 1 ? ending : ""}`);
}

/** Services in the kernel's hash order are compared in any order; their destinations stay below them. */
function sortedBlocks(lines: readonly string[]): string[] {
  const blocks: string[][] = [];
  for (const line of lines) {
    if (line.startsWith("stdout|  -> ") || line.startsWith("  ")) blocks.at(-1)?.push(line);
    else blocks.push([line]);
  }
  return blocks.toSorted(([a = ""], [b = ""]) => (a < b ? -1 : 1)).flat();
}

function receiver({ wire, bytes }: Frame): string {
  return wire === HOST_WIRE ? "host" : nameOf(readMac(bytes, 0));
}

function frameLine({ wire, bytes }: Frame, arrived: Frame | undefined): string {
  if (wire === HOST_WIRE) return "to the host's own stack";
  const packet = Buffer.from(bytes.subarray(ETHERNET_HEADER_LENGTH));
  const notes = arrived === undefined ? [] : maskWhatVaries(packet, arrived);
  const way = `${wire} ${readMac(bytes, 6)} > ${nameOf(readMac(bytes, 0))}`;
  return [way, summary(packet), ...notes, packet.toString("hex")].join(" ");
}

/** For the reader. */
function summary(packet: Buffer): string {
  const isInet6 = isVersion6(packet);
  const [source, destination] = isInet6
    ? [Address.fromBytes(packet, 8, "inet6"), Address.fromBytes(packet, 24, "inet6")]
    : [Address.fromBytes(packet, 12, "inet"), Address.fromBytes(packet, 16, "inet")];
  const protocol = packet[isInet6 ? 6 : 9];
  return `${source} > ${destination} protocol ${protocol} ttl ${packet[isInet6 ? 7 : 8]}`;
}

const TCP_RESET = 0x04;
const ECHO_REPLY = { 4: 0, 6: 129 } as const;

/** The kernel's stack answers what IPVS leaves to it; here that it did is what counts, not how. */
function asHosts(frame: Frame, arrived: Frame | undefined): Frame {
  if (arrived === undefined || frame.wire !== arrived.wire) return frame;
  const [answer, question] = [frame, arrived].map(({ bytes }) => partsOf(bytes));
  if (answer === undefined || question === undefined) return frame;
  const isAnswer = answer.source === question.destination && answer.protocol === question.protocol;
  const isReset = answer.protocol === IP_PROTOCOL.tcp && (answer.payload[13]! & TCP_RESET) !== 0;
  const isIcmp = answer.protocol === IP_PROTOCOL.icmp || answer.protocol === IP_PROTOCOL.icmpv6;
  const isEcho = isIcmp && answer.payload[0] === ECHO_REPLY[answer.version];
  return isAnswer && (isReset || isEcho) ? { wire: HOST_WIRE, bytes: new Uint8Array() } : frame;
}

const PROTOCOL_UNREACHABLE = [3, 2] as const;
const UNRECOGNIZED_NEXT_HEADER = [4, 1] as const;

const SCTP_CHUNKS_AT = 12;
const SCTP_ABORT = 6;

/** What a host's stack says to SCTP that IPVS leaves to it: an ABORT, or that it has no SCTP; IPVS says neither. */
function isOfHostsSctp(frame: Frame, arrived: Frame | undefined): boolean {
  if (frame.wire === HOST_WIRE || frame.wire !== arrived?.wire) return false;
  const { version, source, protocol, payload } = partsOf(frame.bytes);
  if (protocol === IP_PROTOCOL.sctp) {
    const isAnswer = source === partsOf(arrived.bytes).destination;
    return isAnswer && payload[SCTP_CHUNKS_AT] === SCTP_ABORT;
  }
  const isIcmp = protocol === (version === 4 ? IP_PROTOCOL.icmp : IP_PROTOCOL.icmpv6);
  const [type, code] = version === 4 ? PROTOCOL_UNREACHABLE : UNRECOGNIZED_NEXT_HEADER;
  return isIcmp && payload[0] === type && payload[1] === code;
}

function partsOf(frame: Uint8Array) {
  const packet = Buffer.from(frame.subarray(ETHERNET_HEADER_LENGTH));
  const isInet6 = isVersion6(packet);
  return {
    version: isInet6 ? (6 as const) : (4 as const),
    source: isInet6 ? packet.toString("hex", 8, 24) : packet.toString("hex", 12, 16),
    destination: isInet6 ? packet.toString("hex", 24, 40) : packet.toString("hex", 16, 20),
    protocol: packet[isInet6 ? 6 : 9]!,
    payload: packet.subarray(isInet6 ? 40 : (packet[0]! & 15) * 4),
  };
}

function isVersion6(packet: Uint8Array): boolean {
  return packet[0]! >>> 4 === 6;
}

const IDENTIFICATION_AT = 4;
const FLAGS_AT = 6;
const HEADER_CHECKSUM_AT = 10;
const DONT_FRAGMENT = 0x4000;
const MORE_FRAGMENTS = 0x2000;
const FRAGMENT_OFFSET = 0x1fff;
const INET6_HEADER_LENGTH = 40;
/** In a fragment header. */
const FRAGMENT_IDENTIFICATION_AT = 4;
const TUNNEL_PROTOCOLS: readonly number[] = [IP_PROTOCOL.ipip, IP_PROTOCOL.ipv6, IP_PROTOCOL.gre];
/** Cases use this port for GUE, and for nothing else. */
export const GUE_PORT = 6080;

/**
 * Zeroes what any kernel may choose: the identification of a packet of its own that may be fragmented, and GUE's
 * source port. Notes whether the checksums over them were right.
 */
function maskWhatVaries(packet: Buffer, arrived: Frame): string[] {
  if (isVersion6(packet)) {
    const fragment = fragmentHeaderOf(packet);
    if (fragment >= 0) packet.writeUInt32BE(0, fragment + FRAGMENT_IDENTIFICATION_AT);
    return maskGue(packet, INET6_HEADER_LENGTH, packet[6]!);
  }
  const notes: string[] = [];
  const headerLength = (packet[0]! & 15) * 4;
  const came = Buffer.from(arrived.bytes.subarray(ETHERNET_HEADER_LENGTH));
  const isOwn =
    isVersion6(came) ||
    isTunnel(packet, headerLength) ||
    packet.readUInt16BE(IDENTIFICATION_AT) !== came.readUInt16BE(IDENTIFICATION_AT);
  if (isOwn && (packet.readUInt16BE(FLAGS_AT) & DONT_FRAGMENT) === 0) {
    const isRight = checksum.sum(packet, 0, headerLength) === 0xffff;
    notes.push(`own identification, header checksum ${isRight ? "right" : "wrong"}`);
    packet.writeUInt16BE(0, IDENTIFICATION_AT);
    packet.writeUInt16BE(0, HEADER_CHECKSUM_AT);
  }
  return [...notes, ...maskGue(packet, headerLength, packet[9]!)];
}

/** A tunnel's outer header is the director's own, also when it has the identification of what came by chance. */
function isTunnel(packet: Buffer, headerLength: number): boolean {
  const protocol = packet[9]!;
  if (protocol === IP_PROTOCOL.udp) {
    return !isLaterFragment(packet) && packet.readUInt16BE(headerLength + 2) === GUE_PORT;
  }
  return TUNNEL_PROTOCOLS.includes(protocol);
}

/** -1: none. */
function fragmentHeaderOf(packet: Buffer): number {
  const found = { protocol: 0, start: 0, fragmentStart: -1, fragmentAnnouncedAt: -1 };
  findUpperLayer(packet, INET6_HEADER_LENGTH, packet.length, packet[6]!, found);
  return found.fragmentStart;
}

function maskGue(packet: Buffer, at: number, protocol: number): string[] {
  if (protocol !== IP_PROTOCOL.udp || packet.length < at + UDP_HEADER_LENGTH) return [];
  if (isLaterFragment(packet) || packet.readUInt16BE(at + 2) !== GUE_PORT) return [];
  const note = `GUE, checksum ${udpChecksum(packet, at)}`;
  packet.writeUInt16BE(0, at);
  packet.writeUInt16BE(0, at + 6);
  return [note];
}

function isLaterFragment(packet: Buffer): boolean {
  return !isVersion6(packet) && (packet.readUInt16BE(FLAGS_AT) & FRAGMENT_OFFSET) !== 0;
}

function isFirstFragment(packet: Buffer): boolean {
  return !isVersion6(packet) && (packet.readUInt16BE(FLAGS_AT) & MORE_FRAGMENTS) !== 0;
}

function udpChecksum(packet: Buffer, at: number): "none" | "right" | "wrong" | "in pieces" {
  if (packet.readUInt16BE(at + 6) === 0) return "none";
  if (isFirstFragment(packet)) return "in pieces";
  const addresses = isVersion6(packet) ? [8, 40] : [12, 20];
  const pseudoHeader = checksum.sum(packet, addresses[0]!, addresses[1]!);
  const length = packet.length - at;
  const sum = checksum.sum(packet, at, packet.length, pseudoHeader + IP_PROTOCOL.udp + length);
  return sum === 0xffff ? "right" : "wrong";
}
