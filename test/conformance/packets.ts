/**
 * Packets from text, as cases write them:
 *
 *     tcp 10.9.0.1:1000 > VIP:80 S ttl=64 length=10
 *     udp [fd09::1]:1000 > [VIP6]:53 checksum=none
 *     icmp 10.9.0.1 > VIP 3/4 mtu=1400 about tcp VIP:80 > 10.9.0.1:1000 A
 *
 * Options: ttl, tos, id, length (of the payload), df, seq, ack, checksum=none|wrong|plain, quote (bytes that ICMP quotes),
 * fragment=FROM-TO (these bytes of the IPv4 payload only), cut=N (of the IP payload no more than this), on=wan|lan,
 * from=ADDRESS (who sends).
 */
import { Address, type AddressPair } from "../../src/net/address.ts";
import { ETHERTYPE, emitEthernet } from "../../src/net/ethernet.ts";
import { emitIcmp } from "../../src/net/icmp.ts";
import { emitIcmpv6 } from "../../src/net/icmpv6.ts";
import { IP_PROTOCOL } from "../../src/net/ip-protocol.ts";
import { emitIpv4 } from "../../src/net/ipv4.ts";
import { emitIpv6 } from "../../src/net/ipv6.ts";
import { type Port, toPort } from "../../src/net/port.ts";
import { emitSctp, SCTP_HEADER_LENGTH, SctpView } from "../../src/net/sctp.ts";
import { emitTcp, TCP_FLAG } from "../../src/net/tcp.ts";
import { emitUdp } from "../../src/net/udp.ts";
import type { Frame } from "./case.ts";
import { interfaceOf, senderOf, type WireName } from "./laboratory.ts";

interface Described {
  readonly protocol: string;
  readonly source: Address;
  readonly sourcePort: number;
  readonly destination: Address;
  readonly destinationPort: number;
  /** TCP's flags, ICMP's type and code, SCTP's chunks. */
  readonly what: string;
  readonly options: ReadonlyMap<string, string>;
  /** What an ICMP error is about. */
  readonly about: string | undefined;
}

/** The frame in which a packet of this text arrives at the director. */
export function frameOf(text: string): Frame {
  const described = describe(text);
  const { source, options } = described;
  const packet = packetOf(described);
  const from = options.get("from");
  const { wire, mac } = senderOf(from === undefined ? source : address(from));
  const on = (options.get("on") as WireName | undefined) ?? wire;
  return {
    wire: on,
    bytes: emitEthernet(
      {
        source: mac,
        destination: interfaceOf(on).mac,
        etherType: source.family === "inet" ? ETHERTYPE.ipv4 : ETHERTYPE.ipv6,
        tag: undefined,
      },
      packet,
    ),
  };
}

function describe(text: string): Described {
  const [head = "", about] = text.split(/ about (.*)/s);
  const [protocol = "", from = "", arrow, to = "", ...rest] = head.trim().split(/\s+/);
  if (arrow !== ">") throw new SyntaxError(`Cannot read ${JSON.stringify(text)} as a packet`);
  const options = new Map(
    rest
      .filter((word) => word.includes("=") || word === "df")
      .map((word) => [word.split("=")[0]!, word.split("=")[1] ?? ""]),
  );
  const [source, sourcePort] = endpoint(from);
  const [destination, destinationPort] = endpoint(to);
  const what = rest.find((word) => !word.includes("=") && word !== "df") ?? "";
  return { protocol, source, sourcePort, destination, destinationPort, what, options, about };
}

function packetOf(described: Described): Uint8Array {
  const { source, destination, options } = described;
  const number = (name: string): number | undefined =>
    options.has(name) ? Number(options.get(name)) : undefined;
  const [protocol, whole] = transportOf(described);
  const payload = whole.subarray(0, number("cut") ?? whole.length);
  if (source.family === "inet6") {
    return emitIpv6(
      {
        nextHeader: protocol,
        source,
        destination,
        hopLimit: number("ttl") ?? 64,
        trafficClass: number("tos") ?? 0,
        flowLabel: number("flow") ?? 0,
      },
      payload,
    );
  }
  const [from = 0, to = payload.length] = (options.get("fragment") ?? "")
    .split("-")
    .filter((text) => text !== "")
    .map(Number);
  return emitIpv4(
    {
      protocol,
      source,
      destination,
      timeToLive: number("ttl") ?? 64,
      tos: number("tos") ?? 0,
      identification: number("id") ?? 0x1234,
      dontFragment: options.has("df"),
      fragmentOffset: from,
      moreFragments: to < payload.length,
    },
    payload.subarray(from, to),
  );
}

function transportOf(described: Described): [protocol: number, bytes: Uint8Array] {
  const { protocol, source, destination, sourcePort, destinationPort, what, options } = described;
  const addresses: AddressPair = { source, destination };
  const ports = { source: toPort(sourcePort), destination: toPort(destinationPort) };
  const payload = filler(Number(options.get("length") ?? 0));
  switch (protocol) {
    case "tcp": {
      const sequence = Number(options.get("seq") ?? 1_000);
      const acknowledgement = Number(options.get("ack") ?? (what.includes("A") ? 2_000 : 0));
      const fields = { ...ports, flags: tcpFlags(what), sequence, acknowledgement };
      const segment = emitTcp(fields, payload, addresses);
      if (options.get("checksum") === "wrong") segment[16] = segment[16]! ^ 0xff;
      return [IP_PROTOCOL.tcp, segment];
    }
    case "udp": {
      const hasChecksum = options.get("checksum") !== "none";
      const datagram = emitUdp(ports, payload, hasChecksum ? addresses : undefined);
      if (options.get("checksum") === "wrong") datagram[6] = datagram[6]! ^ 0xff;
      return [IP_PROTOCOL.udp, datagram];
    }
    case "sctp":
      return [IP_PROTOCOL.sctp, sctpOf(ports, what, options)];
    case "icmp":
      return icmpOf(described, addresses);
    default:
      throw new SyntaxError(`Cannot read ${JSON.stringify(protocol)} as a protocol`);
  }
}

/** The longest quotation of an ICMP error: RFC 1812 section 4.3.2.3, RFC 4443 section 2.4 (c). */
const QUOTE_MAX = { inet: 548, inet6: 1232 } as const;

function icmpOf(
  { what, options, about, source }: Described,
  addresses: AddressPair,
): [protocol: number, bytes: Uint8Array] {
  const [type = 0, code = 0] = what.split("/").map(Number);
  const rest = Number(options.get("mtu") ?? 0);
  const quoted = about === undefined ? filler(8) : packetOf(describe(about));
  const payload = quoted.subarray(0, Number(options.get("quote") ?? QUOTE_MAX[source.family]));
  if (source.family === "inet6") {
    // Without the pseudo-header's sum, which is wrong: some kernels take it for right.
    const isPlain = options.get("checksum") === "plain";
    const header = { type, code, rest };
    const message = isPlain ? emitIcmp(header, payload) : emitIcmpv6(header, payload, addresses);
    if (options.get("checksum") === "wrong") message[2] = message[2]! ^ 0xff;
    return [IP_PROTOCOL.icmpv6, message];
  }
  const message = emitIcmp({ type, code, rest }, payload);
  if (options.get("checksum") === "wrong") message[2] = message[2]! ^ 0xff;
  return [IP_PROTOCOL.icmp, message];
}

const FLAG_LETTERS: Readonly<Record<string, number>> = {
  F: TCP_FLAG.fin,
  S: TCP_FLAG.syn,
  R: TCP_FLAG.rst,
  P: TCP_FLAG.psh,
  A: TCP_FLAG.ack,
  U: TCP_FLAG.urg,
  "-": 0,
};

function tcpFlags(letters: string): number {
  return letters.split("").reduce((flags, letter) => {
    const flag = FLAG_LETTERS[letter];
    if (flag === undefined) throw new SyntaxError(`Cannot read ${letter} as a TCP flag`);
    return flags | flag;
  }, 0);
}

/** RFC 9260 section 3.2, and the extensions that cases name; every other one goes by its number. */
// biome-ignore format: a table
const SCTP_CHUNKS: Readonly<Record<string, number>> = {
  "DATA": 0, "INIT": 1, "INIT-ACK": 2, "SACK": 3, "HEARTBEAT": 4, "HEARTBEAT-ACK": 5, "ABORT": 6, "SHUTDOWN": 7,
  "SHUTDOWN-ACK": 8, "ERROR": 9, "COOKIE-ECHO": 10, "COOKIE-ACK": 11, "ECNE": 12, "CWR": 13, "SHUTDOWN-COMPLETE": 14,
  "AUTH": 15, "I-DATA": 64, "ASCONF": 193,
};
const CHUNK_VALUE_LENGTH = 6;
/** Header, value, padding. */
const SCTP_CHUNK_LENGTH = 12;

/** Chunks by name or number, with the length that they claim if it is not their own: `10/3+COOKIE-ACK`. */
function sctpOf(
  ports: { readonly source: Port; readonly destination: Port },
  what: string,
  options: Described["options"],
): Uint8Array {
  const words = what.split("+").map((word) => word.split("/"));
  const chunks = words.map(([name = ""]) => ({
    type: SCTP_CHUNKS[name] ?? Number(name),
    flags: 0,
    value: filler(CHUNK_VALUE_LENGTH),
  }));
  const bytes = emitSctp({ ...ports, verificationTag: 7 }, chunks);
  const view = Buffer.from(bytes.buffer);
  for (const [index, [, claimed]] of words.entries()) {
    const at = SCTP_HEADER_LENGTH + index * SCTP_CHUNK_LENGTH + 2;
    if (claimed !== undefined) view.writeUInt16BE(Number(claimed), at);
  }
  const sctp = SctpView.over(bytes);
  if (sctp !== "truncated") sctp.refreshChecksum();
  if (options.get("checksum") === "wrong") bytes[8] = bytes[8]! ^ 0xff;
  if (options.get("checksum") === "none") bytes.fill(0, 8, 12);
  return bytes;
}

function endpoint(text: string): [Address, number] {
  const [, bracketed, bare, port] =
    /^(?:\[(.*)\]|([^:]*|.*:.*:[^:]*?))(?::(\d+))?$/.exec(text) ?? [];
  if (bracketed === undefined && text.split(":").length > 2) return [address(text), 0];
  return [address(bracketed ?? bare ?? ""), Number(port ?? 0)];
}

function address(text: string): Address {
  const parsed = Address.parse(text);
  if (parsed === undefined)
    throw new SyntaxError(`Cannot read ${JSON.stringify(text)} as an address`);
  return parsed;
}

/** Bytes that are all different for a while. */
function filler(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => (index * 7 + 1) & 0xff);
}
