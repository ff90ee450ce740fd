/**
 * The host's routes, as the rules of a host without policy routing ask them: tables local, main, default.
 *
 * Not followed: other tables (policy rules, VRFs), routes for a type of service or by source; of a multipath route the
 * first living hop is taken. RTM_NEWROUTE, include/uapi/linux/rtnetlink.h.
 */
import { ADDRESS_LENGTH, Address, type Family } from "../../../net/address.ts";
import type { Prefix } from "../../../net/prefix.ts";
import {
  type Attributes,
  attributesIn,
  type Message,
  numberIn,
  viewOf,
} from "./netlink-message.ts";
import { PrefixTable } from "./prefix-table.ts";

interface Hop {
  readonly interfaceIndex: number;
  /** Undefined when the destination is on the link. */
  readonly gateway: Address | undefined;
}

/** What becomes of a packet. "throw": the next table decides. */
export type RouteTarget =
  | {
      readonly kind: "unicast";
      readonly hop: Hop;
      readonly preferredSource: Address | undefined;
      readonly mtu: number | undefined;
    }
  | { readonly kind: "local" | "unreachable" | "throw" };

export interface KernelRoute {
  readonly prefix: Prefix;
  readonly table: number;
  /** Of equal prefixes the one with the lower goes. */
  readonly metric: number;
  readonly target: RouteTarget;
}

/** RT_TABLE_LOCAL, _MAIN, _DEFAULT, in the order in which `ip rule` asks them. */
const TABLES: readonly number[] = [255, 254, 253];

const RTM_NEWROUTE = 24;
/** struct rtmsg. */
export const ROUTE_HEADER_LENGTH = 12;
// biome-ignore format: a table
const at = { family: 0, prefixLength: 1, sourceLength: 2, typeOfService: 3, table: 4, type: 7, flags: 8 } as const;
// biome-ignore format: a table
const RTA = { destination: 1, interface: 4, gateway: 5, metric: 6, preferredSource: 7, metrics: 8, multipath: 9, table: 15, via: 18 } as const;
const RTAX_MTU = 2;
const AF_INET = 2;
const AF_INET6 = 10;

/** RTN_*: BROADCAST, ANYCAST and MULTICAST are the host's to handle, as LOCAL is. */
// biome-ignore format: a table
const TARGETS: Readonly<Record<number, "unicast" | "local" | "unreachable" | "throw">> = {
  1: "unicast", 2: "local", 3: "local", 4: "local", 5: "local", 6: "unreachable", 7: "unreachable", 8: "unreachable",
  9: "throw",
};

/** RTNH_F_DEAD | RTNH_F_LINKDOWN. */
const DEAD = 0x1 | 0x10;
/** struct rtnexthop. */
const HOP_HEADER_LENGTH = 8;

export class RouteTable {
  readonly #tables: Record<Family, PrefixTable<KernelRoute>[]> = {
    inet: TABLES.map(() => new PrefixTable()),
    inet6: TABLES.map(() => new PrefixTable()),
  };

  constructor(routes: Iterable<KernelRoute>) {
    for (const route of routes) {
      const place = TABLES.indexOf(route.table);
      const table = this.#tables[route.prefix.address.family][place];
      if (table === undefined) continue;
      const rival = table.get(route.prefix);
      if (rival === undefined || route.metric < rival.metric) table.set(route.prefix, route);
    }
  }

  /** Undefined when no route leads there. */
  find(destination: Address): RouteTarget | undefined {
    for (const table of this.#tables[destination.family]) {
      const target = table.find(destination)?.target;
      if (target !== undefined && target.kind !== "throw") return target;
    }
    return undefined;
  }

  isLocal(address: Address): boolean {
    return this.#tables[address.family][0]?.find(address)?.target.kind === "local";
  }
}

/** The route that a message tells of; undefined for other messages and for routes that are not followed. */
export function routeIn({ type, body }: Message): KernelRoute | undefined {
  if (type !== RTM_NEWROUTE || body.length < ROUTE_HEADER_LENGTH) return undefined;
  const family = familyOf(body[at.family]);
  if (family === undefined || body[at.sourceLength] !== 0 || body[at.typeOfService] !== 0) {
    return undefined;
  }
  const attributes = attributesIn(body, ROUTE_HEADER_LENGTH);
  const target = targetIn(body, attributes, family);
  if (target === undefined) return undefined;
  const destination = addressIn(attributes.get(RTA.destination), family);
  return {
    prefix: { address: destination ?? unspecified(family), length: body[at.prefixLength]! },
    table: numberIn(attributes, RTA.table) ?? body[at.table]!,
    metric: (numberIn(attributes, RTA.metric) ?? 0) >>> 0,
    target,
  };
}

function targetIn(
  body: Uint8Array,
  attributes: Attributes,
  family: Family,
): RouteTarget | undefined {
  const kind = TARGETS[body[at.type]!];
  if (kind === undefined) return undefined;
  if (kind !== "unicast") return { kind };
  const multipath = attributes.get(RTA.multipath);
  const isDead = (viewOf(body).getUint32(at.flags, true) & DEAD) !== 0;
  const hop =
    multipath === undefined ? !isDead && hopIn(attributes, family) : firstHop(multipath, family);
  if (hop === undefined || hop === false) return undefined;
  const metrics = attributes.get(RTA.metrics);
  const mtu = metrics && numberIn(attributesIn(metrics), RTAX_MTU);
  const preferredSource = addressIn(attributes.get(RTA.preferredSource), family);
  return { kind, hop, preferredSource, mtu: mtu || undefined };
}

function hopIn(attributes: Attributes, family: Family): Hop | undefined {
  const interfaceIndex = numberIn(attributes, RTA.interface);
  return interfaceIndex === undefined
    ? undefined
    : { interfaceIndex, gateway: gatewayIn(attributes, family) };
}

/** The first hop of a multipath route that lives. */
function firstHop(multipath: Uint8Array, family: Family): Hop | undefined {
  const view = viewOf(multipath);
  for (let start = 0; start + HOP_HEADER_LENGTH <= multipath.length; ) {
    const length = view.getUint16(start, true);
    if (length < HOP_HEADER_LENGTH || start + length > multipath.length) return undefined;
    if ((multipath[start + 2]! & DEAD) === 0) {
      const attributes = attributesIn(multipath.subarray(start, start + length), HOP_HEADER_LENGTH);
      return {
        interfaceIndex: view.getInt32(start + 4, true),
        gateway: gatewayIn(attributes, family),
      };
    }
    start += (length + 3) & ~3;
  }
  return undefined;
}

/** A gateway of the same family, or of the other (struct rtvia: a 16-bit family, then the address). */
function gatewayIn(attributes: Attributes, family: Family): Address | undefined {
  const via = attributes.get(RTA.via);
  const other = via && familyOf(via[0]);
  if (via !== undefined && other !== undefined) return addressIn(via.subarray(2), other);
  return addressIn(attributes.get(RTA.gateway), family);
}

export function familyOf(number: number | undefined): Family | undefined {
  if (number === AF_INET) return "inet";
  return number === AF_INET6 ? "inet6" : undefined;
}

export function familyNumber(family: Family): number {
  return family === "inet" ? AF_INET : AF_INET6;
}

/** Undefined when there are no bytes, or too few. */
export function addressIn(bytes: Uint8Array | undefined, family: Family): Address | undefined {
  if (bytes === undefined || bytes.length < ADDRESS_LENGTH[family]) return undefined;
  return Address.fromBytes(bytes, 0, family);
}

export function unspecified(family: Family): Address {
  return family === "inet" ? Address.inet(0) : Address.inet6(0, 0, 0, 0);
}
