/** What an IP packet of either family says to a host. */
import type { Address, Family } from "../../net/address.ts";
import { versionAt } from "../../net/ip-family.ts";
import { emitIpv4, Ipv4View } from "../../net/ipv4.ts";
import { emitIpv6, Ipv6View } from "../../net/ipv6.ts";

export interface Datagram {
  readonly bytes: Uint8Array;
  readonly view: Ipv4View | Ipv6View;
  readonly family: Family;
  readonly source: Address;
  readonly destination: Address;
  /** Behind IPv6's extension headers. */
  readonly protocol: number;
  readonly timeToLive: number;
  /** What the transport says, header and all. */
  readonly payload: Uint8Array;
  readonly isFragment: boolean;
  /** IPv6's is never cut on its way. */
  readonly mayBeCut: boolean;
}

/** Undefined when it is none, or its header's checksum is wrong. What follows its length is cut off. */
export function datagramOf(bytes: Uint8Array): Datagram | undefined {
  if (bytes.length === 0) return undefined;
  const view = versionAt(bytes, 0) === 6 ? Ipv6View.over(bytes) : Ipv4View.over(bytes);
  if (typeof view === "string") return undefined;
  if (view instanceof Ipv4View && !view.isChecksumRight()) return undefined;
  const isInet = view instanceof Ipv4View;
  return {
    bytes: bytes.subarray(0, view.end),
    view,
    family: isInet ? "inet" : "inet6",
    source: view.source,
    destination: view.destination,
    protocol: view.protocol,
    timeToLive: isInet ? view.timeToLive : view.hopLimit,
    payload: view.payload,
    isFragment: view.isFragment,
    mayBeCut: isInet && !view.dontFragment,
  };
}

export interface PacketFields {
  readonly source: Address;
  readonly destination: Address;
  readonly protocol: number;
  readonly timeToLive?: number | undefined;
  readonly tos?: number | undefined;
  readonly dontFragment?: boolean | undefined;
  readonly identification?: number | undefined;
}

export function emitPacket(fields: PacketFields, payload: Uint8Array): Uint8Array {
  const { source, destination, protocol, timeToLive = 64, tos = 0 } = fields;
  if (source.family === "inet") {
    const { dontFragment = false, identification = 0 } = fields;
    const header = { source, destination, protocol, timeToLive, tos, dontFragment, identification };
    return emitIpv4(header, payload);
  }
  const header = { source, destination, nextHeader: protocol, hopLimit: timeToLive };
  return emitIpv6({ ...header, trafficClass: tos }, payload);
}
