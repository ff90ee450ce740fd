/**
 * Frames in: a packet socket, for one interface or all of the network namespace, with a receive ring that the kernel fills
 * and we read in place (packet(7), Documentation/networking/packet_mmap.rst, net/packet/af_packet.c).
 *
 * TPACKET_V2 wakes us for each frame, TPACKET_V3 for a block, full or a millisecond old at the earliest. Measured through
 * test/userspace/forwarder.ts on kernel 6.18, two cores, both ends of the wire on the same machine:
 *
 *                    | round trip through it, median | 64-byte frames forwarded | processor time per frame
 *     without        | 15 us                         |                          |
 *     V2             | 40 us                         | 350 000 /s               | 2.6 us
 *     V3, 1 ms       | 2000 us                       | 310 000 to 440 000 /s    | 2.0 us
 *
 * A proxy waits for answers, so V2. How long the slots are makes no difference there (2 KiB: 38 us, 2.6 us).
 */
import { bind, getOption, Memory, ReadableWatch, SystemCallError } from "../../host/system/libc.ts";
import { attachFilter, bindAddress, linkAddress, SOL_PACKET } from "./packet-socket.ts";
import { BLOCK_LENGTH, FRAMES_PER_BLOCK, slotStart } from "./ring-layout.ts";
import { RingSocket } from "./ring-socket.ts";
import {
  noOffload,
  type Offload,
  readOffload,
  VIRTIO_NET_HEADER_LENGTH,
} from "./virtio-net-header.ts";

const ETH_P_ALL = 3;
const PACKET_STATISTICS = 6;

/** struct tpacket2_hdr, then at 32 a struct sockaddr_ll. */
const at = {
  status: 0,
  length: 4,
  captured: 8,
  frame: 12,
  seconds: 16,
  nanoseconds: 20,
  linkAddress: 32,
} as const;

const STATUS_KERNEL = 0;
const STATUS_USER = 1;

/** Frames that are handled before what they caused is sent: long enough to share the cost of a system call. */
const BATCH_FRAMES = 64;

/** Frames that are handled before timers and other descriptors get a turn: about a millisecond. */
const TURN_FRAMES = 512;

/**
 * A frame that waited longer is of no use to anybody: its sender has sent it again, or has given up (RFC 6298: the first
 * time to do so is a second).
 */
const STALE_MS = 1_000;
/** How often the event loop shows that it runs. */
const HEARTBEAT_MS = 250;

/** A frame where it lies in the ring. One object that is moved from frame to frame: copy what must outlive onFrame. */
export interface RingFrame {
  /** The whole ring, and the frame in [start, end), from its Ethernet header on. */
  readonly memory: Memory;
  start: number;
  end: number;
  interfaceIndex: number;
  /** PACKET_HOST 0, PACKET_BROADCAST 1 or PACKET_MULTICAST 2. */
  packetType: number;
  /** Longer than a slot: [start, end) is its beginning. */
  truncated: boolean;
  readonly offload: Offload;
}

export interface PacketRingOptions {
  /** A BPF program (bpf-program.ts) that says which frames; undefined: all. */
  readonly filter?: Uint8Array;
  /** Of this network namespace's interfaces; undefined: all. */
  readonly interfaceIndex?: number;
  /** Before some frames, and whether so many wait that the ring may soon be full. */
  readonly onBatchBegin?: (isPressed: boolean) => void;
  /** The bytes and HEADROOM bytes before them may be written until onBatchEnd has returned. */
  readonly onFrame: (frame: RingFrame) => void;
  /** After some frames: the last moment to send from the ring's memory, which then goes back to the kernel. */
  readonly onBatchEnd: () => void;
  /** The last two: one of them threw, which is a bug: the frame is gone, the others go on. Undefined: it is thrown on. */
  readonly onBug?: (error: unknown) => void;
  /** Of 512 KiB and seven frames each. Halved as long as the kernel has not the memory. */
  readonly blocks?: number;
}

export interface RingStatistics {
  readonly received: number;
  /** For want of a free slot. */
  readonly dropped: number;
  readonly truncated: number;
  /** Those that had waited too long, because this process was stopped. */
  readonly stale: number;
  /** How many frames may wait. */
  readonly slots: number;
}

export class PacketRing implements Disposable {
  readonly memory: Memory;
  readonly #socket: RingSocket;
  readonly #slots: number;
  /** The ring as words, for the slots' states. */
  readonly #words: Int32Array;
  readonly #options: PacketRingOptions;
  readonly #frame: RingFrame;
  #watch: ReadableWatch | undefined;
  #next = 0;
  #received = 0;
  #dropped = 0;
  #truncated = 0;
  #stale = 0;
  readonly #heartbeat: NodeJS.Timeout;
  /** When the event loop was last seen to run. */
  #aliveAt = performance.now();
  /** Frames that may still be from a time when it did not. */
  #suspects = 0;

  /**
   * Opens the ring and receives at once. The socket is disposed of with it, also when it cannot be opened. Throws a
   * SystemCallError when the kernel refuses.
   */
  constructor(options: PacketRingOptions, socket = new RingSocket()) {
    this.#options = options;
    this.#socket = socket;
    try {
      if (options.filter !== undefined) attachFilter(this.#fd, options.filter);
      const blocks = socket.take(options.blocks);
      this.#slots = blocks * FRAMES_PER_BLOCK;
      this.memory = Memory.shared(this.#fd, blocks * BLOCK_LENGTH, "map the receive ring");
      this.#words = new Int32Array(this.memory.bytes.buffer);
      this.#frame = {
        memory: this.memory,
        start: 0,
        end: 0,
        interfaceIndex: 0,
        packetType: 0,
        truncated: false,
        offload: noOffload(),
      };
      bind(this.#fd, bindAddress(ETH_P_ALL, options.interfaceIndex ?? 0), "receive frames");
      this.#watch = new ReadableWatch(this.#fd, () => this.#turn());
      this.#heartbeat = setInterval(() => this.#beat(), HEARTBEAT_MS);
      this.#heartbeat.unref();
    } catch (error) {
      socket[Symbol.dispose]();
      throw error;
    }
  }

  get #fd(): number {
    return this.#socket.fd;
  }

  /** Hears another interface from now on, or one that was made anew. */
  hear(interfaceIndex: number): void {
    if (this.#watch === undefined) return;
    bind(this.#fd, bindAddress(ETH_P_ALL, interfaceIndex), "receive frames");
  }

  /** Replaces the filter. */
  filter(filter: Uint8Array): void {
    attachFilter(this.#fd, filter);
  }

  statistics(): RingStatistics {
    const counts = new Uint32Array(2);
    const bytes = new Uint8Array(counts.buffer);
    try {
      getOption(this.#fd, SOL_PACKET, PACKET_STATISTICS, bytes, "read the ring's statistics");
    } catch (error) {
      // They are there the next time.
      if (!(error instanceof SystemCallError)) throw error;
    }
    // Reading sets them to 0; the first counts both kinds.
    this.#received += counts[0]! - counts[1]!;
    this.#dropped += counts[1]!;
    return {
      received: this.#received,
      dropped: this.#dropped,
      truncated: this.#truncated,
      stale: this.#stale,
      slots: this.#slots,
    };
  }

  [Symbol.dispose](): void {
    if (this.#watch === undefined) return;
    this.#watch[Symbol.dispose]();
    this.#watch = undefined;
    clearInterval(this.#heartbeat);
    this.memory[Symbol.dispose]();
    this.#socket[Symbol.dispose]();
  }

  /**
   * What is left after a turn makes the descriptor readable again: packet_poll() says so as long as the slot that was
   * filled last is not given back, so no wake-up is lost.
   */
  #turn(): void {
    this.#beat();
    let handled = 0;
    while (handled < TURN_FRAMES && this.#watch !== undefined) {
      const count = this.#batch();
      if (count === 0) return;
      handled += count;
    }
  }

  #batch(): number {
    const first = this.#next;
    let count = 0;
    this.#options.onBatchBegin?.(this.#isFilled((first + (this.#slots >> 1)) % this.#slots));
    while (count < BATCH_FRAMES && count < this.#slots) {
      const slot = slotStart(this.#next);
      if (!this.#isFilled(this.#next)) break;
      this.#next = this.#next + 1 === this.#slots ? 0 : this.#next + 1;
      count++;
      if (this.#suspects > 0 && this.#isStale(slot)) continue;
      this.#place(slot);
      try {
        this.#options.onFrame(this.#frame);
      } catch (error) {
        this.#tell(error);
      }
    }
    if (count === 0) return 0;
    try {
      this.#options.onBatchEnd();
    } catch (error) {
      this.#tell(error);
    }
    if (this.#watch === undefined) return count;
    for (let given = 0, slot = first; given < count; given++) {
      giveBack(this.#words, slotStart(slot) >> 2);
      slot = slot + 1 === this.#slots ? 0 : slot + 1;
    }
    return count;
  }

  /** Whether a frame waits in the slot with this number. The kernel fills them in their order. */
  #isFilled(index: number): boolean {
    const word = slotStart(index) >> 2;
    // A plain read costs a tenth, and most find nothing. Atomics order the frame's bytes after the state that announces
    // them; a plain read would not on ARM.
    if ((this.#words[word]! & STATUS_USER) === 0) return false;
    return (Atomics.load(this.#words, word) & STATUS_USER) !== 0;
  }

  #tell(bug: unknown): void {
    const { onBug } = this.#options;
    if (onBug === undefined) throw bug;
    onBug(bug);
  }

  /** After the process was stopped (SIGSTOP, a debugger, a machine without a processor for us) what waits may be old. */
  #beat(): void {
    const now = performance.now();
    if (now - this.#aliveAt > STALE_MS) this.#suspects = this.#slots;
    this.#aliveAt = now;
  }

  /**
   * Frames bear the time of a clock that somebody may set, so it is asked only about those that came while we stood still:
   * as long as they seem to be from another time than now, before or, if it was set back, after.
   */
  #isStale(slot: number): boolean {
    const { view } = this.memory;
    const seconds = view.getUint32(slot + at.seconds, true);
    const arrived = seconds * 1e3 + view.getUint32(slot + at.nanoseconds, true) / 1e6;
    if (Math.abs(Date.now() - arrived) <= STALE_MS) {
      // They lie in the order in which they came.
      this.#suspects = 0;
      return false;
    }
    this.#suspects--;
    this.#stale++;
    return true;
  }

  #place(slot: number): void {
    const frame = this.#frame;
    const { view } = this.memory;
    const captured = view.getUint32(slot + at.captured, true);
    frame.start = slot + view.getUint16(slot + at.frame, true);
    frame.end = frame.start + captured;
    frame.truncated = captured < view.getUint32(slot + at.length, true);
    if (frame.truncated) this.#truncated++;
    const sender = slot + at.linkAddress;
    frame.interfaceIndex = view.getInt32(sender + linkAddress.interfaceIndex, true);
    frame.packetType = view.getUint8(sender + linkAddress.packetType);
    readOffload(view, frame.start - VIRTIO_NET_HEADER_LENGTH, frame.offload);
  }
}

/**
 * Gives a slot back to the kernel, after all that was read from it and written to it. x86 keeps such an order by itself
 * (Intel SDM 3A, 9.2.2), and V8 calls a function of its own for each Atomics.store().
 */
const giveBack: (words: Int32Array, at: number) => void =
  process.arch === "x64"
    ? (words, at) => {
        words[at] = STATUS_KERNEL;
      }
    : (words, at) => {
        Atomics.store(words, at, STATUS_KERNEL);
      };
