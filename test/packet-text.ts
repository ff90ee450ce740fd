/**
 * Packets as text, in both directions, so that tests read as what goes over a wire.
 *
 *     tcp 192.0.2.10:40000 > 192.0.2.100:80 syn ttl 64
 *     udp [2001:db8::10]:40000 > [2001:db8::100]:53 ttl 63 "a question"
 *     icmp 192.0.2.1 > 192.0.2.10 port unreachable ttl 64 {udp 192.0.2.10:40000 > 192.0.2.100:53 ttl 64}
 *     ipip 10.1.0.1 > 10.1.0.11 ttl 63 {tcp 192.0.2.10:40000 > 192.0.2.100:80 syn ttl 63}
 *
 * A description ends with "BAD CHECKSUM" when one is wrong: a test that expects a packet also expects it to be valid.
 */
import { formatEndpoint } from "../src/ipvs/service.ts";
import type { AddressPair } from "../src/net/address.ts";
import * as checksum from "../src/net/checksum.ts";
import { destinationUnreachable, ICMP_TYPE, IcmpView, UNREACHABLE_CODE } from "../src/net/icmp.ts";
import { Icmpv6View } from "../src/net/icmpv6.ts";
import { IP_PROTOCOL } from "../src/net/ip-protocol.ts";
import { emitIpv4, Ipv4View } from "../src/net/ipv4.ts";
import { emitIpv6, Ipv6View } from "../src/net/ipv6.ts";
import { toPort } from "../src/net/port.ts";
import { emitTcp, TCP_FLAG, TcpView } from "../src/net/tcp.ts";
import { emitUdp, UdpView } from "../src/net/udp.ts";
import { address } from "./builders.ts";

const TTL_DEFAULT = 64;
const PAYLOAD_SHOWN = 60;
const ENDPOINT = String.raw`(?:\[([^\]]+)\]|([\d.]+)):(\d+)`;
const PACKET = new RegExp(
  String.raw`^(tcp|udp) ${ENDPOINT} > ${ENDPOINT}(?: ([a-z,]+))??(?: ttl (\d+))?(?: "(.*)")?$`,
);

type FlagName = keyof typeof TCP_FLAG;

/** The IP packet that a line of the form above says, TCP or UDP; the time to live is 64 unless it says so. */
export function packet(text: string): Uint8Array {
  const match = PACKET.exec(text);
  if (match === null) throw new RangeError(`Cannot read ${JSON.stringify(text)} as a packet`);
  const [, protocol, v6From, v4From, fromPort, v6To, v4To, toPortText, flags, ttl, payload] = match;
  const addresses = {
    source: address(v6From ?? v4From ?? ""),
    destination: address(v6To ?? v4To ?? ""),
  };
  const ports = { source: toPort(Number(fromPort)), destination: toPort(Number(toPortText)) };
  const data = new TextEncoder().encode(payload ?? "");
  const timeToLive = Number(ttl ?? TTL_DEFAULT);
  return protocol === "tcp"
    ? ip(
        IP_PROTOCOL.tcp,
        addresses,
        timeToLive,
        emitTcp({ ...ports, flags: flagsOf(flags) }, data, addresses),
      )
    : ip(IP_PROTOCOL.udp, addresses, timeToLive, emitUdp(ports, data, addresses));
}

/** The ICMP message by which `from` tells the source of `about` that nobody listens on its port. */
export function portUnreachable(from: string, about: Uint8Array): Uint8Array {
  const quoted = Ipv4View.over(about) as Ipv4View;
  const addresses = { source: address(from), destination: quoted.source };
  const message = destinationUnreachable(UNREACHABLE_CODE.port, about, 0, about.length);
  return ip(IP_PROTOCOL.icmp, addresses, TTL_DEFAULT, message);
}

/** A packet in the form above. Fragments and protocols that it does not know say little more than their names. */
export function describePacket(bytes: Uint8Array): string {
  return (bytes[0] ?? 0) >>> 4 === 6 ? describeIpv6(bytes) : describeIpv4(bytes);
}

function ip(
  protocol: number,
  addresses: AddressPair,
  timeToLive: number,
  payload: Uint8Array,
): Uint8Array {
  return addresses.source.family === "inet"
    ? emitIpv4({ protocol, timeToLive, ...addresses }, payload)
    : emitIpv6({ nextHeader: protocol, hopLimit: timeToLive, ...addresses }, payload);
}

function flagsOf(names: string | undefined): number {
  return (names ?? "").split(",").reduce((sum, name) => {
    if (!Object.hasOwn(TCP_FLAG, name)) throw new RangeError(`'${name}' is no TCP flag`);
    return sum | TCP_FLAG[name as FlagName];
  }, 0);
}

function describeIpv4(bytes: Uint8Array): string {
  const view = Ipv4View.over(bytes);
  if (typeof view === "string") return `ipv4 ${view}`;
  const { source, destination, timeToLive, protocol } = view;
  const isValid = view.isChecksumRight();
  if (view.isFragment) {
    const end = view.fragmentOffset + view.payload.length;
    return `fragment ${source} > ${destination} ${view.fragmentOffset} to ${end} ttl ${timeToLive}${bad(isValid)}`;
  }
  return describeTransport(protocol, view.payload, { source, destination }, timeToLive, isValid);
}

function describeIpv6(bytes: Uint8Array): string {
  const view = Ipv6View.over(bytes);
  if (typeof view === "string") return `ipv6 ${view}`;
  const { source, destination, hopLimit, protocol } = view;
  return describeTransport(protocol, view.payload, { source, destination }, hopLimit, true);
}

function describeTransport(
  protocol: number,
  payload: Uint8Array,
  addresses: AddressPair,
  ttl: number,
  isIpValid: boolean,
): string {
  const { source, destination } = addresses;
  const pseudo = checksum.pseudoHeader(addresses, protocol, payload.length);
  switch (protocol) {
    case IP_PROTOCOL.tcp: {
      const tcp = TcpView.over(payload);
      if (typeof tcp === "string") return `tcp ${tcp}`;
      const isValid = isIpValid && tcp.isChecksumRight(pseudo);
      return `tcp ${between(addresses, tcp)} ${flagNames(tcp.flags)} ttl ${ttl}${said(tcp.payload)}${bad(isValid)}`;
    }
    case IP_PROTOCOL.udp: {
      const udp = UdpView.over(payload);
      if (typeof udp === "string") return `udp ${udp}`;
      const isValid = isIpValid && udp.isChecksumRight(pseudo);
      return `udp ${between(addresses, udp)} ttl ${ttl}${said(udp.payload)}${bad(isValid)}`;
    }
    case IP_PROTOCOL.icmp: {
      const icmp = IcmpView.over(payload);
      if (typeof icmp === "string") return `icmp ${icmp}`;
      const about = icmp.isError ? ` {${describeQuote(icmp.payload)}}` : "";
      const isValid = isIpValid && icmp.isChecksumRight();
      return `icmp ${source} > ${destination} ${icmpKind(icmp)} ttl ${ttl}${about}${bad(isValid)}`;
    }
    case IP_PROTOCOL.icmpv6: {
      const icmp = Icmpv6View.over(payload);
      if (typeof icmp === "string") return `icmpv6 ${icmp}`;
      const isValid = icmp.isChecksumRight(pseudo);
      return `icmpv6 ${source} > ${destination} ${icmp.type}/${icmp.code} ttl ${ttl}${bad(isValid)}`;
    }
    case IP_PROTOCOL.ipip:
      return `ipip ${source} > ${destination} ttl ${ttl} {${describePacket(payload)}}${bad(isIpValid)}`;
    default:
      return `protocol ${protocol} ${source} > ${destination} ttl ${ttl}${bad(isIpValid)}`;
  }
}

/** What an error quotes may be cut off: its checksums are not looked at. */
function describeQuote(bytes: Uint8Array): string {
  return describePacket(bytes).replace(/ BAD CHECKSUM$/, "");
}

function between(
  { source, destination }: AddressPair,
  ports: { readonly source: number; readonly destination: number },
): string {
  const from = { address: source, port: toPort(ports.source) };
  const to = { address: destination, port: toPort(ports.destination) };
  return `${formatEndpoint(from)} > ${formatEndpoint(to)}`;
}

function flagNames(flags: number): string {
  const names = Object.entries(TCP_FLAG).filter(([, bit]) => flags & bit);
  return names.map(([name]) => name).join(",");
}

function icmpKind({ type, code, mtu }: IcmpView): string {
  if (type === ICMP_TYPE.destinationUnreachable) {
    if (code === UNREACHABLE_CODE.port) return "port unreachable";
    if (code === UNREACHABLE_CODE.host) return "host unreachable";
    if (code === UNREACHABLE_CODE.fragmentationNeeded) return `fragmentation needed ${mtu}`;
  }
  if (type === ICMP_TYPE.timeExceeded) return "time exceeded";
  if (type === ICMP_TYPE.echoReply) return "echo reply";
  return `${type}/${code}`;
}

/** Long payloads by their beginning and length: the checksums vouch for the rest. */
function said(payload: Uint8Array): string {
  if (payload.length === 0) return "";
  const text = new TextDecoder().decode(payload);
  return text.length <= PAYLOAD_SHOWN
    ? ` "${text}"`
    : ` "${text.slice(0, PAYLOAD_SHOWN)}..." ${text.length} bytes`;
}

function bad(isValid: boolean): string {
  return isValid ? "" : " BAD CHECKSUM";
}
