/**
 * Packets from text, as cases write them:
 *
 *     tcp 10.9.0.1:1000 > VIP:80 S ttl=64 length=10
 *     udp [fd09::1]:1000 > [VIP6]:53 checksum=none
 *     icmp 10.9.0.1 > VIP 3/4 mtu=1400 about tcp VIP:80 > 10.9.0.1:1000 A
 *     icmp 192.168.150.254 > 192.168.150.11 11/0 about ipip 192.168.150.11 > 192.168.150.21 about udp CLIENT:4000 > VIP:80
 *     ip 192.168.150.21 > 10.9.0.1 50 length=20
 *
 * Options: ttl, tos, id, length (of the payload), df, seq, ack, checksum=none|wrong|plain, quote (bytes that ICMP quotes),
 * fragment=FROM-TO (these bytes of the IP payload only), cut=N (of the IP payload no more than this), times=N (case.ts),
 * options=HEX (IPv4's), ihl (IPv4's header length as it says, in words), ext=hop,dst,route (IPv6's extension headers),
 * on=wan|lan, from=ADDRESS (who sends), payload=TEXT (URL-encoded, in place of length).
 */
import { Address, type AddressPair } from "../../src/net/address.ts";
import { ETHERTYPE, emitEthernet } from "../../src/net/ethernet.ts";
import { emitIcmp } from "../../src/net/icmp.ts";
import { emitIcmpv6 } from "../../src/net/icmpv6.ts";
import { IP_PROTOCOL } from "../../src/net/ip-protocol.ts";
import { emitIpv4 } from "../../src/net/ipv4.ts";
import { emitIpv6 } from "../../src/net/ipv6.ts";
import { toPort } from "../../src/net/port.ts";
import { emitTcp, TCP_FLAG } from "../../src/net/tcp.ts";
import { emitUdp } from "../../src/net/udp.ts";
import { urlDecoded } from "../bytes.ts";
import type { Frame } from "./case.ts";
import { interfaceOf, senderOf, type WireName } from "./laboratory.ts";
import { filler, sctpOf, tunnelHeader, withExtensions } from "./packet-parts.ts";

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
  const [from = 0, to = payload.length] = (options.get("fragment") ?? "")
    .split("-")
    .filter((text) => text !== "")
    .map(Number);
  if (source.family === "inet6") {
    const fragment = options.has("fragment")
      ? { from, to, isLast: to >= payload.length, identification: number("id") ?? 0x1234 }
      : undefined;
    const [nextHeader, bytes] = withExtensions(protocol, payload, options.get("ext"), fragment);
    return emitIpv6(
      {
        nextHeader,
        source,
        destination,
        hopLimit: number("ttl") ?? 64,
        trafficClass: number("tos") ?? 0,
        flowLabel: number("flow") ?? 0,
      },
      bytes,
    );
  }
  const packet = emitIpv4(
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
      options: Buffer.from(options.get("options") ?? "", "hex"),
    },
    payload.subarray(from, to),
  );
  if (options.has("ihl")) packet[0] = 0x40 | number("ihl")!;
  return packet;
}

function transportOf(described: Described): [protocol: number, bytes: Uint8Array] {
  const { protocol, source, destination, sourcePort, destinationPort, what, options } = described;
  const addresses: AddressPair = { source, destination };
  const ports = { source: toPort(sourcePort), destination: toPort(destinationPort) };
  const text = options.get("payload");
  const payload =
    text === undefined ? filler(Number(options.get("length") ?? 0)) : urlDecoded(text);
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
      return [IP_PROTOCOL.sctp, sctpOf(ports, what, options.get("checksum"))];
    case "icmp":
      return icmpOf(described, addresses);
    case "ip":
      return [Number(what), payload];
    default: {
      const [number, header] = tunnelHeader(protocol, ports, what) ?? [];
      if (number === undefined || header === undefined || described.about === undefined)
        throw new SyntaxError(`Cannot read ${JSON.stringify(protocol)} as a protocol`);
      return [number, Buffer.concat([header, packetOf(describe(described.about))])];
    }
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
