/** Which packets somebody wants to see: those of connections as they are listed by, and a few words of a packet's own. */
import type { Address } from "../../net/address.ts";
import { IP_PROTOCOL } from "../../net/ip-protocol.ts";
import type { Port } from "../../net/port.ts";
import { type Prefix, prefixContains } from "../../net/prefix.ts";
import { formatServiceKey } from "../desired/service.ts";
import type { ConnectionFilter } from "../inquiry/filter.ts";
import type { Packet } from "../packets/packet.ts";

export interface TraceFilter
  extends Omit<ConnectionFilter, "olderThanMs" | "isTemplate" | "protocol"> {
  readonly protocol?: "TCP" | "UDP" | "SCTP" | "ICMP" | undefined;
  /** What its reason begins with. */
  readonly reason?: string | undefined;
  /** Packets that opened a connection alone, or none of them. */
  readonly isNew?: boolean | undefined;
}

export interface Place {
  readonly address: Address;
  readonly port: Port | number;
}

/** What a filter is compared with. */
export interface Traced {
  /** As ServiceKey's text. */
  readonly service: string | undefined;
  readonly client: Place;
  readonly virtual: Place;
  readonly server: Place | undefined;
  readonly state: string | undefined;
  readonly reason: string;
  readonly isNew: boolean;
}

// biome-ignore format: a table
const NUMBERS = {
  TCP: [IP_PROTOCOL.tcp], UDP: [IP_PROTOCOL.udp], SCTP: [IP_PROTOCOL.sctp], ICMP: [IP_PROTOCOL.icmp, IP_PROTOCOL.icmpv6],
} as const satisfies Readonly<Record<NonNullable<TraceFilter["protocol"]>, readonly number[]>>;

/**
 * Whether a packet that came may be one of those, as far as the packet alone tells: what is said of a flood that nobody
 * asked for has to cost little.
 */
export function mayBeWanted({ protocol, client }: TraceFilter, packet: Packet): boolean {
  if (protocol !== undefined && !(NUMBERS[protocol] as readonly number[]).includes(packet.protocol))
    return false;
  if (client === undefined || isIcmp(packet.protocol)) return true;
  return prefixContains(client, packet.source) || prefixContains(client, packet.destination);
}

export function isWanted(filter: TraceFilter, traced: Traced): boolean {
  const { service, client, clientPort, virtual, virtualPort, server, serverPort } = filter;
  if (service !== undefined && traced.service !== formatServiceKey(service)) return false;
  if (client !== undefined && !prefixContains(client as Prefix, traced.client.address))
    return false;
  if (clientPort !== undefined && traced.client.port !== clientPort) return false;
  if (virtual !== undefined && !traced.virtual.address.equals(virtual)) return false;
  if (virtualPort !== undefined && traced.virtual.port !== virtualPort) return false;
  if (server !== undefined && traced.server?.address.equals(server) !== true) return false;
  if (serverPort !== undefined && traced.server?.port !== serverPort) return false;
  if (filter.state !== undefined && traced.state !== filter.state) return false;
  if (filter.isNew !== undefined && traced.isNew !== filter.isNew) return false;
  return filter.reason === undefined || traced.reason.startsWith(filter.reason);
}

function isIcmp(protocol: number): boolean {
  return protocol === IP_PROTOCOL.icmp || protocol === IP_PROTOCOL.icmpv6;
}
