/**
 * A way back for packets that the guard took away and the director does not want: a veth pair in this namespace. What is
 * sent into one end comes in at the other, as if from a wire, and goes up the host's own stack.
 *
 * Made when the engine starts, not with the first service: that it cannot be made shall be known at start, and removing
 * what a killed process left stops everything for tens of milliseconds. A TUN device would do the same, but needs privileges that a user namespace lacks.
 */
import { ETHERNET_HEADER_LENGTH, ETHERTYPE } from "../../net/ethernet.ts";
import { writeUint16 } from "../../net/words.ts";
import { interfaceIndex, SystemCallError } from "./libc.ts";
import { LINK_HEADER_LENGTH } from "./network/links.ts";
import { Netlink, RTM } from "./network/netlink.ts";
import { ADDRESS_HEADER_LENGTH } from "./network/netlink-address.ts";
import { type Attribute, emitAttributes, FLAG, viewOf } from "./network/netlink-message.ts";

/** The host receives from the engine's exit: the guard must exempt it, and the packet ring ignore it. */
export const LANE_EXIT = "sluice-exit";

/** What the interfaces are called: we send into the entry, the host receives from the exit. */
export interface LaneNames {
  readonly entry: string;
  readonly exit: string;
}

const ENGINE_LANE: LaneNames = { entry: "sluice-entry", exit: LANE_EXIT };

/** Locally administered; nobody else is on the wire. */
const ENTRY_MAC = Uint8Array.of(0x02, 0x73, 0x6c, 0x63, 0, 1);
const EXIT_MAC = Uint8Array.of(0x02, 0x73, 0x6c, 0x63, 0, 2);

/** The last field of an Ethernet header. */
const ETHER_TYPE_LENGTH = 2;

/** The most that a veth takes, so that whatever the host's interfaces received goes through. */
const MTU = 65_535;

// biome-ignore format: a table
const IFLA = { address: 1, name: 3, mtu: 4, linkInfo: 18, perFamily: 26 } as const;
const IFLA_INFO = { kind: 1, data: 2 } as const;
const VETH_INFO_PEER = 1;
const IFF = { up: 0x1, noArp: 0x80 } as const;
const AF_INET = 2;
const AF_INET6 = 10;
const IFLA_INET_CONF = 1;
/** IPV4_DEVCONF_*, include/uapi/linux/ip.h. */
const SETTING = { rpFilter: 8, acceptLocal: 23 } as const;
const IFLA_INET6_ADDR_GEN_MODE = 8;
const IN6_ADDR_GEN_MODE_NONE = 1;

const RT_SCOPE_HOST = 254;
const IFA_LOCAL = 2;
/** 192.0.0.8, the dummy address of RFC 7600: a source for nobody, a destination for nobody. */
const DUMMY_ADDRESS = Uint8Array.of(192, 0, 0, 8);

const ATTEMPT = "make the way back to the host's stack";

export class HostLane implements Disposable {
  readonly entryIndex: number;
  readonly exitIndex: number;
  readonly #names: LaneNames;
  readonly #netlink: Netlink;
  #isOpen = true;

  /** Replaces what a process before us may have left. Throws a SystemCallError when the kernel refuses. */
  constructor(names: LaneNames = ENGINE_LANE) {
    this.#names = names;
    this.#netlink = new Netlink();
    try {
      this.#remove();
      this.#make();
      this.entryIndex = interfaceIndex(names.entry);
      this.exitIndex = interfaceIndex(names.exit);
      this.#configure(this.exitIndex);
      this.#addDummyAddress(this.exitIndex);
      this.#configure(this.entryIndex);
    } catch (error) {
      this.#netlink[Symbol.dispose]();
      throw error;
    }
  }

  /** Writes the Ethernet header that a frame sent into the entry must have, in front of the packet at `start`. */
  writeHeader(bytes: Uint8Array, start: number): void {
    const frame = start - ETHERNET_HEADER_LENGTH;
    bytes.set(EXIT_MAC, frame);
    bytes.set(ENTRY_MAC, frame + EXIT_MAC.length);
    const etherType = bytes[start]! >>> 4 === 6 ? ETHERTYPE.ipv6 : ETHERTYPE.ipv4;
    writeUint16(bytes, start - ETHER_TYPE_LENGTH, etherType);
  }

  [Symbol.dispose](): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    try {
      this.#remove();
    } finally {
      this.#netlink[Symbol.dispose]();
    }
  }

  #make(): void {
    const peer = Buffer.concat([
      new Uint8Array(LINK_HEADER_LENGTH),
      emitAttributes(identity(this.#names.exit, EXIT_MAC)),
    ]);
    const data: Attribute[] = [[VETH_INFO_PEER, peer]];
    const info: Attribute[] = [
      [IFLA_INFO.kind, "veth"],
      [IFLA_INFO.data, data],
    ];
    const attributes: Attribute[] = [
      ...identity(this.#names.entry, ENTRY_MAC),
      [IFLA.linkInfo, info],
    ];
    const flags = FLAG.create | FLAG.exclusive;
    this.#netlink.change(RTM.newLink, flags, linkHeader(0, 0), attributes, ATTEMPT);
  }

  /**
   * Loose reverse path filter: packets come from clients whom the host would answer by another interface. No IPv6
   * address, so that the interface keeps silent. Settings come before it goes up.
   */
  #configure(index: number): void {
    const inet: Attribute[] = [
      [SETTING.rpFilter, 2],
      [SETTING.acceptLocal, 1],
    ];
    const perFamily: Attribute[] = [
      [AF_INET, [[IFLA_INET_CONF, inet]]],
      [AF_INET6, [[IFLA_INET6_ADDR_GEN_MODE, Uint8Array.of(IN6_ADDR_GEN_MODE_NONE)]]],
    ];
    const settings: Attribute[] = [[IFLA.perFamily, perFamily]];
    this.#netlink.change(RTM.setLink, 0, linkHeader(index, 0), settings, ATTEMPT);
    const header = linkHeader(index, IFF.up | IFF.noArp);
    this.#netlink.change(RTM.setLink, 0, header, [], ATTEMPT);
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
    const attempt = "remove the way back to the host's stack";
    try {
      const name: Attribute[] = [[IFLA.name, this.#names.entry]];
      this.#netlink.change(RTM.deleteLink, 0, linkHeader(0, 0), name, attempt);
    } catch (error) {
      if (!(error instanceof SystemCallError) || error.code !== "ENODEV") throw error;
    }
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
