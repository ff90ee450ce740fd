/** One who watches packets: a queue that has an end, and a limit for each second, so that a flood is the flood's trouble. */
import type { Clock } from "../../../base/clock.ts";
import type { Packet } from "../../../ipvs/packets/packet.ts";
import type { Decided } from "../../../ipvs/trace/packet-tracer.ts";
import { isWanted, mayBeWanted } from "../../../ipvs/trace/trace-filter.ts";
import type { TracedPacket } from "../../../ipvs/trace/traced-packet.ts";
import type { PacketWatch, TraceNews, TraceOptions } from "../../trace.ts";

const QUEUE_MAX = 1_000;
/** Of those that are told so many are looked at to find them, at most. */
const LOOKED_AT_PER_TOLD = 20;
const SECOND_MS = 1_000;

export class Watch implements PacketWatch {
  readonly options: TraceOptions;
  readonly #clock: Clock;
  readonly #onEnd: () => void;
  #queue: TracedPacket[] = [];
  #untold = 0;
  #second = 0;
  #lookedAt = 0;
  #told = 0;
  #wake: (() => void) | undefined;
  #isOver = false;

  constructor(options: TraceOptions, clock: Clock, onEnd: () => void) {
    this.options = options;
    this.#clock = clock;
    this.#onEnd = onEnd;
  }

  /** Whether it is worth looking at what becomes of a packet that came. */
  mayWant(packet: Packet): boolean {
    return mayBeWanted(this.options.filter, packet) && this.mayLook();
  }

  /** Whether it may look at one more within this second; one that it may not is told as missing. */
  mayLook(): boolean {
    const second = Math.floor(this.#clock.now() / SECOND_MS);
    if (second !== this.#second) {
      this.#second = second;
      this.#lookedAt = this.#told = 0;
    }
    const { perSecond } = this.options;
    if (this.#told < perSecond && this.#lookedAt < perSecond * LOOKED_AT_PER_TOLD) {
      this.#lookedAt++;
      return true;
    }
    this.miss(1);
    return false;
  }

  tell(decided: Decided, at: number): void {
    const { filter, hasHeaders } = this.options;
    if (!isWanted(filter, decided)) return;
    if (this.#queue.length >= QUEUE_MAX) {
      this.miss(1);
      return;
    }
    this.#told++;
    this.#queue.push(decided.told(at, hasHeaders));
    this.#wake?.();
  }

  miss(count: number): void {
    this.#untold += count;
  }

  async next(waitMs: number): Promise<TraceNews | undefined> {
    if (this.#queue.length === 0 && !this.#isOver) await this.#wakened(waitMs);
    if (this.#isOver) return undefined;
    const news = { packets: this.#queue, untold: this.#untold };
    this.#queue = [];
    this.#untold = 0;
    return news;
  }

  /** The engine ends. */
  end(): void {
    this.#isOver = true;
    this.#wake?.();
  }

  [Symbol.dispose](): void {
    if (this.#isOver) return;
    this.end();
    this.#onEnd();
  }

  #wakened(waitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, waitMs);
      timer.unref();
      this.#wake = () => {
        clearTimeout(timer);
        this.#wake = undefined;
        resolve();
      };
    });
  }
}
