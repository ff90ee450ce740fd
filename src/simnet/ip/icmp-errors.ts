/** The ICMP error about a packet, of either family. */
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
import { type Datagram, emitPacket } from "./datagram.ts";

export type Trouble =
  | {
      readonly kind:
        | "host-unreachable"
        | "port-unreachable"
        | "protocol-unreachable"
        | "time-exceeded";
    }
  | { readonly kind: "too-big"; readonly mtu: number };

/** RFC 1812 section 4.3.2.5: internetwork control. */
const INTERNETWORK_CONTROL = 0xc0;

/** Undefined where RFC 1122 section 3.2.2 forbids one: about errors, later fragments, what went to all. */
export function errorAbout(
  packet: Datagram,
  from: Address,
  trouble: Trouble,
): Uint8Array | undefined {
  const { source, destination, family, bytes, view, payload, protocol } = packet;
  if (!source.isUnicast || destination.isMulticast || view.fragmentOffset > 0) return undefined;
  const addresses = { source: from, destination: source };
  if (family === "inet") {
    if (protocol === IP_PROTOCOL.icmp && isError(IcmpView.over(payload))) return undefined;
    const message = inetMessage(trouble, bytes);
    const tos = INTERNETWORK_CONTROL;
    return emitPacket({ ...addresses, protocol: IP_PROTOCOL.icmp, tos }, message);
  }
  if (protocol === IP_PROTOCOL.icmpv6 && isError(Icmpv6View.over(payload))) return undefined;
  const message = inet6Message(trouble, bytes, addresses);
  return emitPacket({ ...addresses, protocol: IP_PROTOCOL.icmpv6 }, message);
}

function isError(icmp: IcmpView | Icmpv6View | string): boolean {
  return typeof icmp === "string" || icmp.isError;
}

function inetMessage(trouble: Trouble, bytes: Uint8Array): Uint8Array {
  const end = bytes.length;
  switch (trouble.kind) {
    case "host-unreachable":
      return destinationUnreachable(UNREACHABLE_CODE.host, bytes, 0, end);
    case "port-unreachable":
      return destinationUnreachable(UNREACHABLE_CODE.port, bytes, 0, end);
    case "protocol-unreachable":
      return destinationUnreachable(UNREACHABLE_CODE.protocol, bytes, 0, end);
    case "time-exceeded":
      return timeExceeded(bytes, 0, end);
    case "too-big":
      return fragmentationNeeded(trouble.mtu, bytes, 0, end);
  }
}

function inet6Message(
  trouble: Trouble,
  bytes: Uint8Array,
  addresses: { readonly source: Address; readonly destination: Address },
): Uint8Array {
  const end = bytes.length;
  switch (trouble.kind) {
    case "host-unreachable":
      return destinationUnreachableV6(UNREACHABLE_CODE_V6.address, bytes, 0, end, addresses);
    case "port-unreachable":
    case "protocol-unreachable":
      return destinationUnreachableV6(UNREACHABLE_CODE_V6.port, bytes, 0, end, addresses);
    case "time-exceeded":
      return timeExceededV6(bytes, 0, end, addresses);
    case "too-big":
      return packetTooBig(trouble.mtu, bytes, 0, end, addresses);
  }
}
