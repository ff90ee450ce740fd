/** The socket of a packet ring, and the memory that the kernel fills: packet(7). */
import { close, SystemCallError, setOption, setOptionAside } from "../../host/system/libc.ts";
import { openPacketSocket, SOL_PACKET } from "./packet-socket.ts";
import { BLOCK_LENGTH, FRAMES_PER_BLOCK, HEADROOM, SLOT_LENGTH } from "./ring-layout.ts";

const PACKET_RX_RING = 5;
const PACKET_VERSION = 10;
const PACKET_RESERVE = 12;
const PACKET_IGNORE_OUTGOING = 23;
const TPACKET_V2 = 1;

export const BLOCKS_DEFAULT = 142;

export class RingSocket implements Disposable {
  readonly fd: number;
  #blocks: number | undefined;
  #isOpen = true;

  /** In the current network namespace; it hears nothing yet. Throws a SystemCallError when the kernel refuses. */
  constructor() {
    this.fd = openPacketSocket("receive frames");
    try {
      setOption(this.fd, SOL_PACKET, PACKET_VERSION, TPACKET_V2, "use TPACKET_V2");
      setOption(this.fd, SOL_PACKET, PACKET_RESERVE, HEADROOM, "reserve headroom");
      setOption(this.fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, 1, "leave out own frames");
    } catch (error) {
      close(this.fd);
      throw error;
    }
  }

  /**
   * Has the kernel clear the memory on another thread, which for 70 MiB takes as long as all else at a start. Not to be
   * called in a network namespace that this thread only visits: the thread may be a new one, and would stay there. Never
   * rejects: what is refused is asked for again by take(), which tells.
   */
  async prepare(blocks = BLOCKS_DEFAULT): Promise<void> {
    const isDone = await setOptionAside(this.fd, SOL_PACKET, PACKET_RX_RING, request(blocks));
    if (isDone) this.#blocks = blocks;
  }

  /** Of how many blocks the ring is: as many as asked for, or as there is memory for. After prepare() it waits for nothing. */
  take(blocks = BLOCKS_DEFAULT): number {
    this.#blocks ??= requestRing(this.fd, blocks);
    return this.#blocks;
  }

  [Symbol.dispose](): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    close(this.fd);
  }
}

/** Asks for a ring of `blocks`, halved as long as the kernel has not the memory: how many it became. */
function requestRing(fd: number, blocks: number): number {
  const attempt = `have a receive ring of ${blocks} blocks`;
  try {
    setOption(fd, SOL_PACKET, PACKET_RX_RING, request(blocks), attempt);
    return blocks;
  } catch (error) {
    const noMemory = error instanceof SystemCallError && error.code === "ENOMEM";
    if (!noMemory || blocks === 1) throw error;
    return requestRing(fd, blocks >> 1);
  }
}

/** A struct tpacket_req. */
function request(blocks: number): Uint8Array {
  const words = new Uint32Array([BLOCK_LENGTH, blocks, SLOT_LENGTH, blocks * FRAMES_PER_BLOCK]);
  return new Uint8Array(words.buffer);
}
