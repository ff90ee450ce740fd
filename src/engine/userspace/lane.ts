/**
 * A veth pair between the host's stack and this process: what the host sends into its end comes out at ours, and what we
 * send into ours comes in to the host as if from a wire.
 *
 * Our end lies in a network namespace that only this process has, so that the kernel removes the pair when the process
 * ends, whatever ends it. Where such a namespace is not granted (it takes CAP_SYS_ADMIN), our end lies beside the host's
 * and outlives a killed process; the next one replaces it. Made at start: that it cannot be made shall be known then. A
 * TUN device would do the same, but needs privileges that a user namespace lacks.
 */
import { writeFileSync } from "node:fs";
import { ETHERNET_HEADER_LENGTH, ETHERNET_OFFSET, ETHERTYPE_OF } from "../../net/ethernet.ts";
import { familyAt } from "../../net/ip-family.ts";
import { writeUint16 } from "../../net/words.ts";
import { interfaceIndex, SystemCallError } from "./libc.ts";
import { LINK_HEADER_LENGTH } from "./network/links.ts";
import { Netlink, RTM } from "./network/netlink.ts";
import { ADDRESS_HEADER_LENGTH } from "./network/netlink-address.ts";
import { type Attribute, emitAttributes, FLAG, viewOf } from "./network/netlink-message.ts";
import { NetworkNamespace } from "./network-namespace.ts";

/** What the interfaces are called: the host's end, and ours where it must lie beside it. */
export interface LaneNames {
  readonly host: string;
  readonly own: string;
}

/** Locally administered; nobody else is on the wire. */
const HOST_MAC = Uint8Array.of(0x02, 0x73, 0x6c, 0x63, 0, 1);
const OWN_MAC = Uint8Array.of(0x02, 0x73, 0x6c, 0x63, 0, 2);

/** The most that a veth takes, so that whatever the host's interfaces received goes through. */
const MTU = 65_535;

// biome-ignore format: a table
const IFLA = { address: 1, name: 3, mtu: 4, linkInfo: 18, perFamily: 26, namespaceFd: 28 } as const;
const IFLA_INFO = { kind: 1, data: 2 } as const;
const VETH_INFO_PEER = 1;
const IFF = { up: 0x1, noArp: 0x80 } as const;
const AF_INET = 2;
const AF_INET6 = 10;
const IFLA_INET_CONF = 1;
/** IPV4_DEVCONF_*, include/uapi/linux/ip.h. */
const SETTING = { forwarding: 1, rpFilter: 8, acceptLocal: 23 } as const;
const IFLA_INET6_ADDR_GEN_MODE = 8;
const IN6_ADDR_GEN_MODE_NONE = 1;

/** What a kernel without IPv6, or with it switched off, answers. */
const NO_INET6 = new Set(["EAFNOSUPPORT", "EOPNOTSUPP", "EINVAL"]);

const RT_SCOPE_HOST = 254;
const IFA_LOCAL = 2;
/** 192.0.0.8, the dummy address of RFC 7600: a source for nobody, a destination for nobody. */
const DUMMY_ADDRESS = Uint8Array.of(192, 0, 0, 8);

const ATTEMPT = "make a lane into the host's stack (it needs CAP_NET_ADMIN)";

export class Lane implements Disposable {
  readonly names: LaneNames;
  /** In the host's network namespace. */
  readonly hostIndex: number;
  /** Where inside() works. */
  readonly ownIndex: number;
  readonly #netlink: Netlink;
  readonly #namespace: NetworkNamespace | undefined;
  #isOpen = true;

  /** Replaces what a process before us may have left. Throws a SystemCallError when the kernel refuses. */
  constructor(names: LaneNames) {
    this.names = names;
    this.#namespace = ownNamespace();
    this.#netlink = new Netlink();
    try {
      this.#remove();
      this.#make();
      this.hostIndex = interfaceIndex(names.host);
      enableInet6(names.host);
      this.#configure(this.#netlink, this.hostIndex);
      this.#addDummyAddress(this.hostIndex);
      this.ownIndex = this.inside(() => {
        const index = interfaceIndex(names.own);
        using netlink = new Netlink();
        this.#configure(netlink, index);
        return index;
      });
    } catch (error) {
      this.#close();
      throw error;
    }
  }

  /** Does `work`, which must not wait, in the network namespace where our end lies: for opening sockets there. */
  inside<Result>(work: () => Result): Result {
    return this.#namespace === undefined ? work() : this.#namespace.inside(work);
  }

  /**
   * Writes, in front of the packet at `start`, the Ethernet header that a frame must have that we send into our end. Bytes
   * [2, 6) of its source are the caller's to fill.
   */
  writeHeader(bytes: Uint8Array, start: number): void {
    const frame = start - ETHERNET_HEADER_LENGTH;
    bytes.set(HOST_MAC, frame);
    bytes.set(OWN_MAC, frame + HOST_MAC.length);
    writeUint16(bytes, frame + ETHERNET_OFFSET.etherType, ETHERTYPE_OF[familyAt(bytes, start)]);
  }

  [Symbol.dispose](): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    try {
      this.#remove();
    } finally {
      this.#close();
    }
  }

  #close(): void {
    this.#netlink[Symbol.dispose]();
    this.#namespace?.[Symbol.dispose]();
  }

  #make(): void {
    const { host, own } = this.names;
    const place: Attribute[] = this.#namespace ? [[IFLA.namespaceFd, this.#namespace.fd]] : [];
    const peer = Buffer.concat([
      new Uint8Array(LINK_HEADER_LENGTH),
      emitAttributes([...identity(own, OWN_MAC), ...place]),
    ]);
    const data: Attribute[] = [[VETH_INFO_PEER, peer]];
    const info: Attribute[] = [
      [IFLA_INFO.kind, "veth"],
      [IFLA_INFO.data, data],
    ];
    const attributes: Attribute[] = [...identity(host, HOST_MAC), [IFLA.linkInfo, info]];
    const flags = FLAG.create | FLAG.exclusive;
    this.#netlink.change(RTM.newLink, flags, linkHeader(0, 0), attributes, ATTEMPT);
  }

  /**
   * Loose reverse path filter, own addresses as sources: packets come from clients whom the host would answer by another
   * interface, and from the host itself. Forwarding, because what is given back may be on its way through the host. No
   * IPv6 address, so that the interface keeps silent. Settings come before it goes up.
   */
  #configure(netlink: Netlink, index: number): void {
    const inet: Attribute[] = [
      [SETTING.forwarding, 1],
      [SETTING.rpFilter, 2],
      [SETTING.acceptLocal, 1],
    ];
    const inet6: Attribute[] = [[IFLA_INET6_ADDR_GEN_MODE, Uint8Array.of(IN6_ADDR_GEN_MODE_NONE)]];
    this.#set(netlink, index, [AF_INET, [[IFLA_INET_CONF, inet]]]);
    try {
      this.#set(netlink, index, [AF_INET6, inet6]);
    } catch (error) {
      // A kernel without IPv6 gives the interface no address.
      if (!(error instanceof SystemCallError) || !NO_INET6.has(error.code)) throw error;
    }
    netlink.change(RTM.setLink, 0, linkHeader(index, IFF.up | IFF.noArp), [], ATTEMPT);
  }

  #set(netlink: Netlink, index: number, ofFamily: Attribute): void {
    const settings: Attribute[] = [[IFLA.perFamily, [ofFamily]]];
    netlink.change(RTM.setLink, 0, linkHeader(index, 0), settings, ATTEMPT);
  }

  /** Without any address even a loose reverse path filter drops everything: __fib_validate_source(). */
  #addDummyAddress(index: number): void {
    const header = new Uint8Array(ADDRESS_HEADER_LENGTH);
    header.set([AF_INET, 32, 0, RT_SCOPE_HOST]);
    viewOf(header).setUint32(4, index, true);
    const address: Attribute[] = [[IFA_LOCAL, DUMMY_ADDRESS]];
    this.#netlink.change(RTM.newAddress, FLAG.create, header, address, ATTEMPT);
  }

  /** Removing one end removes both. */
  #remove(): void {
    try {
      const name: Attribute[] = [[IFLA.name, this.names.host]];
      this.#netlink.change(RTM.deleteLink, 0, linkHeader(0, 0), name, ATTEMPT);
    } catch (error) {
      if (!(error instanceof SystemCallError) || error.code !== "ENODEV") throw error;
    }
  }
}

function ownNamespace(): NetworkNamespace | undefined {
  try {
    return new NetworkNamespace();
  } catch (error) {
    if (error instanceof SystemCallError && error.call === "unshare") return undefined;
    throw error;
  }
}

/** An operator who has switched IPv6 off for new interfaces has not for those that clients come by. */
function enableInet6(name: string): void {
  try {
    writeFileSync(`/proc/sys/net/ipv6/conf/${name}/disable_ipv6`, "0");
  } catch {
    // No IPv6 in this kernel, or settings that cannot be written: then it stays as new interfaces are.
  }
}

function identity(name: string, mac: Uint8Array): Attribute[] {
  return [
    [IFLA.name, name],
    [IFLA.mtu, MTU],
    [IFLA.address, mac],
  ];
}

/** A struct ifinfomsg that sets `flags` and leaves the others. */
function linkHeader(index: number, flags: number): Uint8Array {
  const header = new Uint8Array(LINK_HEADER_LENGTH);
  const view = viewOf(header);
  view.setInt32(4, index, true);
  view.setUint32(8, flags, true);
  view.setUint32(12, flags, true);
  return header;
}
