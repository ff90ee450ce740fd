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
import { ETHERNET_HEADER_LENGTH, ETHERTYPE } from "../../../net/ethernet.ts";
import { writeUint16 } from "../../../net/words.ts";
import { Netlink } from "../../host/netlink/netlink.ts";
import { interfaceIndex, SystemCallError } from "../../host/system/libc.ts";
import { NetworkNamespace } from "../../host/system/network-namespace.ts";
import {
  addDummyAddress,
  faultsOf,
  isPeer,
  type LaneEnd,
  makePair,
  removePair,
  setIdentity,
  setUp,
} from "./lane-device.ts";

/** What the interfaces are called: the host's end, and ours where it must lie beside it. */
export interface LaneNames {
  readonly host: string;
  readonly own: string;
}

/** Locally administered; nobody else is on the wire. */
const HOST_MAC = Uint8Array.of(0x02, 0x73, 0x6c, 0x63, 0, 1);
const OWN_MAC = Uint8Array.of(0x02, 0x73, 0x6c, 0x63, 0, 2);

/** The last field of an Ethernet header. */
const ETHER_TYPE_LENGTH = 2;

export class Lane implements Disposable {
  readonly names: LaneNames;
  readonly #netlink: Netlink;
  readonly #namespace: NetworkNamespace | undefined;
  /** Where our end lies. */
  readonly #ownNetlink: Netlink;
  #hostIndex = 0;
  #ownIndex = 0;
  #isOpen = true;

  /** A process before us left it, and it is gone on with. */
  readonly isInherited: boolean = false;
  /** It stays when this is disposed of. */
  stays = false;

  /**
   * Replaces what a process before us may have left, unless it `adopts` what is whole of it. `namespace`: where our end shall
   * lie; disposed of with the lane. Throws a SystemCallError when the kernel refuses.
   */
  constructor(names: LaneNames, namespace = NetworkNamespace.ifGranted(), adopts = false) {
    this.names = names;
    using stack = new DisposableStack();
    this.#namespace = namespace;
    if (this.#namespace !== undefined) stack.use(this.#namespace);
    this.#netlink = stack.use(new Netlink());
    this.#ownNetlink = stack.use(this.inside(() => new Netlink()));
    this.isInherited = adopts && this.#adopt();
    // Until somebody has gone on with it, it is others'.
    this.stays = this.isInherited;
    if (!this.isInherited) {
      removePair(this.#netlink, names.host);
      this.#make(undefined);
    }
    stack.move();
  }

  /** In the host's network namespace. */
  get hostIndex(): number {
    return this.#hostIndex;
  }

  /** Where inside() works. */
  get ownIndex(): number {
    return this.#ownIndex;
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
    const etherType = bytes[start]! >>> 4 === 6 ? ETHERTYPE.ipv6 : ETHERTYPE.ipv4;
    writeUint16(bytes, start - ETHER_TYPE_LENGTH, etherType);
  }

  /**
   * Sets right what somebody has changed, and says what: nothing is empty. "gone": the host's end is, "broken": ours alone
   * is; the pair must be made anew. Throws a SystemCallError when the kernel refuses.
   */
  mend(): readonly string[] | "gone" | "broken" {
    const ends = [
      { netlink: this.#netlink, index: this.#hostIndex, end: this.#hostEnd() },
      { netlink: this.#ownNetlink, index: this.#ownIndex, end: this.#ownEnd() },
    ];
    const mended: string[] = [];
    for (const { netlink, index, end } of ends) {
      const faults = faultsOf(netlink, index, end);
      if (faults === undefined) return netlink === this.#netlink ? "gone" : "broken";
      if (faults.length === 0) continue;
      setIdentity(netlink, index, end);
      if (end.name === this.names.host) enableInet6(end.name);
      setUp(netlink, index);
      mended.push(...faults);
    }
    if (addDummyAddress(this.#netlink, this.#hostIndex)) mended.push("left without an address");
    return mended;
  }

  /**
   * Makes the pair anew, with the same index in the host if that is wanted and still nobody's: rules that name the
   * interface by it go on.
   */
  remake(keepsIndex: boolean): void {
    // One end may have been taken elsewhere, and the other still be there.
    removePair(this.#ownNetlink, this.#ownIndex);
    removePair(this.#netlink, this.names.host);
    try {
      this.#make(keepsIndex ? this.#hostIndex : undefined);
    } catch (error) {
      // Whose index is somebody's seems to the kernel to be there already.
      if (!(error instanceof SystemCallError) || !["EEXIST", "EBUSY"].includes(error.code)) {
        throw error;
      }
      this.#make(undefined);
    }
  }

  [Symbol.dispose](): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    try {
      if (!this.stays) removePair(this.#netlink, this.names.host);
    } finally {
      this.#netlink[Symbol.dispose]();
      this.#ownNetlink[Symbol.dispose]();
      this.#namespace?.[Symbol.dispose]();
    }
  }

  /** False when there is none, or not a whole one. */
  #adopt(): boolean {
    try {
      this.#hostIndex = interfaceIndex(this.names.host);
      this.#ownIndex = this.inside(() => interfaceIndex(this.names.own));
      if (!isPeer(this.#netlink, this.#hostIndex, this.#ownIndex)) return false;
      return typeof this.mend() !== "string";
    } catch (error) {
      if (error instanceof SystemCallError) return false;
      throw error;
    }
  }

  #make(hostIndex: number | undefined): void {
    const { names } = this;
    const netlink = this.#netlink;
    makePair(netlink, this.#hostEnd(hostIndex), this.#ownEnd(), this.#namespace?.fd);
    this.#hostIndex = interfaceIndex(names.host);
    enableInet6(names.host);
    setUp(netlink, this.#hostIndex);
    addDummyAddress(netlink, this.#hostIndex);
    this.#ownIndex = this.inside(() => interfaceIndex(names.own));
    setUp(this.#ownNetlink, this.#ownIndex);
  }

  #hostEnd(index?: number): LaneEnd {
    return { name: this.names.host, mac: HOST_MAC, index };
  }

  #ownEnd(): LaneEnd {
    return { name: this.names.own, mac: OWN_MAC, index: undefined };
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
