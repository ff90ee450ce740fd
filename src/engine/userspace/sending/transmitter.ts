/**
 * Frames out by a packet socket, in batches, straight from where they lie.
 *
 * The queueing discipline is not bypassed (PACKET_QDISC_BYPASS): __dev_direct_xmit() drops what it would have to
 * segment in software, and traffic control and egress filters of the host would not see our frames.
 */
import { ETHERNET_HEADER_LENGTH, ETHERNET_OFFSET, ETHERTYPE_OF } from "../../../net/ethernet.ts";
import { familyAt } from "../../../net/ip-family.ts";
import { close, type Memory, setOption } from "../../host/system/libc.ts";
import { LINK_ADDRESS_LENGTH, linkAddress, openPacketSocket } from "../ring/packet-socket.ts";
import { type Offload, VIRTIO_NET_HEADER_LENGTH, writeOffload } from "../ring/virtio-net-header.ts";
import { MessageBatch, type TransmitStatistics } from "./message-batch.ts";

const AF_PACKET = 17;
const SOL_SOCKET = 1;
const SO_SNDBUF = 7;

/** The kernel's limit is net.core.wmem_max: it takes less without complaint. */
const SEND_BUFFER_BYTES = 0x40_0000;

const BATCH_MAX = 256;

export class Transmitter implements Disposable {
  readonly #fd: number;
  readonly #batch: MessageBatch;
  #open = true;

  /** Throws a SystemCallError when the kernel refuses. */
  constructor() {
    this.#fd = openPacketSocket("send frames");
    setOption(this.#fd, SOL_SOCKET, SO_SNDBUF, SEND_BUFFER_BYTES, "set the send buffer");
    this.#batch = new MessageBatch(this.#fd, {
      capacity: BATCH_MAX,
      addressFamily: AF_PACKET,
      nameLength: LINK_ADDRESS_LENGTH,
      controlLength: 0,
    });
  }

  /**
   * Takes the frame [start, end) of `memory`, to leave by `interfaceIndex`. It must stay there until flush() returned,
   * and the 10 bytes before it are overwritten. Sends by itself when the batch is full.
   */
  enqueue(
    memory: Memory,
    start: number,
    end: number,
    interfaceIndex: number,
    offload: Offload,
  ): void {
    if (end - start < ETHERNET_HEADER_LENGTH) {
      this.#batch.countFailed("EINVAL");
      return;
    }
    writeOffload(memory.view, start - VIRTIO_NET_HEADER_LENGTH, offload, end - start);
    this.#add(
      memory,
      start,
      end,
      interfaceIndex,
      memory.view.getUint16(start + ETHERNET_OFFSET.etherType),
    );
  }

  /**
   * As enqueue() for an interface whose frames have no header: takes the IP packet [start, end). `offload` is about the
   * frame that it would be with an Ethernet header.
   */
  enqueuePacket(
    memory: Memory,
    start: number,
    end: number,
    interfaceIndex: number,
    offload: Offload,
  ): void {
    const at = start - VIRTIO_NET_HEADER_LENGTH;
    writeOffload(memory.view, at, offload, end - start, ETHERNET_HEADER_LENGTH);
    this.#add(memory, start, end, interfaceIndex, ETHERTYPE_OF[familyAt(memory.bytes, start)]);
  }

  /** Sends what waits. */
  flush(): void {
    this.#batch.flush();
  }

  statistics(): TransmitStatistics {
    return this.#batch.statistics();
  }

  [Symbol.dispose](): void {
    if (!this.#open) return;
    this.#open = false;
    close(this.#fd);
    this.#batch[Symbol.dispose]();
  }

  #add(
    memory: Memory,
    start: number,
    end: number,
    interfaceIndex: number,
    etherType: number,
  ): void {
    const batch = this.#batch;
    const name = batch.nameOf(batch.slot);
    batch.view.setUint16(name + linkAddress.protocol, etherType);
    batch.view.setInt32(name + linkAddress.interfaceIndex, interfaceIndex, true);
    const from = start - VIRTIO_NET_HEADER_LENGTH;
    batch.add(memory.address + from, end - from);
  }
}
