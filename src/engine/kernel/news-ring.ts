/**
 * The ring in which the programs tell what they did (BPF_MAP_TYPE_RINGBUF): a page with how far we have read, a page with how
 * far is written, then the data, twice in a row, so that no record is cut.
 */
import { Memory } from "../host/system/libc.ts";

const PAGE = 4096;
const HEADER = 8;
const BUSY = 1 << 31;
const DISCARDED = 1 << 30;
const ATTEMPT = "map the ring of the kernel's news";

export class NewsRing implements Disposable {
  readonly #consumer: Memory;
  readonly #written: Memory;
  readonly #consumed: BigUint64Array;
  /** The position's lower half is enough to see whether there is more. */
  readonly #position: Int32Array;
  readonly #headers: Int32Array;
  readonly #mask: number;
  #read = 0;

  /** `size`: of its data, a power of two. Throws a SystemCallError. */
  constructor(map: number, size: number) {
    using stack = new DisposableStack();
    this.#consumer = stack.use(Memory.shared(map, PAGE, ATTEMPT));
    this.#written = stack.use(Memory.sharedToRead(map, PAGE + 2 * size, ATTEMPT, PAGE));
    this.#consumed = new BigUint64Array(this.#consumer.bytes.buffer, 0, 1);
    this.#position = new Int32Array(this.#written.bytes.buffer, 0, 1);
    this.#headers = new Int32Array(this.#written.bytes.buffer, PAGE);
    this.#mask = size - 1;
    this.#read = Number(this.#consumed[0]);
    stack.move();
  }

  get isEmpty(): boolean {
    return Atomics.load(this.#position, 0) === (this.#read | 0);
  }

  /** Goes past all that is there. */
  discard(): void {
    this.drain(() => {});
  }

  /**
   * Hands what is there over, one after the other; where it lies is good for as long as the call takes. Whether that was all: one that
   * is being written has others wait.
   */
  drain(each: (view: DataView, at: number) => void): boolean {
    if (this.isEmpty) return true;
    const { view } = this.#written;
    try {
      while (!this.isEmpty) {
        const at = this.#read % (this.#mask + 1);
        const header = Atomics.load(this.#headers, at >>> 2);
        // Whoever writes it is not done.
        if ((header & BUSY) !== 0) return false;
        const length = header & ~DISCARDED;
        // First: what `each` cannot deal with does not come again.
        this.#read += HEADER + ((length + 7) & ~7);
        if ((header & DISCARDED) === 0) each(view, PAGE + at + HEADER);
      }
      return true;
    } finally {
      Atomics.store(this.#consumed, 0, BigInt(this.#read));
    }
  }

  [Symbol.dispose](): void {
    this.#consumer[Symbol.dispose]();
    this.#written[Symbol.dispose]();
  }
}
