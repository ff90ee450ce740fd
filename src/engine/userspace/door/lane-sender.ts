/** Packets back into the host's stack, by the lane, with the mark that they had (mark-carrier.ts). */
import { ETHERNET_HEADER_LENGTH } from "../../../net/ethernet.ts";
import { Memory } from "../../host/system/libc.ts";
import type { Lane } from "../lane/lane.ts";
import { type Offload, VIRTIO_NET_HEADER_LENGTH } from "../ring/virtio-net-header.ts";
import type { TransmitStatistics } from "../sending/message-batch.ts";
import { Transmitter } from "../sending/transmitter.ts";
import { MARK_AT } from "./lane-frame.ts";

/** Room for packets that lie in no ring, until they are sent: a few of the largest. */
const STAGING_LENGTH = 0x8_0000;
const SOURCE_AT = 6;
const ROOM = VIRTIO_NET_HEADER_LENGTH + ETHERNET_HEADER_LENGTH;

export class LaneSender implements Disposable {
  readonly #lane: Lane;
  readonly #transmitter: Transmitter;
  readonly #staging = Memory.allocate(STAGING_LENGTH);
  #staged = 0;

  /** Throws a SystemCallError when the kernel refuses. */
  constructor(lane: Lane) {
    this.#lane = lane;
    this.#transmitter = lane.inside(() => new Transmitter());
  }

  /** Sends the IP packet [start, end) of `memory`, which must stay there until flush(). The bytes before it are overwritten. */
  send(memory: Memory, start: number, end: number, mark: number, offload: Offload): void {
    this.#lane.writeHeader(memory.bytes, start);
    const frame = start - ETHERNET_HEADER_LENGTH;
    memory.view.setUint32(frame + SOURCE_AT + MARK_AT, mark, true);
    this.#transmitter.enqueue(memory, frame, end, this.#lane.ownIndex, offload);
  }

  /** As send() for a packet that lies anywhere. */
  sendCopy(packet: Uint8Array, mark: number, offload: Offload): void {
    if (this.#staged + ROOM + packet.length > STAGING_LENGTH) this.flush();
    const start = this.#staged + ROOM;
    const end = start + packet.length;
    this.#staging.bytes.set(packet, start);
    this.#staged = end;
    this.send(this.#staging, start, end, mark, offload);
  }

  flush(): void {
    this.#transmitter.flush();
    this.#staged = 0;
  }

  statistics(): TransmitStatistics {
    return this.#transmitter.statistics();
  }

  [Symbol.dispose](): void {
    this.#transmitter[Symbol.dispose]();
    this.#staging[Symbol.dispose]();
  }
}
