/**
 * ICMP messages that the director sends of its own: the packet cannot go on, and why.
 *
 * Only about packets that RFC 1122 section 3.2.2 and RFC 4443 section 2.4 (e) allow to answer: no ICMP errors, no
 * fragments but the first, no sources that are not one host.
 */
import type { Address } from "../../net/address.ts";
import {
  destinationUnreachable,
  fragmentationNeeded,
  IcmpView,
  timeExceeded,
  UNREACHABLE_CODE,
} from "../../net/icmp.ts";
import {
  destinationUnreachableV6,
  Icmpv6View,
  packetTooBig,
  timeExceededV6,
  UNREACHABLE_CODE_V6,
} from "../../net/icmpv6.ts";
import { IP_PROTOCOL } from "../../net/ip-protocol.ts";
import { emitIpv4 } from "../../net/ipv4.ts";
import { emitIpv6 } from "../../net/ipv6.ts";
import type { Packet } from "../packets/packet.ts";

export type Trouble =
  | { readonly kind: "port-unreachable" }
  | { readonly kind: "host-unreachable" }
  | { readonly kind: "time-exceeded" }
  | { readonly kind: "too-big"; readonly mtu: number };

/** TOS of ICMP errors: RFC 1812 section 4.3.2.5 asks for internetwork control and the packet's own type of service. */
const INTERNETWORK_CONTROL = 0xc0;
const TYPE_OF_SERVICE_MASK = 0x1e;

/** Whether RFCs allow a message about `packet` to its source. */
export function isAnswerable(packet: Packet): boolean {
  const { source, hook } = packet;
  // From the wire a loopback address is a martian, not a process of the host's own.
  return source.isUnicast && !(source.isLoopback && hook === "wire") && !isUnanswerable(packet);
}

/** The message about `packet`, which isAnswerable(), to its source, coming from `source`. */
export function notice(packet: Packet, source: Address, trouble: Trouble): Uint8Array {
  const destination = packet.source;
  if (packet.family === 4) {
    const tos = errorTos(packet.ipv4.tos);
    return emitIpv4(
      { protocol: IP_PROTOCOL.icmp, tos, source, destination },
      message(packet, trouble),
    );
  }
  return emitIpv6(
    { nextHeader: IP_PROTOCOL.icmpv6, source, destination },
    messageV6(packet, trouble, { source, destination }),
  );
}

/** The TOS of an ICMP error about a packet with `tos`: icmp_send(). */
export function errorTos(tos: number): number {
  return (tos & TYPE_OF_SERVICE_MASK) | INTERNETWORK_CONTROL;
}

function message({ bytes, start, end }: Packet, trouble: Trouble): Uint8Array {
  switch (trouble.kind) {
    case "port-unreachable":
      return destinationUnreachable(UNREACHABLE_CODE.port, bytes, start, end);
    case "host-unreachable":
      return destinationUnreachable(UNREACHABLE_CODE.host, bytes, start, end);
    case "time-exceeded":
      return timeExceeded(bytes, start, end);
    case "too-big":
      return fragmentationNeeded(trouble.mtu, bytes, start, end);
  }
}

function messageV6(
  { bytes, start, end }: Packet,
  trouble: Trouble,
  addresses: { readonly source: Address; readonly destination: Address },
): Uint8Array {
  switch (trouble.kind) {
    case "port-unreachable":
      return destinationUnreachableV6(UNREACHABLE_CODE_V6.port, bytes, start, end, addresses);
    case "host-unreachable":
      return destinationUnreachableV6(UNREACHABLE_CODE_V6.address, bytes, start, end, addresses);
    case "time-exceeded":
      return timeExceededV6(bytes, start, end, addresses);
    case "too-big":
      return packetTooBig(trouble.mtu, bytes, start, end, addresses);
  }
}

function isUnanswerable(packet: Packet): boolean {
  const { bytes, transport, end } = packet;
  if (packet.family === 4) {
    if (packet.ipv4.fragmentOffset > 0) return true;
    if (packet.protocol !== IP_PROTOCOL.icmp) return false;
    const icmp = IcmpView.over(bytes, transport, end);
    return icmp === "truncated" || icmp.isError;
  }
  if (packet.isFragment && !packet.ipv6.isFirstFragment) return true;
  if (packet.protocol !== IP_PROTOCOL.icmpv6) return false;
  const icmp = Icmpv6View.over(bytes, transport, end);
  return icmp === "truncated" || icmp.isError;
}
