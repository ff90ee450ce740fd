/**
 * Packets as one line, much as tcpdump writes them:
 *
 *     C:1000 > V:80 S                          TCP with flags S F R P U and . (ACK), or - for none
 *     C:1000 > V:53 udp len 100 df nocsum      len is the IP packet's; the rest is payload
 *     C:1000 > V:9 sctp:INIT                   chunks by name, joined by +
 *     C > V echo
 *     X > V too-big mtu 1400 about V:80 > C:1000 . len 1500 df
 *     D > R1 in gue:6080 C:1000 > V:80 S       in a tunnel: ipip, gre or gue
 *
 * Options: len, ttl (64), tos, id with a number; df, nocsum, badcsum; payload with URL-encoded text (of UDP).
 */
import type { Address, AddressPair } from "../../src/net/address.ts";
import { emitIcmp, ICMP_TYPE, IcmpView, UNREACHABLE_CODE } from "../../src/net/icmp.ts";
import { emitIcmpv6, ICMPV6_TYPE, Icmpv6View, UNREACHABLE_CODE_V6 } from "../../src/net/icmpv6.ts";
import { IP_PROTOCOL } from "../../src/net/ip-protocol.ts";
import { emitIpv4, Ipv4View } from "../../src/net/ipv4.ts";
import { emitIpv6, Ipv6View } from "../../src/net/ipv6.ts";
import { toPort } from "../../src/net/port.ts";
import { PortsView } from "../../src/net/ports.ts";
import { emitSctp, SCTP_CHUNK, SctpView } from "../../src/net/sctp.ts";
import { emitTcp, TCP_FLAG } from "../../src/net/tcp.ts";
import { emitUdp } from "../../src/net/udp.ts";
import { urlDecoded } from "../bytes.ts";

const FLAGS = { S: "syn", F: "fin", R: "rst", P: "psh", ".": "ack", U: "urg" } as const;

// biome-ignore format: a table
const CHUNKS: Readonly<Record<string, number>> = {
  DATA: SCTP_CHUNK.data, INIT: SCTP_CHUNK.init, "INIT-ACK": SCTP_CHUNK.initAck, ABORT: SCTP_CHUNK.abort,
  "COOKIE-ECHO": SCTP_CHUNK.cookieEcho, "COOKIE-ACK": SCTP_CHUNK.cookieAck, SHUTDOWN: SCTP_CHUNK.shutdown,
  "SHUTDOWN-ACK": SCTP_CHUNK.shutdownAck, "SHUTDOWN-COMPLETE": SCTP_CHUNK.shutdownComplete,
};

/** ICMP messages by family: type and code. */
// biome-ignore format: a table
const MESSAGES: Readonly<Record<string, readonly [inet: readonly [number, number], inet6: readonly [number, number]]>> = {
  "unreachable-port": [[ICMP_TYPE.destinationUnreachable, UNREACHABLE_CODE.port], [ICMPV6_TYPE.destinationUnreachable, UNREACHABLE_CODE_V6.port]],
  "unreachable-host": [[ICMP_TYPE.destinationUnreachable, UNREACHABLE_CODE.host], [ICMPV6_TYPE.destinationUnreachable, UNREACHABLE_CODE_V6.address]],
  "too-big":          [[ICMP_TYPE.destinationUnreachable, UNREACHABLE_CODE.fragmentationNeeded], [ICMPV6_TYPE.packetTooBig, 0]],
  "time-exceeded":    [[ICMP_TYPE.timeExceeded, 0], [ICMPV6_TYPE.timeExceeded, 0]],
  "source-quench":    [[ICMP_TYPE.sourceQuench, 0], [0, 0]],
  "parameter-problem": [[ICMP_TYPE.parameterProblem, 0], [ICMPV6_TYPE.parameterProblem, 0]],
  "echo":             [[ICMP_TYPE.echoRequest, 0], [ICMPV6_TYPE.echoRequest, 0]],
  "echo-reply":       [[ICMP_TYPE.echoReply, 0], [ICMPV6_TYPE.echoReply, 0]],
};

/** Linux's mark of ICMP errors: internetwork control. */
const ERROR_TOS = 0xc0;

/** What addresses are called. */
export interface AddressNames {
  address(name: string): Address;
  name(of: Address): string;
}

interface End {
  readonly address: Address;
  readonly port: number | undefined;
}

/** The options at the end of a packet's text. */
export class Options {
  readonly #words: readonly string[];

  constructor(words: readonly string[]) {
    this.#words = words;
  }

  has(word: string): boolean {
    return this.#words.includes(word);
  }

  number(word: string): number | undefined {
    const text = this.text(word);
    return text === undefined ? undefined : Number(text);
  }

  text(word: string): string | undefined {
    const at = this.#words.indexOf(word);
    return at < 0 ? undefined : this.#words[at + 1];
  }
}

/** The bytes of a whole IP packet. */
export function parsePacket(text: string, names: AddressNames): Uint8Array {
  const [before, about] = text.split(/ about /, 2) as [string, string?];
  const words = before.trim().split(/\s+/);
  const [source, arrow, destination, kind, ...rest] = words;
  if (arrow !== ">" || kind === undefined) throw new RangeError(`Cannot read packet "${text}"`);
  if (kind === "in") return parseTunnelPacket(words, names);
  const from = parseEnd(source!, names);
  const to = parseEnd(destination!, names);
  const addresses = { source: from.address, destination: to.address };
  const options = new Options(rest);
  const isInet = from.address.family === "inet";
  const ipLength = isInet ? 20 : 40;
  const room = (options.number("len") ?? 0) - ipLength;
  const quoted =
    about === undefined ? undefined : parsePacket(text.slice(text.indexOf(" about ") + 7), names);
  const [protocol, body] = emitBody(kind, from, to, addresses, room, options, quoted);
  const identification = options.number("id") ?? 1;
  const timeToLive = options.number("ttl") ?? 64;
  const tos = options.number("tos") ?? (quoted !== undefined && isInet ? ERROR_TOS : 0);
  const packet = isInet
    ? emitIpv4(
        {
          ...addresses,
          protocol,
          identification,
          timeToLive,
          tos,
          dontFragment: options.has("df"),
        },
        body,
      )
    : emitIpv6(
        { ...addresses, nextHeader: protocol, hopLimit: timeToLive, trafficClass: tos },
        body,
      );
  if (options.has("badcsum")) spoilChecksum(packet, ipLength, protocol);
  return packet;
}

function parseTunnelPacket(words: readonly string[], names: AddressNames): Uint8Array {
  const [source, , destination, , kind, ...rest] = words as [
    string,
    string,
    string,
    string,
    string,
  ];
  const inner = parsePacket(rest.join(" "), names);
  const [encapsulation, port] = kind.split(":") as [string, string?];
  const view = Ipv4View.over(inner) as Ipv4View;
  const addresses = { source: names.address(source), destination: names.address(destination) };
  const outer = { ...addresses, dontFragment: view.dontFragment, timeToLive: view.timeToLive };
  switch (encapsulation) {
    case "gre":
      return emitIpv4({ ...outer, protocol: IP_PROTOCOL.gre }, joined([0, 0, 8, 0], inner));
    case "gue": {
      const ports = { source: toPort(40_000), destination: toPort(Number(port)) };
      const gue = joined([0, IP_PROTOCOL.ipip, 0, 0], inner);
      return emitIpv4({ ...outer, protocol: IP_PROTOCOL.udp }, emitUdp(ports, gue));
    }
    default:
      return emitIpv4({ ...outer, protocol: IP_PROTOCOL.ipip }, inner);
  }
}

function joined(header: readonly number[], body: Uint8Array): Uint8Array {
  return Uint8Array.from([...header, ...body]);
}

function emitBody(
  kind: string,
  from: End,
  to: End,
  addresses: AddressPair,
  room: number,
  options: Options,
  quoted: Uint8Array | undefined,
): [protocol: number, body: Uint8Array] {
  const ports = { source: toPort(from.port ?? 0), destination: toPort(to.port ?? 0) };
  if (kind === "udp") {
    const text = options.text("payload");
    const payload = text === undefined ? filler(room - 8) : urlDecoded(text);
    const sum = options.has("nocsum") ? undefined : addresses;
    return [IP_PROTOCOL.udp, emitUdp(ports, payload, sum)];
  }
  if (kind.startsWith("sctp")) {
    const chunks = kind.split(":")[1]?.split("+") ?? [];
    const header = { ...ports, verificationTag: 1 };
    return [
      IP_PROTOCOL.sctp,
      emitSctp(
        header,
        chunks.map((name) => ({ type: CHUNKS[name]!, flags: 0, value: filler(5) })),
      ),
    ];
  }
  if (kind === "esp") return [IP_PROTOCOL.esp, filler(Math.max(room, 16))];
  const message = MESSAGES[kind];
  if (message !== undefined) {
    const isInet = addresses.source.family === "inet";
    const [type, code] = message[isInet ? 0 : 1];
    const rest = kind === "too-big" ? (options.number("mtu") ?? 0) : 1;
    // As much as Linux quotes.
    const payload = quoted?.subarray(0, isInet ? 548 : 1232) ?? filler(room - 8);
    return isInet
      ? [IP_PROTOCOL.icmp, emitIcmp({ type, code, rest }, payload)]
      : [IP_PROTOCOL.icmpv6, emitIcmpv6({ type, code, rest }, payload, addresses)];
  }
  const flags = kind.split("").reduce((sum, letter) => sum | flagOf(letter), 0);
  return [IP_PROTOCOL.tcp, emitTcp({ ...ports, flags }, filler(room - 20), addresses)];
}

function flagOf(letter: string): number {
  if (letter === "-") return 0;
  const name = FLAGS[letter as keyof typeof FLAGS];
  if (name === undefined) throw new RangeError(`Cannot read "${letter}" as a TCP flag`);
  return TCP_FLAG[name];
}

/** Payload that shows when it is moved; the same memory for all. */
function filler(length: number): Uint8Array {
  if (length > fillers.length) fillers = Uint8Array.from({ length }, (_, at) => (at * 7) & 0xff);
  return fillers.subarray(0, Math.max(length, 0));
}
let fillers = new Uint8Array(0);

function spoilChecksum(packet: Uint8Array, start: number, protocol: number): void {
  const field = { 1: 2, 6: 16, 17: 6, 58: 2, 132: 8 }[protocol]!;
  packet[start + field]! ^= 0x55;
}

function parseEnd(text: string, names: AddressNames): End {
  const match = /^\[(.+)\]:(\d+)$/.exec(text) ?? /^([^:]+):(\d+)$/.exec(text);
  if (match === null) return { address: names.address(text), port: undefined };
  return { address: names.address(match[1]!), port: Number(match[2]) };
}

export function formatEnd(of: Address, port: number | undefined, names: AddressNames): string {
  const name = names.name(of);
  if (port === undefined) return name;
  return name.includes(":") ? `[${name}]:${port}` : `${name}:${port}`;
}

/** The packet in [0, bytes.length), which may be the cut one that an ICMP error quotes. */
export function formatPacket(bytes: Uint8Array, names: AddressNames): string {
  const isInet = bytes[0]! >>> 4 === 4;
  const ip = isInet ? Ipv4View.unplaced() : Ipv6View.unplaced();
  const fault = ip.moveToQuote(bytes, 0, bytes.length);
  if (fault !== undefined) return `${fault} packet`;
  const hasPorts = [IP_PROTOCOL.tcp, IP_PROTOCOL.udp, IP_PROTOCOL.sctp].includes(ip.protocol as 6);
  const ports = hasPorts ? PortsView.over(bytes, ip.payloadStart, ip.end) : undefined;
  const [source, destination] =
    ports instanceof PortsView ? [ports.source, ports.destination] : [undefined, undefined];
  const ends = `${formatEnd(ip.source, source, names)} > ${formatEnd(ip.destination, destination, names)}`;
  const { kind, headerLength } = formatBody(bytes, ip, names);
  const length = ip instanceof Ipv4View ? ip.totalLength : ip.payloadLength + 40;
  const timeToLive = ip instanceof Ipv4View ? ip.timeToLive : ip.hopLimit;
  const tos = ip instanceof Ipv4View ? ip.tos : ip.trafficClass;
  const isError = kind.includes(" about ");
  const options = [
    !isError && length > ip.payloadStart + headerLength ? `len ${length}` : "",
    timeToLive === 64 ? "" : `ttl ${timeToLive}`,
    tos === (isError && isInet ? ERROR_TOS : 0) ? "" : `tos ${tos}`,
    ip instanceof Ipv4View && ip.dontFragment ? "df" : "",
  ];
  const [what, about] = kind.split(/(?= about )/) as [string, string?];
  return [ends, what, ...options, about?.trim() ?? ""].filter((word) => word !== "").join(" ");
}

function formatBody(
  bytes: Uint8Array,
  ip: Ipv4View | Ipv6View,
  names: AddressNames,
): { readonly kind: string; readonly headerLength: number } {
  const { payloadStart: start, end } = ip;
  switch (ip.protocol) {
    case IP_PROTOCOL.tcp:
      return { kind: formatFlags(bytes[start + 13] ?? 0), headerLength: 20 };
    case IP_PROTOCOL.udp:
      return { kind: "udp", headerLength: 8 };
    case IP_PROTOCOL.sctp:
      return { kind: formatChunks(bytes, start, end), headerLength: Number.POSITIVE_INFINITY };
    case IP_PROTOCOL.icmp: {
      const icmp = IcmpView.over(bytes, start, end) as IcmpView;
      const { type, code, mtu } = icmp;
      return formatMessage(bytes.subarray(icmp.payloadStart, end), 0, type, code, mtu, names);
    }
    case IP_PROTOCOL.icmpv6: {
      const icmp = Icmpv6View.over(bytes, start, end) as Icmpv6View;
      const { type, code, mtu } = icmp;
      return formatMessage(bytes.subarray(icmp.payloadStart, end), 1, type, code, mtu, names);
    }
    default:
      return { kind: `protocol-${ip.protocol}`, headerLength: 0 };
  }
}

function formatMessage(
  payload: Uint8Array,
  column: 0 | 1,
  type: number,
  code: number,
  mtu: number,
  names: AddressNames,
): { readonly kind: string; readonly headerLength: number } {
  const row = Object.entries(MESSAGES).find(
    ([, codes]) => codes[column][0] === type && codes[column][1] === code,
  );
  const name = row?.[0] ?? `icmp-${type}-${code}`;
  if (name.startsWith("echo")) return { kind: name, headerLength: 8 };
  const what = name === "too-big" ? `${name} mtu ${mtu}` : name;
  return { kind: `${what} about ${formatPacket(payload, names)}`, headerLength: 0 };
}

function formatFlags(flags: number): string {
  const letters = Object.entries(FLAGS).filter(([, name]) => (flags & TCP_FLAG[name]) !== 0);
  return letters.map(([letter]) => letter).join("") || "-";
}

function formatChunks(bytes: Uint8Array, start: number, end: number): string {
  const sctp = SctpView.over(bytes, start, end);
  if (typeof sctp === "string") return "sctp";
  const names = [...sctp.chunks()].map(
    ({ type }) => Object.entries(CHUNKS).find(([, number]) => number === type)?.[0] ?? `${type}`,
  );
  return names.length === 0 ? "sctp" : `sctp:${names.join("+")}`;
}
