/**
 * IP packets out: finds the neighbour, puts the Ethernet header before the packet, and hands the frame to the
 * transmitter. Packets that lie in the ring go from there; all others are copied to memory with an address first.
 * What waited for a neighbour that never answered is refused, as the host's own stack would.
 */
import type { Clock, Instant } from "../../base/clock.ts";
import { notice } from "../../ipvs/forward/notices.ts";
import type { Route } from "../../ipvs/host.ts";
import { NO_ARRIVAL, Packet } from "../../ipvs/packet.ts";
import type { Address } from "../../net/address.ts";
import { ArpView } from "../../net/arp.ts";
import { ETHERNET_HEADER_LENGTH, ETHERTYPE } from "../../net/ethernet.ts";
import { macBytes } from "../../net/mac-address.ts";
import { writeUint16 } from "../../net/words.ts";
import { arpSender } from "./arp-exchange.ts";
import type { HostNetwork } from "./host-network.ts";
import { Memory } from "./libc.ts";
import { type NeighbourStatistics, Neighbours } from "./neighbours.ts";
import type { Transmitter } from "./transmitter.ts";
import { noOffload, type Offload, VIRTIO_NET_HEADER_LENGTH } from "./virtio-net-header.ts";

/** Room for packets that the director makes, until they are sent: a batch's worth of the largest. */
const STAGING_LENGTH = 0x40_0000;
const MAC_LENGTH = 6;
/** Routes whose link-layer addresses are remembered. */
const ADDRESSES_MAX = 4096;
const ETHER_TYPE_AT = 12;
const PLAIN = noOffload();

/** A frame that waits for its neighbour's address, whole but for the two link-layer addresses. */
interface WaitingFrame {
  readonly bytes: Uint8Array;
  readonly offload: Offload;
}

export class FrameSender implements Disposable {
  readonly #transmitter: Transmitter;
  readonly #network: HostNetwork;
  readonly #neighbours: Neighbours<WaitingFrame>;
  readonly #staging = Memory.allocate(STAGING_LENGTH);
  readonly #own = new Packet();
  readonly #waited = new Packet();
  readonly #arp = ArpView.unplaced();
  /** By route, the neighbour's link-layer address and our own, as a frame begins with them. */
  readonly #addresses = new Map<Route, Uint8Array>();
  #staged = 0;

  constructor(transmitter: Transmitter, network: HostNetwork, clock: Clock) {
    this.#transmitter = transmitter;
    this.#network = network;
    this.#neighbours = new Neighbours<WaitingFrame>({
      clock,
      known: (interfaceIndex, address) => network.neighbour(interfaceIndex, address),
      ask: (interfaceIndex, address, mac) => this.#ask(interfaceIndex, address, mac),
      send: (frame, interfaceIndex, mac) => this.#sendWaiting(frame, interfaceIndex, mac),
      undeliverable: (frame) => this.#refuse(frame),
    });
  }

  /**
   * Sends the IP packet [start, end) of `memory` by `route`. The bytes before it are overwritten, and it must stay
   * there until flush(). When the neighbour is not known yet, a copy waits for it.
   */
  send(memory: Memory, start: number, end: number, route: Route, offload: Offload): void {
    const { bytes } = memory;
    const frame = start - ETHERNET_HEADER_LENGTH;
    writeUint16(bytes, frame + ETHER_TYPE_AT, etherTypeOf(bytes[start]!));
    const addresses = this.#addresses.get(route) ?? this.#resolve(route);
    if (addresses === undefined) {
      this.#hold(bytes.slice(frame, end), route, offload);
      return;
    }
    for (let index = 0; index < ETHER_TYPE_AT; index++) bytes[frame + index] = addresses[index]!;
    this.#transmitter.enqueue(memory, frame, end, route.interfaceIndex, offload);
  }

  /**
   * Has every route's link-layer addresses looked up again: to be called when one may have changed, and from time to
   * time, because neighbours that are in use must be seen to be.
   */
  forget(): void {
    if (this.#addresses.size > 0) this.#addresses.clear();
  }

  /** As send() for a packet that lies anywhere. */
  sendCopy(packet: Uint8Array, route: Route, offload: Offload = PLAIN): void {
    const start = this.#stage(packet, ETHERNET_HEADER_LENGTH);
    this.send(this.#staging, start, start + packet.length, route, offload);
  }

  /** Sends a packet of the host's own kind by its destination, if there is a way. */
  sendRouted(packet: Uint8Array): void {
    const own = this.#own;
    const fault = own.moveTo(packet, 0, packet.length, NO_ARRIVAL);
    if (fault !== undefined) return;
    const route = this.#network.route(own.destination);
    if (typeof route !== "string") this.sendCopy(packet, route);
  }

  /** Sends a whole frame. */
  sendFrame(frame: Uint8Array, interfaceIndex: number, offload: Offload = PLAIN): void {
    const start = this.#stage(frame, 0);
    this.#transmitter.enqueue(this.#staging, start, start + frame.length, interfaceIndex, offload);
  }

  /** Learns from the ARP message in [start, end). */
  hearArp(bytes: Uint8Array, start: number, end: number, interfaceIndex: number): void {
    if (this.#arp.moveTo(bytes, start, end) !== undefined) return;
    const sender = arpSender(this.#arp);
    if (sender === undefined) return;
    this.#neighbours.learn(interfaceIndex, sender, macBytes(this.#arp.senderMac));
    this.forget();
  }

  /** What the host's own stack knows of a neighbour has changed. */
  neighbourChanged(interfaceIndex: number, address: Address): void {
    this.forget();
    const known = this.#network.neighbour(interfaceIndex, address);
    if (known !== undefined) this.#neighbours.learn(interfaceIndex, address, known.mac);
  }

  /** Asks again for neighbours, and refuses what waited in vain. To be called at nextDeadline(). */
  expire(): void {
    this.#neighbours.expire();
    this.forget();
  }

  nextDeadline(): Instant {
    return this.#neighbours.nextDeadline();
  }

  neighbours(): NeighbourStatistics {
    return this.#neighbours.statistics();
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
    const { interfaceIndex, nextHop } = route;
    const neighbour = this.#neighbours.find(interfaceIndex, nextHop);
    const own = this.#network.links.get(interfaceIndex)?.mac;
    if (neighbour === undefined || own === undefined) return undefined;
    const addresses = new Uint8Array(2 * MAC_LENGTH);
    addresses.set(neighbour);
    addresses.set(own, MAC_LENGTH);
    if (this.#addresses.size >= ADDRESSES_MAX) this.forget();
    this.#addresses.set(route, addresses);
    return addresses;
  }

  #hold(frame: Uint8Array, { interfaceIndex, nextHop }: Route, offload: Offload): void {
    this.#neighbours.hold(interfaceIndex, nextHop, { bytes: frame, offload: { ...offload } });
  }

  /** A frame whose neighbour was found. */
  #sendWaiting({ bytes, offload }: WaitingFrame, interfaceIndex: number, mac: Uint8Array): void {
    const own = this.#network.links.get(interfaceIndex)?.mac;
    // Else the interface has gone.
    if (own === undefined) return;
    bytes.set(mac);
    bytes.set(own, MAC_LENGTH);
    this.sendFrame(bytes, interfaceIndex, offload);
  }

  /** Nobody answered for the next hop of a frame that waited: its sender is told, as the host's stack would. */
  #refuse({ bytes }: WaitingFrame): void {
    const packet = this.#waited;
    const fault = packet.moveTo(bytes, ETHERNET_HEADER_LENGTH, bytes.length, NO_ARRIVAL);
    if (fault !== undefined) return;
    const back = this.#network.route(packet.source);
    if (typeof back === "string") return;
    const message = notice(packet, back.source, { kind: "host-unreachable" });
    if (message !== undefined) this.sendRouted(message);
  }

  /** Asks who has `address`: by ARP ourselves, for IPv6 by the host's own neighbour discovery. */
  #ask(interfaceIndex: number, address: Address, mac: Uint8Array | undefined): void {
    const own = this.#network.links.get(interfaceIndex)?.mac;
    if (own === undefined) return;
    void mac;
    this.#network.seekNeighbour(interfaceIndex, address);
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

function etherTypeOf(firstByte: number): number {
  return firstByte >>> 4 === 6 ? ETHERTYPE.ipv6 : ETHERTYPE.ipv4;
}
