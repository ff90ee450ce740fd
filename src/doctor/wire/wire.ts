/** A card's wire: every frame on it, also those for others, and frames of our own. */
import {
  bind,
  close,
  errno,
  errnoName,
  ReadableWatch,
  receive,
  sendTo,
  setOption,
  socket,
} from "../../engine/host/system/libc.ts";
import type { MacAddress } from "../../net/mac-address.ts";
import type { HostInterface } from "../host/interfaces.ts";
import { type Frame, frameOf } from "./frame.ts";

/** packet(7), include/uapi/linux/if_packet.h. */
const AF_PACKET = 17;
const SOCK_RAW = 3;
const ETH_P_ALL = 3;
const SOL_PACKET = 263;
const PACKET_ADD_MEMBERSHIP = 1;
const PACKET_MR_PROMISC = 1;

const FRAME_LENGTH_MAX = 66_000;
/** Before timers and other descriptors get a turn. */
const TURN_FRAMES = 256;

export class Wire implements Disposable {
  readonly card: HostInterface;
  readonly mac: MacAddress;
  readonly #fd: number;
  readonly #address: Uint8Array;
  readonly #buffer = new Uint8Array(FRAME_LENGTH_MAX);
  readonly #listeners = new Set<(frame: Frame) => void>();
  readonly #watch: ReadableWatch;
  #trouble: string | undefined;

  /** Throws a SystemCallError when the kernel refuses. `card` has a MAC address. */
  constructor(card: HostInterface) {
    this.card = card;
    this.mac = card.mac!;
    const attempt = `listen on ${card.name} (it needs CAP_NET_RAW)`;
    this.#fd = socket(AF_PACKET, SOCK_RAW, 0, attempt);
    this.#address = linkAddress(card.index);
    try {
      bind(this.#fd, this.#address, attempt);
      // What a switch does not know the way to it sends to everybody: so it is seen who is looked for in vain.
      setOption(this.#fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, promiscuous(card.index), attempt);
      this.#watch = new ReadableWatch(this.#fd, () => this.#drain());
    } catch (error) {
      close(this.#fd);
      throw error;
    }
  }

  /** Nobody hears what the kernel refuses, as of a card that goes down meanwhile: `trouble` tells. */
  send(frame: Uint8Array): void {
    const sent = sendTo(this.#fd, frame, this.#address);
    // A full queue loses a frame, as any wire may; what was asked is asked again.
    if (sent >= 0 || -sent === errno.ENOBUFS || -sent === errno.EAGAIN) return;
    this.#trouble = errnoName(-sent);
  }

  /** Why the kernel refused a frame, the last time that it did. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  listen(onFrame: (frame: Frame) => void): Disposable {
    this.#listeners.add(onFrame);
    return { [Symbol.dispose]: () => void this.#listeners.delete(onFrame) };
  }

  [Symbol.dispose](): void {
    this.#watch[Symbol.dispose]();
    close(this.#fd);
  }

  #drain(): void {
    for (let turn = 0; turn < TURN_FRAMES; turn++) {
      const length = receive(this.#fd, this.#buffer);
      if (length === -errno.EINTR) continue;
      // EAGAIN: nothing waits. ENETDOWN: the interface went down.
      if (length < 0) return;
      const frame = frameOf(this.#buffer.slice(0, length));
      if (frame === undefined) continue;
      for (const listener of this.#listeners) listener(frame);
    }
  }
}

/** struct sockaddr_ll. */
function linkAddress(interfaceIndex: number): Uint8Array {
  const bytes = new Uint8Array(20);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, AF_PACKET, true);
  view.setUint16(2, ETH_P_ALL);
  view.setInt32(4, interfaceIndex, true);
  return bytes;
}

/** struct packet_mreq. */
function promiscuous(interfaceIndex: number): Uint8Array {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  view.setInt32(0, interfaceIndex, true);
  view.setUint16(4, PACKET_MR_PROMISC, true);
  return bytes;
}
