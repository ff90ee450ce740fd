/** How often estimators are to be updated, in milliseconds: their arithmetic counts on it. */
export const ESTIMATION_INTERVAL_MS = 2_000;

/**
 * A counter's rate, smoothed: each update moves the average a quarter of the way to the rate of the last 2 s.
 *
 * net/netfilter/ipvs/ip_vs_est.c, in its fixed-point arithmetic to the bit. Doubles hold its 64-bit integers exactly
 * as long as less than 2^43 events or 2^49 bytes come in 2 s.
 */
export class RateEstimator {
  /** What one per second is in the average. Events: 2^10. Bytes, of which there are more: 2^5. */
  static readonly EVENTS = 1 << 10;
  static readonly BYTES = 1 << 5;

  readonly #scale: number;
  #average = 0;
  #last = 0;
  #base = 0;

  constructor(scale: number) {
    this.#scale = scale;
  }

  /** Takes the counter's present value. */
  update(value: number): void {
    // Over 2 s, so that half of the difference is the rate: the kernel shifts by one bit less than the scale has.
    const rate = (value - this.#last) * (this.#scale / 2);
    this.#last = value;
    // An arithmetic shift by 2 rounds down, also below 0.
    this.#average += Math.floor((rate - this.#average) / 4);
  }

  /** Makes the value of the last update the new zero, and the average 0. */
  zero(): void {
    this.#base = this.#last;
    this.#average = 0;
  }

  /** The value of the last update, since the last `zero`. */
  get count(): number {
    return this.#last - this.#base;
  }

  /** ip_vs_read_estimator(): rounds, a half down. */
  get perSecond(): number {
    return Math.floor((this.#average + this.#scale / 2 - 1) / this.#scale);
  }
}
