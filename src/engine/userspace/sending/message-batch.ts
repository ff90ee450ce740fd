/** Messages that go to a socket together, by sendmmsg(2), straight from where their bytes lie. */
import {
  errno,
  errnoName,
  Memory,
  sendMessages,
  untilUninterrupted,
} from "../../host/system/libc.ts";

/** struct mmsghdr on a 64-bit machine. */
const MESSAGE_LENGTH = 64;
// biome-ignore format: a table
const message = { name: 0, nameLength: 8, vector: 16, vectorCount: 24, control: 32, controlLength: 40 } as const;
/** struct iovec. */
const PIECE_LENGTH = 16;
const piece = { base: 0, length: 8 } as const;
/** Room for whom it goes to (a struct sockaddr_*), and for ancillary data. */
const NAME_LENGTH = 32;
const CONTROL_LENGTH = 96;

export interface TransmitStatistics {
  readonly sent: number;
  /** Refused because queues were full (ENOBUFS, EAGAIN). */
  readonly congested: number;
  /** Refused for other reasons, by errno's name: EMSGSIZE, ENETDOWN, ENXIO, ... */
  readonly failed: Readonly<Record<string, number>>;
}

export interface MessageBatchOptions {
  readonly capacity: number;
  /** Of each message's address: AF_*, with which every struct sockaddr_* begins. */
  readonly addressFamily: number;
  /** Bytes of each message's address. */
  readonly nameLength: number;
  /** Bytes of each message's ancillary data. */
  readonly controlLength: number;
}

export class MessageBatch implements Disposable {
  readonly #fd: number;
  readonly #capacity: number;
  readonly #table: Memory;
  readonly #pieces: number;
  readonly #names: number;
  readonly #controls: number;
  #waiting = 0;
  #sent = 0;
  #congested = 0;
  readonly #failed = new Map<string, number>();

  constructor(
    fd: number,
    { capacity, addressFamily, nameLength, controlLength }: MessageBatchOptions,
  ) {
    this.#fd = fd;
    this.#capacity = capacity;
    this.#pieces = capacity * MESSAGE_LENGTH;
    this.#names = this.#pieces + capacity * PIECE_LENGTH;
    this.#controls = this.#names + capacity * NAME_LENGTH;
    this.#table = Memory.allocate(this.#controls + capacity * CONTROL_LENGTH);
    const { view, address } = this.#table;
    for (let slot = 0; slot < capacity; slot++) {
      const at = slot * MESSAGE_LENGTH;
      writePointer(view, at + message.name, address + this.nameOf(slot));
      view.setUint32(at + message.nameLength, nameLength, true);
      view.setUint16(this.nameOf(slot), addressFamily, true);
      writePointer(view, at + message.vector, address + this.#pieces + slot * PIECE_LENGTH);
      view.setUint32(at + message.vectorCount, 1, true);
      if (controlLength === 0) continue;
      writePointer(view, at + message.control, address + this.controlOf(slot));
      view.setUint32(at + message.controlLength, controlLength, true);
    }
  }

  /** Over the table, in which names and ancillary data lie. */
  get view(): DataView {
    return this.#table.view;
  }

  get bytes(): Uint8Array {
    return this.#table.bytes;
  }

  /** Of the message that is added next. */
  get slot(): number {
    return this.#waiting;
  }

  nameOf(slot: number): number {
    return this.#names + slot * NAME_LENGTH;
  }

  controlOf(slot: number): number {
    return this.#controls + slot * CONTROL_LENGTH;
  }

  /**
   * Adds the message whose bytes lie at `address`, where they must stay until flush() returned. Its name and ancillary
   * data are written before. Sends by itself when the batch is full: true then.
   */
  add(address: number, length: number): boolean {
    const { view } = this.#table;
    const at = this.#pieces + this.#waiting * PIECE_LENGTH;
    writePointer(view, at + piece.base, address);
    view.setUint32(at + piece.length, length, true);
    this.#waiting++;
    if (this.#waiting < this.#capacity) return false;
    this.flush();
    return true;
  }

  /** Sends what waits. What the kernel refuses is counted and gone, as from a full queue of a network card. */
  flush(): void {
    for (let done = 0; done < this.#waiting; ) {
      const messages = this.#table.address + done * MESSAGE_LENGTH;
      const sent = untilUninterrupted(() => sendMessages(this.#fd, messages, this.#waiting - done));
      if (sent > 0) {
        this.#sent += sent;
        done += sent;
      } else {
        // sendmmsg() stops at the first that fails, and tells why only when that was the first.
        this.#refused(-sent);
        done++;
      }
    }
    this.#waiting = 0;
  }

  /** Counts what never came so far. */
  countFailed(name: string): void {
    this.#failed.set(name, (this.#failed.get(name) ?? 0) + 1);
  }

  statistics(): TransmitStatistics {
    return {
      sent: this.#sent,
      congested: this.#congested,
      failed: Object.fromEntries(this.#failed),
    };
  }

  [Symbol.dispose](): void {
    this.#table[Symbol.dispose]();
  }

  #refused(reason: number): void {
    if (reason === errno.ENOBUFS || reason === errno.EAGAIN) this.#congested++;
    else this.countFailed(errnoName(reason));
  }
}

/** A pointer as two words: a BigInt for each would be garbage. User space has 47 bits, a number holds 53. */
function writePointer(view: DataView, at: number, address: number): void {
  view.setUint32(at, address >>> 0, true);
  view.setUint32(at + 4, Math.floor(address / 0x1_0000_0000), true);
}
