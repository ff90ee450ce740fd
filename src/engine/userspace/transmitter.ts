/**
 * Frames out: batches of them by sendmmsg(2), straight from where they lie.
 *
 * The queueing discipline is not bypassed (PACKET_QDISC_BYPASS): __dev_direct_xmit() drops what it would have to
 * segment in software, and traffic control and egress filters of the host would not see our frames.
 */
import { close, errno, errnoName, Memory, sendMessages, setOption } from "./libc.ts";
import { LINK_ADDRESS_LENGTH, linkAddress, openPacketSocket } from "./packet-socket.ts";
import { type Offload, VIRTIO_NET_HEADER_LENGTH, writeOffload } from "./virtio-net-header.ts";

const AF_PACKET = 17;
const SOL_SOCKET = 1;
const SO_SNDBUF = 7;

/** The kernel's limit is net.core.wmem_max: it takes less without complaint. */
const SEND_BUFFER_BYTES = 0x40_0000;

const BATCH_MAX = 256;
const ETHER_TYPE = 12;
const ETHERNET_HEADER_LENGTH = 14;

/** struct mmsghdr on a 64-bit machine. */
const MESSAGE_LENGTH = 64;
const message = { name: 0, nameLength: 8, vector: 16, vectorCount: 24 } as const;
/** struct iovec. */
const PIECE_LENGTH = 16;
const piece = { base: 0, length: 8 } as const;
/** A struct sockaddr_ll, rounded up. */
const NAME_LENGTH = 32;

const MESSAGES_AT = 0;
const PIECES_AT = MESSAGES_AT + BATCH_MAX * MESSAGE_LENGTH;
const NAMES_AT = PIECES_AT + BATCH_MAX * PIECE_LENGTH;
const TABLE_LENGTH = NAMES_AT + BATCH_MAX * NAME_LENGTH;

export interface TransmitStatistics {
  readonly sent: number;
  /** Refused because queues were full (ENOBUFS, EAGAIN). */
  readonly congested: number;
  /** Refused for other reasons, by errno's name: EMSGSIZE, ENETDOWN, ENXIO, ... */
  readonly failed: Readonly<Record<string, number>>;
}

export class Transmitter implements Disposable {
  readonly #fd: number;
  readonly #table: Memory;
  #waiting = 0;
  #sent = 0;
  #congested = 0;
  readonly #failed = new Map<string, number>();
  #open = true;

  /** Throws a SystemCallError when the kernel refuses. */
  constructor() {
    this.#fd = openPacketSocket("send frames");
    setOption(this.#fd, SOL_SOCKET, SO_SNDBUF, SEND_BUFFER_BYTES, "set the send buffer");
    this.#table = Memory.allocate(TABLE_LENGTH);
    for (let slot = 0; slot < BATCH_MAX; slot++) this.#prepare(slot);
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
    const length = end - start;
    if (length < ETHERNET_HEADER_LENGTH) {
      this.#count("EINVAL");
      return;
    }
    const from = start - VIRTIO_NET_HEADER_LENGTH;
    writeOffload(memory.view, from, offload, length);
    const { view } = this.#table;
    const pieceAt = PIECES_AT + this.#waiting * PIECE_LENGTH;
    writeAddress(view, pieceAt + piece.base, memory.address + from);
    view.setUint32(pieceAt + piece.length, length + VIRTIO_NET_HEADER_LENGTH, true);
    const name = NAMES_AT + this.#waiting * NAME_LENGTH;
    view.setUint16(name + linkAddress.protocol, memory.view.getUint16(start + ETHER_TYPE));
    view.setInt32(name + linkAddress.interfaceIndex, interfaceIndex, true);
    this.#waiting++;
    if (this.#waiting === BATCH_MAX) this.flush();
  }

  /** Sends what waits. What the kernel refuses is counted and gone, as from a full queue of a network card. */
  flush(): void {
    for (let done = 0; done < this.#waiting; ) {
      const messages = this.#table.address + MESSAGES_AT + done * MESSAGE_LENGTH;
      const sent = sendMessages(this.#fd, messages, this.#waiting - done);
      if (sent > 0) {
        this.#sent += sent;
        done += sent;
      } else if (sent !== -errno.EINTR) {
        // sendmmsg() stops at the first that fails, and tells why only when that was the first.
        this.#refused(-sent);
        done++;
      }
    }
    this.#waiting = 0;
  }

  statistics(): TransmitStatistics {
    return {
      sent: this.#sent,
      congested: this.#congested,
      failed: Object.fromEntries(this.#failed),
    };
  }

  [Symbol.dispose](): void {
    if (!this.#open) return;
    this.#open = false;
    close(this.#fd);
    this.#table[Symbol.dispose]();
  }

  #refused(reason: number): void {
    if (reason === errno.ENOBUFS || reason === errno.EAGAIN) this.#congested++;
    else this.#count(errnoName(reason));
  }

  #count(name: string): void {
    this.#failed.set(name, (this.#failed.get(name) ?? 0) + 1);
  }

  /** Writes what is the same for every frame that this slot will carry. */
  #prepare(slot: number): void {
    const { view, address } = this.#table;
    const messageAt = MESSAGES_AT + slot * MESSAGE_LENGTH;
    const pieceAt = PIECES_AT + slot * PIECE_LENGTH;
    const name = NAMES_AT + slot * NAME_LENGTH;
    writeAddress(view, messageAt + message.name, address + name);
    view.setUint32(messageAt + message.nameLength, LINK_ADDRESS_LENGTH, true);
    writeAddress(view, messageAt + message.vector, address + pieceAt);
    view.setUint32(messageAt + message.vectorCount, 1, true);
    view.setUint16(name + linkAddress.family, AF_PACKET, true);
  }
}

/** A pointer as two words: a BigInt for each would be garbage. User space has 47 bits, a number holds 53. */
function writeAddress(view: DataView, at: number, address: number): void {
  view.setUint32(at, address >>> 0, true);
  view.setUint32(at + 4, Math.floor(address / 0x1_0000_0000), true);
}
