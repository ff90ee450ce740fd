/** Listens in on one interface: every frame that it receives or sends, copied, for captures (packet(7)). */
import {
  bind,
  close,
  errno,
  getOption,
  ReadableWatch,
  receive,
  setOption,
  socket,
} from "../../host/system/libc.ts";
import { bindAddress, SOL_PACKET } from "./packet-socket.ts";

const AF_PACKET = 17;
const SOCK_RAW = 3;
const ETH_P_ALL = 3;
const SOL_SOCKET = 1;
const SO_RCVBUF = 8;
const PACKET_STATISTICS = 6;

/** A segment that was not cut up yet (GSO), with its headers. */
const FRAME_LENGTH_MAX = 66_000;

/** What may wait, in bytes; the kernel grants as much of it as net.core.rmem_max says. */
const WAITING_LENGTH = 4 << 20;

/** Frames that are handled before timers and other descriptors get a turn. */
const TURN_FRAMES = 256;

export class FrameTap implements Disposable {
  readonly #fd: number;
  readonly #buffer = new Uint8Array(FRAME_LENGTH_MAX);
  readonly #onFrame: (frame: Uint8Array) => void;
  readonly #watch: ReadableWatch;
  #dropped = 0;

  /** `onFrame` gets bytes that it may keep. Throws a SystemCallError when the kernel refuses. */
  constructor(interfaceIndex: number, onFrame: (frame: Uint8Array) => void) {
    this.#onFrame = onFrame;
    this.#fd = socket(AF_PACKET, SOCK_RAW, 0, "listen in on an interface (it needs CAP_NET_RAW)");
    try {
      setOption(this.#fd, SOL_SOCKET, SO_RCVBUF, WAITING_LENGTH, "size a tap's buffer");
      bind(
        this.#fd,
        bindAddress(ETH_P_ALL, interfaceIndex),
        `listen in on interface ${interfaceIndex}`,
      );
      this.#watch = new ReadableWatch(this.#fd, () => this.drain());
    } catch (error) {
      close(this.#fd);
      throw error;
    }
  }

  /** Hands over what waits now. */
  drain(): void {
    for (let turn = 0; turn < TURN_FRAMES; turn++) {
      const length = receive(this.#fd, this.#buffer);
      if (length === -errno.EINTR) continue;
      // EAGAIN: nothing waits. ENETDOWN: the interface went down, and may come up again.
      if (length < 0) return;
      this.#onFrame(this.#buffer.slice(0, length));
    }
  }

  /** Frames that were lost for want of room. */
  dropped(): number {
    const counts = new Uint32Array(2);
    const bytes = new Uint8Array(counts.buffer);
    getOption(this.#fd, SOL_PACKET, PACKET_STATISTICS, bytes, "read a tap's statistics");
    // Reading sets it to 0.
    this.#dropped += counts[1]!;
    return this.#dropped;
  }

  [Symbol.dispose](): void {
    this.#watch[Symbol.dispose]();
    close(this.#fd);
  }
}
