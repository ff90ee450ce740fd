/**
 * IP packets out: finds the neighbour, puts the link's header before the packet, and hands the frame to the transmitter.
 * Packets that lie in the ring go from there; all others are copied to memory with an address first.
 */
import type { Clock, Instant } from "../../../base/clock.ts";
import type { Route } from "../../../ipvs/host.ts";
import { ETHERNET_HEADER_LENGTH, ETHERNET_OFFSET, ETHERTYPE_OF } from "../../../net/ethernet.ts";
import { familyAt } from "../../../net/ip-family.ts";
import { MAC_LENGTH } from "../../../net/mac-address.ts";
import { writeUint16 } from "../../../net/words.ts";
import type { HostNetwork } from "../../host/host-network.ts";
import type { Link } from "../../host/links.ts";
import type { NeighbourNews } from "../../host/neighbour-table.ts";
import { Memory } from "../../host/system/libc.ts";
import { noOffload, type Offload, VIRTIO_NET_HEADER_LENGTH } from "../ring/virtio-net-header.ts";
import type { Loss } from "./losses.ts";
import { Neighbours } from "./neighbours.ts";
import type { Transmitter } from "./transmitter.ts";

/** Room for packets that the director makes, until they are sent: a batch's worth of the largest. */
const STAGING_LENGTH = 0x40_0000;
/** Routes whose link-layer addresses are remembered. */
const ADDRESSES_MAX = 4096;
const PLAIN = noOffload();
/** The addresses before a packet on a link that has none. */
const NO_ADDRESSES = new Uint8Array(0);

/** A frame that waits for its neighbour's address, whole but for the two link-layer addresses. */
interface WaitingFrame {
  readonly bytes: Uint8Array;
  readonly offload: Offload;
}

export interface FrameSenderOptions {
  readonly clock: Clock;
  /** The IP packet had nobody to go to: the host asked for its next hop in vain. */
  readonly undeliverable: (packet: Uint8Array) => void;
}

export class FrameSender implements Disposable {
  readonly #transmitter: Transmitter;
  readonly #network: HostNetwork;
  readonly #neighbours: Neighbours<WaitingFrame>;
  readonly #staging = Memory.allocate(STAGING_LENGTH);
  /** By route, the neighbour's link-layer address and our own, as a frame begins with them. */
  readonly #addresses = new Map<Route, Uint8Array>();
  #staged = 0;
  /** Packets whose interface has gone since the route was found. */
  #linkGone = 0;

  constructor(transmitter: Transmitter, network: HostNetwork, options: FrameSenderOptions) {
    this.#transmitter = transmitter;
    this.#network = network;
    this.#neighbours = new Neighbours<WaitingFrame>({
      clock: options.clock,
      known: (interfaceIndex, address) => network.neighbour(interfaceIndex, address),
      ask: (interfaceIndex, address) => network.seekNeighbour(interfaceIndex, address),
      send: (frame, interfaceIndex, mac) => this.#sendWaiting(frame, interfaceIndex, mac),
      undeliverable: ({ bytes }) => options.undeliverable(bytes.subarray(ETHERNET_HEADER_LENGTH)),
    });
  }

  /**
   * Sends the IP packet [start, end) of `memory` by `route`. The bytes before it are overwritten, and it must stay
   * there until flush(). When the neighbour is not known yet, a copy waits for it.
   */
  send(memory: Memory, start: number, end: number, route: Route, offload: Offload): void {
    const addresses = this.#addresses.get(route) ?? this.#resolve(route);
    if (addresses === NO_ADDRESSES) {
      this.#transmitter.enqueuePacket(memory, start, end, route.interfaceIndex, offload);
      return;
    }
    const { bytes } = memory;
    const frame = start - ETHERNET_HEADER_LENGTH;
    writeUint16(bytes, frame + ETHERNET_OFFSET.etherType, ETHERTYPE_OF[familyAt(bytes, start)]);
    if (addresses === undefined) {
      this.#hold(bytes.slice(frame, end), route, offload);
      return;
    }
    for (let index = 0; index < ETHERNET_OFFSET.etherType; index++)
      bytes[frame + index] = addresses[index]!;
    this.#transmitter.enqueue(memory, frame, end, route.interfaceIndex, offload);
  }

  /**
   * Has every route's link-layer addresses looked up again: to be called when one may have changed, and from time to
   * time, because neighbours that are in use must be seen to be.
   */
  forget(): void {
    if (this.#addresses.size > 0) this.#addresses.clear();
  }

  /** As a frame by this route begins; undefined of a link without Ethernet, and while the neighbour is not known. */
  linkAddressesOf(route: Route): Uint8Array | undefined {
    const addresses = this.#addresses.get(route);
    return addresses === NO_ADDRESSES ? undefined : addresses;
  }

  /** As send() for a packet that lies anywhere. */
  sendCopy(packet: Uint8Array, route: Route, offload: Offload = PLAIN): void {
    const start = this.#stage(packet, ETHERNET_HEADER_LENGTH);
    this.send(this.#staging, start, start + packet.length, route, offload);
  }

  /** Sends a whole frame. */
  sendFrame(frame: Uint8Array, interfaceIndex: number, offload: Offload = PLAIN): void {
    const start = this.#stage(frame, 0);
    this.#transmitter.enqueue(this.#staging, start, start + frame.length, interfaceIndex, offload);
  }

  /** What the host's own stack knows of a neighbour has changed. */
  neighbourChanged({ interfaceIndex, address, fate }: NeighbourNews): void {
    this.forget();
    this.#neighbours.hear(interfaceIndex, address, fate);
  }

  /** News of neighbours were lost. */
  neighboursChanged(): void {
    this.forget();
    this.#neighbours.review();
  }

  /** Gives up what waited too long. To be called at nextDeadline(). */
  expire(): void {
    this.#neighbours.expire();
    this.forget();
  }

  nextDeadline(): Instant {
    return this.#neighbours.nextDeadline();
  }

  /** Packets that went nowhere, by reason. */
  reasons() {
    const { dropped, refused, undeliverable } = this.#neighbours.statistics();
    return {
      "neighbour-queue-full": dropped,
      "neighbour-refused": refused,
      "neighbour-silent": undeliverable,
      "link-gone": this.#linkGone,
    } satisfies Partial<Record<Loss, number>>;
  }

  flush(): void {
    this.#transmitter.flush();
    this.#staged = 0;
  }

  [Symbol.dispose](): void {
    this.#staging[Symbol.dispose]();
  }

  /** Undefined when the neighbour is not known yet, or the interface has gone. */
  #resolve(route: Route): Uint8Array | undefined {
    const link = this.#network.links.get(route.interfaceIndex);
    if (link === undefined) return undefined;
    const addresses = link.header === "none" ? NO_ADDRESSES : this.#ethernetAddresses(link, route);
    if (addresses === undefined) return undefined;
    if (this.#addresses.size >= ADDRESSES_MAX) this.forget();
    this.#addresses.set(route, addresses);
    return addresses;
  }

  #ethernetAddresses(link: Link, { nextHop }: Route): Uint8Array | undefined {
    const neighbour = this.#neighbours.find(link.index, nextHop) ?? link.unaskedMac;
    if (neighbour?.length !== MAC_LENGTH) return undefined;
    const addresses = new Uint8Array(2 * MAC_LENGTH);
    addresses.set(neighbour);
    addresses.set(link.mac, MAC_LENGTH);
    return addresses;
  }

  #hold(frame: Uint8Array, { interfaceIndex, nextHop }: Route, offload: Offload): void {
    if (!this.#network.links.has(interfaceIndex)) {
      this.#linkGone++;
      return;
    }
    this.#neighbours.hold(interfaceIndex, nextHop, { bytes: frame, offload: { ...offload } });
  }

  /** A frame whose neighbour was found. */
  #sendWaiting({ bytes, offload }: WaitingFrame, interfaceIndex: number, mac: Uint8Array): void {
    const own = this.#network.links.get(interfaceIndex)?.mac;
    if (own === undefined) {
      this.#linkGone++;
      return;
    }
    bytes.set(mac);
    bytes.set(own, MAC_LENGTH);
    this.sendFrame(bytes, interfaceIndex, offload);
  }

  #stage(bytes: Uint8Array, headroom: number): number {
    const room = VIRTIO_NET_HEADER_LENGTH + headroom;
    if (this.#staged + room + bytes.length > STAGING_LENGTH) this.flush();
    const start = this.#staged + room;
    this.#staging.bytes.set(bytes, start);
    this.#staged = start + bytes.length;
    return start;
  }
}
