/**
 * IP packets out: finds the neighbour, puts the Ethernet header before the packet, and hands the frame to the
 * transmitter. Packets that lie in the ring go from there; all others are copied to memory with an address first.
 */
import type { Instant } from "../../base/clock.ts";
import { ETHERNET_HEADER_LENGTH, ETHERTYPE } from "../../net/ethernet.ts";
import { writeUint16 } from "../../net/words.ts";
import type { Route } from "../../ipvs/host.ts";
import { Memory } from "./libc.ts";
import type { Neighbours } from "./neighbours.ts";
import type { Transmitter } from "./transmitter.ts";
import { noOffload, type Offload, VIRTIO_NET_HEADER_LENGTH } from "./virtio-net-header.ts";

/** Room for packets that the director makes, until they are sent: a batch's worth of the largest. */
const STAGING_LENGTH = 0x40_0000;

const PLAIN = noOffload();

export class FrameSender implements Disposable {
  readonly #transmitter: Transmitter;
  readonly #neighbours: Neighbours;
  readonly #staging = Memory.allocate(STAGING_LENGTH);
  #staged = 0;

  constructor(transmitter: Transmitter, neighbours: Neighbours) {
    this.#transmitter = transmitter;
    this.#neighbours = neighbours;
  }

  /**
   * Sends the IP packet [start, end) of `memory` by `route`. The bytes before it are overwritten, and it must stay
   * there until flush(). When the neighbour is not known yet, a copy waits for it.
   */
  send(
    memory: Memory,
    start: number,
    end: number,
    route: Route,
    offload: Offload,
    now: Instant,
  ): void {
    const { interfaceIndex, nextHop } = route;
    const frame = start - ETHERNET_HEADER_LENGTH;
    const { bytes } = memory;
    writeUint16(bytes, frame + 12, bytes[start]! >>> 4 === 6 ? ETHERTYPE.ipv6 : ETHERTYPE.ipv4);
    const addressed = this.#neighbours.address(bytes, frame, end, interfaceIndex, nextHop, offload, now);
    if (addressed) this.#transmitter.enqueue(memory, frame, end, interfaceIndex, offload);
  }

  /** As send() for a packet that lies anywhere. */
  sendCopy(packet: Uint8Array, route: Route, now: Instant, offload: Offload = PLAIN): void {
    const start = this.#stage(packet, ETHERNET_HEADER_LENGTH);
    this.send(this.#staging, start, start + packet.length, route, offload, now);
  }

  /** Sends a whole frame. */
  sendFrame(frame: Uint8Array, interfaceIndex: number, offload: Offload): void {
    const start = this.#stage(frame, 0);
    this.#transmitter.enqueue(this.#staging, start, start + frame.length, interfaceIndex, offload);
  }

  flush(): void {
    this.#transmitter.flush();
    this.#staged = 0;
  }

  [Symbol.dispose](): void {
    this.#staging[Symbol.dispose]();
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
