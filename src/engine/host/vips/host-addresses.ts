/** The addresses of the host's interfaces, read and changed: RTM_NEWADDR, include/uapi/linux/if_addr.h. */
import { readFile } from "node:fs/promises";
import type { VipPlan } from "../../../ipvs/desired/vip.ts";
import type { Address } from "../../../net/address.ts";
import { MAC_LENGTH, type MacAddress, readMac } from "../../../net/mac-address.ts";
import { LINK_HEADER_LENGTH, linkIn } from "../links.ts";
import { Netlink, RTM } from "../netlink/netlink.ts";
import {
  ADDRESS_HEADER_LENGTH,
  addressIn,
  familyNumber,
  familyOf,
} from "../netlink/netlink-address.ts";
import {
  type Attribute,
  attributesIn,
  FLAG,
  type Message,
  viewOf,
} from "../netlink/netlink-message.ts";

/** struct ifaddrmsg. */
const at = { family: 0, prefixLength: 1, flags: 2, interfaceIndex: 4 } as const;
const IFA = { address: 1, local: 2, label: 3, cacheInfo: 6, flags: 8 } as const;
const IFA_F_SECONDARY = 0x01;
/** Duplicates are not looked for: the address is to be there at once, also while another host still has it. */
const IFA_F_NODAD = 0x02;
const FOREVER = 0xffff_ffff;
/** IFF_LOWER_UP. */
const CARRIER = 0x1_0000;
const LINK_FLAGS_AT = 8;

/** An address on an interface. */
export interface HostAddress {
  readonly interfaceIndex: number;
  readonly address: Address;
  readonly prefixLength: number;
  /** It goes with the first address of its network, and comes again only where promote_secondaries says so. */
  readonly isSecondary: boolean;
  /** The message that told of it. */
  readonly body: Uint8Array;
}

export interface HostLink {
  readonly index: number;
  readonly name: string;
  readonly isUp: boolean;
  readonly hasCarrier: boolean;
  /** Undefined for what has no neighbours to be told. */
  readonly mac: MacAddress | undefined;
}

export interface HostSnapshot {
  /** By name. */
  readonly links: ReadonlyMap<string, HostLink>;
  readonly addresses: readonly HostAddress[];
}

export class HostAddresses implements Disposable {
  readonly #netlink = new Netlink();

  /** Addresses first: one that went with its interface is not missed on an interface that is seen as it was before. */
  async read(): Promise<HostSnapshot> {
    const attempt = "read the host's";
    const listed = await this.#netlink.list(
      RTM.getAddress,
      new Uint8Array(ADDRESS_HEADER_LENGTH),
      `${attempt} addresses`,
    );
    const links = new Map<string, HostLink>();
    const fixed = new Uint8Array(LINK_HEADER_LENGTH);
    for (const message of await this.#netlink.list(RTM.getLink, fixed, `${attempt} interfaces`)) {
      const link = hostLinkIn(message);
      if (link !== undefined) links.set(link.name, link);
    }
    return { links, addresses: listed.map(addressFrom).filter((each) => each !== undefined) };
  }

  /** Throws a SystemCallError: EEXIST when it is there. */
  add(plan: VipPlan, interfaceIndex: number): void {
    const { address, prefixLength, label } = plan;
    const bytes = address.bytes();
    const attributes: Attribute[] = [
      [IFA.local, bytes],
      [IFA.address, bytes],
    ];
    if (label !== undefined) attributes.push([IFA.label, label]);
    if (address.family === "inet6") {
      attributes.push([IFA.flags, IFA_F_NODAD], [IFA.cacheInfo, neverPreferred()]);
    }
    const attempt = `add ${address.toString()}/${prefixLength} to ${plan.interfaceName}`;
    const fixed = header(address, prefixLength, interfaceIndex);
    this.#netlink.change(RTM.newAddress, FLAG.create | FLAG.exclusive, fixed, attributes, attempt);
  }

  /** Throws a SystemCallError: EADDRNOTAVAIL when it is not there. */
  remove({
    address,
    prefixLength,
    interfaceIndex,
  }: Omit<HostAddress, "isSecondary" | "body">): void {
    const attempt = `remove ${address.toString()}/${prefixLength}`;
    const fixed = header(address, prefixLength, interfaceIndex);
    const bytes = address.bytes();
    // inet_rtm_deladdr(): the second makes it that of this prefix, and no other.
    const attributes: Attribute[] = [
      [IFA.local, bytes],
      [IFA.address, bytes],
    ];
    this.#netlink.change(RTM.deleteAddress, 0, fixed, attributes, attempt);
  }

  /** Puts one back that went with another, as it was. Throws a SystemCallError. */
  putBack({ address, body }: HostAddress): void {
    const attempt = `put back ${address.toString()}`;
    this.#netlink.change(RTM.newAddress, FLAG.create | FLAG.exclusive, body, [], attempt);
  }

  [Symbol.dispose](): void {
    this.#netlink[Symbol.dispose]();
  }
}

/** Whether the host routes what comes by this interface, which its advertisements have to say. */
export async function isRouter(interfaceName: string): Promise<boolean> {
  try {
    const path = `/proc/sys/net/ipv6/conf/${interfaceName}/forwarding`;
    return (await readFile(path, "utf8")).trim() !== "0";
  } catch {
    return false;
  }
}

/** The interface that went down, or away, by this message. */
export function lostLinkIn({ type, body }: Message): number | undefined {
  if (type !== RTM.newLink && type !== RTM.deleteLink) return undefined;
  if (body.length < LINK_HEADER_LENGTH) return undefined;
  const view = viewOf(body);
  const isUp = (view.getUint32(LINK_FLAGS_AT, true) & 1) !== 0;
  return type === RTM.deleteLink || !isUp ? view.getInt32(4, true) : undefined;
}

function hostLinkIn(message: Message): HostLink | undefined {
  const link = linkIn(message);
  if (link === undefined) return undefined;
  const { index, name, isUp, isLoopback, header: kind, mac } = link;
  const hasNeighbours = kind === "ethernet" && !isLoopback && mac.length === MAC_LENGTH;
  const flags = viewOf(message.body).getUint32(LINK_FLAGS_AT, true);
  return {
    index,
    name,
    isUp,
    hasCarrier: (flags & CARRIER) !== 0,
    mac: hasNeighbours ? readMac(mac, 0) : undefined,
  };
}

function addressFrom({ type, body }: Message): HostAddress | undefined {
  if (type !== RTM.newAddress || body.length < ADDRESS_HEADER_LENGTH) return undefined;
  const family = familyOf(body[at.family]);
  if (family === undefined) return undefined;
  const attributes = attributesIn(body, ADDRESS_HEADER_LENGTH);
  const address = addressIn(attributes.get(IFA.local) ?? attributes.get(IFA.address), family);
  if (address === undefined) return undefined;
  return {
    interfaceIndex: viewOf(body).getInt32(at.interfaceIndex, true),
    address,
    prefixLength: body[at.prefixLength]!,
    isSecondary: family === "inet" && (body[at.flags]! & IFA_F_SECONDARY) !== 0,
    body,
  };
}

function header(address: Address, prefixLength: number, interfaceIndex: number): Uint8Array {
  const fixed = new Uint8Array(ADDRESS_HEADER_LENGTH);
  fixed[at.family] = familyNumber(address.family);
  fixed[at.prefixLength] = prefixLength;
  viewOf(fixed).setInt32(at.interfaceIndex, interfaceIndex, true);
  return fixed;
}

/** struct ifa_cacheinfo: the host's own connections do not begin at it (RFC 6724 rule 3), which a VIP's move would end. */
function neverPreferred(): Uint8Array {
  const bytes = new Uint8Array(16);
  viewOf(bytes).setUint32(4, FOREVER, true);
  return bytes;
}
