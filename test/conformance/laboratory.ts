/**
 * The network that every side has: clients behind a router, the director, real servers on the director's other link.
 *
 *     clients 10.9.0.0/16, fd09::/16 ── router ── wan [director] lan ── servers 192.168.150.0/24, fd15::/64
 *
 * The VIPs (place.ts) are addresses of the director. Every neighbour is known, so that nobody asks for any.
 */
import type { Host, Route } from "../../src/ipvs/host.ts";
import { Address } from "../../src/net/address.ts";
import { ETHERTYPE, emitEthernet } from "../../src/net/ethernet.ts";
import { type MacAddress, parseMac } from "../../src/net/mac-address.ts";
import { parsePrefix, prefixContains } from "../../src/net/prefix.ts";
import type { Frame } from "./case.ts";

export type WireName = "wan" | "lan";

interface Interface {
  readonly name: WireName;
  readonly index: number;
  readonly mac: MacAddress;
  readonly addresses: readonly string[];
}

export const INTERFACES: readonly Interface[] = [
  {
    name: "wan",
    index: 2,
    mac: mac("02:00:00:00:01:01"),
    addresses: ["10.8.0.1/24", "fd08::1/64"],
  },
  {
    name: "lan",
    index: 3,
    mac: mac("02:00:00:00:02:01"),
    addresses: ["192.168.150.11/24", "fd15::11/64"],
  },
];

interface Neighbour {
  readonly wire: WireName;
  readonly address: string;
  readonly mac: MacAddress;
}

/** Real servers by the last part of their address. */
const SERVER_NUMBERS = Array.from({ length: 20 }, (_, index) => 21 + index);

const NEIGHBOURS: readonly Neighbour[] = [
  { wire: "wan", address: "10.8.0.254", mac: mac("02:00:00:00:01:fe") },
  { wire: "wan", address: "fd08::fe", mac: mac("02:00:00:00:01:fe") },
  { wire: "lan", address: "192.168.150.254", mac: mac("02:00:00:00:02:fe") },
  { wire: "lan", address: "fd15::fe", mac: mac("02:00:00:00:02:fe") },
  ...SERVER_NUMBERS.flatMap((number): Neighbour[] => [
    { wire: "lan", address: `192.168.150.${number}`, mac: serverMac(4, number) },
    { wire: "lan", address: `fd15::${number}`, mac: serverMac(6, number) },
  ]),
];

interface RoutePlan {
  readonly to: string;
  readonly wire: WireName;
  readonly via?: string;
  readonly mtu?: number;
}

/** More specific ones first. */
const ROUTES: readonly RoutePlan[] = [
  { to: "10.8.0.0/24", wire: "wan" },
  { to: "fd08::/64", wire: "wan" },
  { to: "192.168.150.0/24", wire: "lan" },
  { to: "fd15::/64", wire: "lan" },
  { to: "10.9.0.0/16", wire: "wan", via: "10.8.0.254" },
  { to: "fd09::/16", wire: "wan", via: "fd08::fe" },
  // Real servers beyond a router and beyond a narrow link.
  { to: "172.16.0.0/24", wire: "lan", via: "192.168.150.254" },
  { to: "172.16.1.0/24", wire: "lan", via: "192.168.150.254", mtu: 1400 },
  // Where clients go when no rule marks their packets.
  { to: "172.20.0.0/16", wire: "lan", via: "192.168.150.254" },
  { to: "fd20::/16", wire: "lan", via: "fd15::fe" },
  { to: "fd16::/64", wire: "lan", via: "fd15::fe" },
  { to: "fd16:1::/64", wire: "lan", via: "fd15::fe", mtu: 1400 },
];

const LOCAL_PREFIXES = ["10.1.0.0/16", "fd01::/16"];
const MTU = 1500;

/** How a Linux host becomes the director: lines for `ip -batch`, and files below /proc/sys. */
export const DIRECTOR_HOST = {
  batch: [
    "link set lo up",
    ...INTERFACES.flatMap(({ name, mac, addresses }) => [
      `link set dev ${name} address ${mac} mtu ${MTU} up`,
      ...addresses.map((address) => addressLine(name, address)),
    ]),
    ...NEIGHBOURS.map(
      ({ wire, address, mac }) =>
        `neighbour add ${address} lladdr ${mac} dev ${wire} nud permanent`,
    ),
    ...LOCAL_PREFIXES.map((prefix) => `route add local ${prefix} dev lo`),
    ...ROUTES.filter(({ via }) => via !== undefined).map(
      ({ to, wire, via, mtu }) =>
        `route add ${to} via ${via} dev ${wire}${mtu === undefined ? "" : ` mtu ${mtu}`}`,
    ),
  ],
  sysctls: {
    "net/ipv4/ip_forward": "1",
    "net/ipv6/conf/all/forwarding": "1",
    "net/ipv4/conf/all/rp_filter": "0",
    "net/ipv4/conf/default/rp_filter": "0",
    // The director may be DR servers' gateway: what comes from a VIP, which is its own address, is no martian.
    "net/ipv4/conf/all/accept_local": "1",
    "net/ipv4/conf/all/send_redirects": "0",
    "net/ipv4/conf/default/send_redirects": "0",
    "net/ipv6/conf/default/router_solicitations": "0",
    "net/ipv6/conf/default/dad_transmits": "0",
    "net/ipv6/conf/default/accept_ra": "0",
    // A packet of the host's own would get a flow label that is a random key's hash.
    "net/ipv6/auto_flowlabels": "0",
    // No ICMP message may be missing for its rate.
    "net/ipv4/icmp_ratelimit": "0",
    "net/ipv4/icmp_msgs_per_sec": "1000000",
    "net/ipv4/icmp_msgs_burst": "1000000",
    "net/ipv6/icmp/ratelimit": "0",
    // No module is ever looked for: what there is, is loaded.
    "kernel/modprobe": "/bin/false",
  } as Readonly<Record<string, string>>,
} as const;

/** The same host as the bare director sees it. */
export const HOST: Host = {
  generation: 1,
  isLocal: (address) =>
    [...LOCAL_PREFIXES, ...ownAddresses()].some((prefix) => contains(prefix, address)),
  isForwarding: () => true,
  // About as many as the guest has.
  availablePages: () => 100_000,
  routeFrom: (_source, destination) => HOST.route(destination),
  mayTell: () => true,
  route: (destination) => (HOST.isLocal(destination) ? "local" : routeTo(destination)),
};

/** The interface with this name; throws when there is none. */
export function interfaceOf(wire: WireName): Interface {
  return INTERFACES.find(({ name }) => name === wire)!;
}

/** Who sends from an address: on which wire, and with which hardware address. */
export function senderOf(address: Address): { wire: WireName; mac: MacAddress } {
  const route = routeTo(address);
  if (route === "unreachable") throw new RangeError(`Nothing in the laboratory has ${address}`);
  return neighbourAt(route);
}

/** Who gets what leaves by a route. */
function neighbourAt({ nextHop }: Route): { wire: WireName; mac: MacAddress } {
  const text = nextHop.toString();
  const neighbour = NEIGHBOURS.find(({ address }) => address === text);
  if (neighbour === undefined) throw new RangeError(`The laboratory has no neighbour ${text}`);
  return neighbour;
}

/** A frame around a packet that leaves by a route. */
export function framed(packet: Uint8Array, route: Route): Frame {
  const { wire, mac: destination } = neighbourAt(route);
  const etherType = packet[0]! >>> 4 === 6 ? ETHERTYPE.ipv6 : ETHERTYPE.ipv4;
  const header = { source: interfaceOf(wire).mac, destination, etherType };
  return { wire, bytes: emitEthernet(header, packet) };
}

/** A frame around a packet of the host's own. */
export function routed(packet: Uint8Array): Frame {
  const isInet6 = packet[0]! >>> 4 === 6;
  const destination = Address.fromBytes(packet, isInet6 ? 24 : 16, isInet6 ? "inet6" : "inet");
  const route = HOST.route(destination);
  return typeof route === "string" ? { wire: route, bytes: packet } : framed(packet, route);
}

/** What to call the neighbour with a hardware address. */
export function nameOf(of: string): string {
  const found = NEIGHBOURS.find(({ mac }) => mac === of);
  return found?.address ?? of;
}

function routeTo(destination: Address): Route | "unreachable" {
  const plan = ROUTES.find(({ to }) => contains(to, destination));
  if (plan === undefined) return "unreachable";
  const { index, addresses } = interfaceOf(plan.wire);
  const source = addresses.find((address) => address.includes(":") === plan.to.includes(":"))!;
  return {
    interfaceIndex: index,
    nextHop: plan.via === undefined ? destination : Address.parse(plan.via)!,
    source: Address.parse(source.split("/")[0]!)!,
    mtu: plan.mtu ?? MTU,
  };
}

function ownAddresses(): string[] {
  return INTERFACES.flatMap(({ addresses }) =>
    addresses.map((address) => address.replace(/\/.*/, address.includes(":") ? "/128" : "/32")),
  );
}

function contains(prefix: string, address: Address): boolean {
  return prefixContains(parsePrefix(prefix)!, address);
}

function serverMac(family: 4 | 6, number: number): MacAddress {
  return mac(`02:00:00:00:0${family}:${number.toString(16).padStart(2, "0")}`);
}

function mac(text: string): MacAddress {
  return parseMac(text)!;
}

/** IPv6 addresses are there at once, without asking whether another host has them. */
function addressLine(name: WireName, address: string): string {
  return `address add ${address} dev ${name}${address.includes(":") ? " nodad" : ""}`;
}
