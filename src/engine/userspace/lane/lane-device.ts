/**
 * A lane's two interfaces in the kernel: made, set up, and compared with what they were set up to.
 *
 * rtnetlink(7); IFLA_* of include/uapi/linux/if_link.h, IPV4_DEVCONF_* of ip.h, DEVCONF_* of ipv6.h.
 */

import { LINK_HEADER_LENGTH, type Link, linkIn } from "../../host/links.ts";
import { type Netlink, RTM } from "../../host/netlink/netlink.ts";
import { ADDRESS_HEADER_LENGTH } from "../../host/netlink/netlink-address.ts";
import {
  type Attribute,
  attributesIn,
  emitAttributes,
  FLAG,
  type Message,
  viewOf,
} from "../../host/netlink/netlink-message.ts";
import { SystemCallError } from "../../host/system/libc.ts";

/** One end: what it is called, and its number, if it shall be a certain one. */
export interface LaneEnd {
  readonly name: string;
  readonly mac: Uint8Array;
  readonly index: number | undefined;
}

/** The most that a veth takes, so that whatever the host's interfaces received goes through. */
const MTU = 65_535;

// biome-ignore format: a table
const IFLA = { address: 1, name: 3, mtu: 4, peer: 5, linkInfo: 18, perFamily: 26, namespaceFd: 28 } as const;
const IFLA_INFO = { kind: 1, data: 2 } as const;
const VETH_INFO_PEER = 1;
const IFF = { up: 0x1, noArp: 0x80 } as const;
const AF_INET = 2;
const AF_INET6 = 10;
const IFLA_INET_CONF = 1;
const IFLA_INET6_CONF = 2;
const IFLA_INET6_ADDR_GEN_MODE = 8;
const IN6_ADDR_GEN_MODE_NONE = 1;
const DISABLE_INET6 = 26;

/**
 * Loose reverse path filter, own addresses as sources: packets come from clients whom the host would answer by another
 * interface, and from the host itself. Forwarding, because what is given back may be on its way through the host.
 */
// biome-ignore format: a table
const SETTINGS = {
  forwarding:   { id: 1,  value: 1 },
  rp_filter:    { id: 8,  value: 2 },
  accept_local: { id: 23, value: 1 },
} as const;

/** What a kernel without IPv6, or with it switched off, answers. */
const NO_INET6 = new Set(["EAFNOSUPPORT", "EOPNOTSUPP", "EINVAL"]);

const RT_SCOPE_HOST = 254;
const IFA_LOCAL = 2;
/** 192.0.0.8, the dummy address of RFC 7600: a source for nobody, a destination for nobody. */
const DUMMY_ADDRESS = Uint8Array.of(192, 0, 0, 8);

const ATTEMPT = "make a lane into the host's stack (it needs CAP_NET_ADMIN)";

/** `place`: the network namespace of `own`, if it is another. */
export function makePair(
  netlink: Netlink,
  host: LaneEnd,
  own: LaneEnd,
  place: number | undefined,
): void {
  const inPlace: Attribute[] = place === undefined ? [] : [[IFLA.namespaceFd, place]];
  const peer = Buffer.concat([
    linkHeader(own.index ?? 0, 0),
    emitAttributes([...identity(own), ...inPlace]),
  ]);
  const data: Attribute[] = [[VETH_INFO_PEER, peer]];
  const info: Attribute[] = [
    [IFLA_INFO.kind, "veth"],
    [IFLA_INFO.data, data],
  ];
  const attributes: Attribute[] = [...identity(host), [IFLA.linkInfo, info]];
  const flags = FLAG.create | FLAG.exclusive;
  netlink.change(RTM.newLink, flags, linkHeader(host.index ?? 0, 0), attributes, ATTEMPT);
}

/** Settings come before it goes up; no IPv6 address, so that the interface keeps silent. */
export function setUp(netlink: Netlink, index: number): void {
  const inet = Object.values(SETTINGS).map(({ id, value }): Attribute => [id, value]);
  const inet6: Attribute[] = [[IFLA_INET6_ADDR_GEN_MODE, Uint8Array.of(IN6_ADDR_GEN_MODE_NONE)]];
  setFamily(netlink, index, [AF_INET, [[IFLA_INET_CONF, inet]]]);
  try {
    setFamily(netlink, index, [AF_INET6, inet6]);
  } catch (error) {
    // A kernel without IPv6 gives the interface no address.
    if (!(error instanceof SystemCallError) || !NO_INET6.has(error.code)) throw error;
  }
  netlink.change(RTM.setLink, 0, linkHeader(index, IFF.up | IFF.noArp), [], ATTEMPT);
}

function setFamily(netlink: Netlink, index: number, ofFamily: Attribute): void {
  const settings: Attribute[] = [[IFLA.perFamily, [ofFamily]]];
  netlink.change(RTM.setLink, 0, linkHeader(index, 0), settings, ATTEMPT);
}

/** Gives an interface its name, address and size back. The kernel renames none that is up, unless it is new. */
export function setIdentity(netlink: Netlink, index: number, end: LaneEnd): void {
  const set = (attributes: Attribute[]): void =>
    netlink.change(RTM.setLink, 0, linkHeader(index, 0), attributes, ATTEMPT);
  try {
    set(identity(end));
  } catch (error) {
    if (!(error instanceof SystemCallError) || error.code !== "EBUSY") throw error;
    netlink.change(RTM.setLink, 0, linkHeader(index, 0, IFF.up), [], ATTEMPT);
    set(identity(end));
  }
}

/** What is not as setUp() and makePair() made it, in words; undefined when there is no such interface. */
export function faultsOf(netlink: Netlink, index: number, end: LaneEnd): string[] | undefined {
  const message = find(netlink, index);
  const link = message && linkIn(message);
  if (message === undefined || link === undefined) return undefined;
  return [...identityFaults(link, end), ...settingFaults(message)];
}

/** Whether an interface's other end has this number, wherever that lies. */
export function isPeer(netlink: Netlink, index: number, peer: number): boolean {
  const message = find(netlink, index);
  const link = message && attributesIn(message.body, LINK_HEADER_LENGTH).get(IFLA.peer);
  return link !== undefined && viewOf(link).getUint32(0, true) === peer;
}

function* identityFaults(link: Link, { name, mac }: LaneEnd): Generator<string> {
  if (link.name !== name) yield `renamed to ${link.name}`;
  if (link.mtu !== MTU) yield `given an MTU of ${link.mtu}`;
  if (Buffer.compare(link.mac, mac) !== 0) yield "given another address";
  if (!link.isUp) yield "set down";
}

function* settingFaults({ body }: Message): Generator<string> {
  const families = attributesIn(attributesIn(body, LINK_HEADER_LENGTH).get(IFLA.perFamily) ?? NONE);
  const inet = wordsIn(attributesIn(families.get(AF_INET) ?? NONE).get(IFLA_INET_CONF));
  for (const [name, { id, value }] of Object.entries(SETTINGS)) {
    if (inet !== undefined && inet[id - 1] !== value) yield `given ${name}=${inet[id - 1]}`;
  }
  const inet6 = attributesIn(families.get(AF_INET6) ?? NONE);
  if (wordsIn(inet6.get(IFLA_INET6_CONF))?.[DISABLE_INET6] === 1)
    yield "left without IPv6 (disable_ipv6)";
  const mode = inet6.get(IFLA_INET6_ADDR_GEN_MODE)?.[0];
  if (mode !== undefined && mode !== IN6_ADDR_GEN_MODE_NONE)
    yield "given IPv6 addresses of its own";
}

const NONE = new Uint8Array(0);

/** An array of 32-bit numbers. */
function wordsIn(bytes: Uint8Array | undefined): Int32Array | undefined {
  return bytes && new Int32Array(bytes.slice().buffer);
}

function find(netlink: Netlink, index: number): Message | undefined {
  try {
    return netlink.get(RTM.getLink, linkHeader(index, 0), "look at the lane");
  } catch (error) {
    if (error instanceof SystemCallError && error.code === "ENODEV") return undefined;
    throw error;
  }
}

/**
 * Without any address even a loose reverse path filter drops everything: __fib_validate_source(). False when the
 * interface has it.
 */
export function addDummyAddress(netlink: Netlink, index: number): boolean {
  const header = new Uint8Array(ADDRESS_HEADER_LENGTH);
  header.set([AF_INET, 32, 0, RT_SCOPE_HOST]);
  viewOf(header).setUint32(4, index, true);
  const address: Attribute[] = [[IFA_LOCAL, DUMMY_ADDRESS]];
  try {
    netlink.change(RTM.newAddress, FLAG.create | FLAG.exclusive, header, address, ATTEMPT);
    return true;
  } catch (error) {
    if (error instanceof SystemCallError && error.code === "EEXIST") return false;
    throw error;
  }
}

/** Removes the interface of that name or index, and with it its other end, if there is one. */
export function removePair(netlink: Netlink, end: string | number): void {
  try {
    const [index, name] = typeof end === "number" ? [end, []] : [0, [[IFLA.name, end]] as const];
    netlink.change(RTM.deleteLink, 0, linkHeader(index, 0), name, ATTEMPT);
  } catch (error) {
    if (!(error instanceof SystemCallError) || error.code !== "ENODEV") throw error;
  }
}

function identity({ name, mac }: LaneEnd): Attribute[] {
  return [
    [IFLA.name, name],
    [IFLA.mtu, MTU],
    [IFLA.address, mac],
  ];
}

/** A struct ifinfomsg that sets `flags`, clears others, and leaves the rest. */
function linkHeader(index: number, flags: number, cleared = 0): Uint8Array {
  const header = new Uint8Array(LINK_HEADER_LENGTH);
  const view = viewOf(header);
  view.setInt32(4, index, true);
  view.setUint32(8, flags, true);
  view.setUint32(12, flags | cleared, true);
  return header;
}
