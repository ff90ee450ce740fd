/**
 * The ways into the lane, as the host's routing sees them: a static neighbour for each (lane-frame.ts), the routes to
 * them, and a table of its own that leads there what local servers send. All of it goes with the lane's interface.
 *
 * rtnetlink(7); struct ndmsg, struct rtmsg.
 */
import { Address, type Family } from "../../../net/address.ts";
import { NEIGHBOUR_HEADER_LENGTH } from "../../host/neighbour-table.ts";
import type { Netlink } from "../../host/netlink/netlink.ts";
import { RTM } from "../../host/netlink/netlink.ts";
import { familyNumber, ROUTE_HEADER_LENGTH } from "../../host/netlink/netlink-address.ts";
import { type Attribute, FLAG, viewOf } from "../../host/netlink/netlink-message.ts";
import { SystemCallError } from "../../host/system/libc.ts";
import { neighbourOf } from "./door-table.ts";
import { FAMILIES } from "./door-words.ts";
import { LANE_WAYS, laneMac } from "./lane-frame.ts";

const PERMANENT = 0x80; // NUD_PERMANENT
const NDA = { destination: 1, linkLayerAddress: 2 } as const;
const neighbourAt = { family: 0, interfaceIndex: 4, state: 8 } as const;

// biome-ignore format: a table
const RTA = { destination: 1, interface: 4, gateway: 5, table: 15 } as const;
// biome-ignore format: a table
const routeAt = { family: 0, prefixLength: 1, table: 4, protocol: 5, type: 7, flags: 8 } as const;
const TABLE_MAIN = 254;
const PROTOCOL_STATIC = 4;
const UNICAST = 1;
const ONLINK = 4; // RTNH_F_ONLINK

const WHOLE_ADDRESS: Readonly<Record<Family, number>> = { inet: 32, inet6: 128 };

/**
 * Makes those that are not there: how many. Throws a SystemCallError when the kernel refuses. Without IPv6 in the host
 * IPv4's ways are made alone.
 */
export function makeLaneRoutes(netlink: Netlink, lane: number, outputTable: number): number {
  let made = 0;
  const make = (change: () => void): void => {
    if (isNew(change)) made++;
  };
  for (const family of FAMILIES) {
    try {
      for (const way of Object.values(LANE_WAYS)) {
        const address = neighbourAddress(family, way);
        make(() => addNeighbour(netlink, lane, address, laneMac(way)));
        make(() => addRouteToNeighbour(netlink, lane, address));
      }
      make(() => addDefaultRoute(netlink, lane, family, outputTable));
    } catch (error) {
      if (family === "inet6" && isWithoutInet6(error)) continue;
      throw error;
    }
  }
  return made;
}

function isNew(change: () => void): boolean {
  try {
    change();
    return true;
  } catch (error) {
    if (error instanceof SystemCallError && error.code === "EEXIST") return false;
    throw error;
  }
}

/** EACCES: IPv6 is switched off; EAFNOSUPPORT, EOPNOTSUPP: this kernel has none. */
function isWithoutInet6(error: unknown): boolean {
  return (
    error instanceof SystemCallError &&
    ["EACCES", "EAFNOSUPPORT", "EOPNOTSUPP"].includes(error.code)
  );
}

function neighbourAddress(family: Family, way: Parameters<typeof neighbourOf>[1]): Address {
  return Address.parse(neighbourOf(family, way))!;
}

function addNeighbour(netlink: Netlink, lane: number, address: Address, mac: Uint8Array): void {
  const header = new Uint8Array(NEIGHBOUR_HEADER_LENGTH);
  const view = viewOf(header);
  header[neighbourAt.family] = familyNumber(address.family);
  view.setInt32(neighbourAt.interfaceIndex, lane, true);
  view.setUint16(neighbourAt.state, PERMANENT, true);
  const attributes: Attribute[] = [
    [NDA.destination, address.bytes()],
    [NDA.linkLayerAddress, mac],
  ];
  const flags = FLAG.create | FLAG.exclusive;
  netlink.change(RTM.newNeighbour, flags, header, attributes, "set a neighbour on the lane");
}

/**
 * The kernel takes a neighbour of dup's for a gateway only where a route leads to it (rt_set_nexthop()). Each is its own
 * gateway: only then does the kernel keep what dup's question after it came to, and does not make a new answer for each
 * packet (__mkroute_output(), ip6_pol_route(): FLOWI_FLAG_KNOWN_NH).
 */
function addRouteToNeighbour(netlink: Netlink, lane: number, address: Address): void {
  const header = routeHeader(address.family, WHOLE_ADDRESS[address.family]);
  header[routeAt.table] = TABLE_MAIN;
  viewOf(header).setUint32(routeAt.flags, ONLINK, true);
  addRoute(netlink, header, [
    [RTA.destination, address.bytes()],
    [RTA.gateway, address.bytes()],
    [RTA.interface, lane],
  ]);
}

function addDefaultRoute(netlink: Netlink, lane: number, family: Family, table: number): void {
  const header = routeHeader(family, 0);
  viewOf(header).setUint32(routeAt.flags, ONLINK, true);
  addRoute(netlink, header, [
    [RTA.gateway, neighbourAddress(family, LANE_WAYS.output).bytes()],
    [RTA.interface, lane],
    [RTA.table, table],
  ]);
}

function addRoute(netlink: Netlink, header: Uint8Array, attributes: readonly Attribute[]): void {
  const flags = FLAG.create | FLAG.exclusive;
  netlink.change(RTM.newRoute, flags, header, attributes, "set a route into the lane");
}

function routeHeader(family: Family, prefixLength: number): Uint8Array {
  const header = new Uint8Array(ROUTE_HEADER_LENGTH);
  header[routeAt.family] = familyNumber(family);
  header[routeAt.prefixLength] = prefixLength;
  header[routeAt.protocol] = PROTOCOL_STATIC;
  header[routeAt.type] = UNICAST;
  return header;
}
