/** How late probes began: counts by a logarithmic scale, so that any number of them costs the same. */
const BUCKETS = 128;
/** Eight to each doubling, from a tenth of a millisecond on: within a tenth of the truth. */
const PER_DOUBLING = 8;
const LEAST_MS = 0.1;

export class LagTally {
  readonly #counts = new Uint32Array(BUCKETS);
  #total = 0;
  #maxMs = 0;

  add(milliseconds: number): void {
    const doublings = Math.log2(Math.max(LEAST_MS, milliseconds) / LEAST_MS);
    this.#counts[Math.min(BUCKETS - 1, Math.ceil(doublings * PER_DOUBLING))]!++;
    this.#total++;
    this.#maxMs = Math.max(this.#maxMs, milliseconds);
  }

  /** What was added since it was last taken. */
  take(): { probes: number; p50Ms: number; p99Ms: number; maxMs: number } {
    const taken = {
      probes: this.#total,
      p50Ms: this.#quantile(0.5),
      p99Ms: this.#quantile(0.99),
      maxMs: this.#maxMs,
    };
    this.#counts.fill(0);
    this.#total = 0;
    this.#maxMs = 0;
    return taken;
  }

  #quantile(part: number): number {
    let rest = Math.ceil(this.#total * part);
    for (const [bucket, count] of this.#counts.entries()) {
      rest -= count;
      if (rest <= 0) return Math.min(this.#maxMs, LEAST_MS * 2 ** (bucket / PER_DOUBLING));
    }
    return this.#maxMs;
  }
}
