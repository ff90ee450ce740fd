import { RateEstimator } from "./rate-estimator.ts";

/** Traffic of a destination, a service, or everything. Bytes are of IP packets before encapsulation. */
export interface Counters {
  readonly connections: number;
  readonly inPackets: number;
  readonly outPackets: number;
  readonly inBytes: number;
  readonly outBytes: number;
}

/** Per second, as the kernel's estimator smooths them; bytes, not bits. */
export interface Rates {
  readonly connectionsPerSecond: number;
  readonly inPacketsPerSecond: number;
  readonly outPacketsPerSecond: number;
  readonly inBytesPerSecond: number;
  readonly outBytesPerSecond: number;
}

/**
 * What went through a destination, a service, or everything, and what of it is shown. The kernel's struct
 * ip_vs_stats.
 *
 * The counters run at every packet and never restart. `counters` and `rates` are what listings show: they change
 * only in `estimate`, to be called every ESTIMATION_INTERVAL_MS, and so lag by up to that. While nobody calls it
 * (sysctl run_estimation is 0) they stand still. Exact up to 2^53, which at 100 Gbit/s takes a week for bytes; a
 * byte counter above that is right to a few bytes.
 */
export class Traffic {
  connections = 0;
  inPackets = 0;
  outPackets = 0;
  inBytes = 0;
  outBytes = 0;
  /** Undefined as long as there was nothing to show: of many servers most are idle, and five of these are large. */
  #shown: Estimators | undefined;

  /** A connection was scheduled, or made after a persistence template. Templates themselves do not count. */
  countConnection(): void {
    this.connections++;
  }

  /** A packet from a client; `bytes` as its IP header says. */
  countIn(bytes: number): void {
    this.inPackets++;
    this.inBytes += bytes;
  }

  /** A packet to a client. */
  countOut(bytes: number): void {
    this.outPackets++;
    this.outBytes += bytes;
  }

  /** What went by without being counted one by one. */
  add({ connections, inPackets, inBytes, outPackets, outBytes }: Counters): void {
    this.connections += connections;
    this.inPackets += inPackets;
    this.inBytes += inBytes;
    this.outPackets += outPackets;
    this.outBytes += outBytes;
  }

  /** Takes the counters over into what is shown, and smooths the rates. */
  estimate(): void {
    if (this.#shown === undefined) {
      if (this.connections + this.inPackets + this.outPackets === 0) return;
      this.#shown = new Estimators();
    }
    this.#shown.update(this);
  }

  /**
   * Shows 0 from here on (ipvsadm -Z): ip_vs_zero_stats(). What went through since the last estimation was not shown
   * yet and is counted by the next one.
   */
  zero(): void {
    this.#shown?.zero();
  }

  /** As of the last estimation, since the last `zero`. */
  get counters(): Counters {
    return this.#shown?.counters ?? NO_COUNTERS;
  }

  get rates(): Rates {
    return this.#shown?.rates ?? NO_RATES;
  }
}

export const NO_COUNTERS: Counters = {
  connections: 0,
  inPackets: 0,
  outPackets: 0,
  inBytes: 0,
  outBytes: 0,
};

export const NO_RATES: Rates = {
  connectionsPerSecond: 0,
  inPacketsPerSecond: 0,
  outPacketsPerSecond: 0,
  inBytesPerSecond: 0,
  outBytesPerSecond: 0,
};

/** What is shown of it. */
class Estimators {
  readonly #connections = new RateEstimator(RateEstimator.EVENTS);
  readonly #inPackets = new RateEstimator(RateEstimator.EVENTS);
  readonly #outPackets = new RateEstimator(RateEstimator.EVENTS);
  readonly #inBytes = new RateEstimator(RateEstimator.BYTES);
  readonly #outBytes = new RateEstimator(RateEstimator.BYTES);

  update(counters: Counters): void {
    this.#connections.update(counters.connections);
    this.#inPackets.update(counters.inPackets);
    this.#outPackets.update(counters.outPackets);
    this.#inBytes.update(counters.inBytes);
    this.#outBytes.update(counters.outBytes);
  }

  zero(): void {
    this.#connections.zero();
    this.#inPackets.zero();
    this.#outPackets.zero();
    this.#inBytes.zero();
    this.#outBytes.zero();
  }

  get counters(): Counters {
    return {
      connections: this.#connections.count,
      inPackets: this.#inPackets.count,
      outPackets: this.#outPackets.count,
      inBytes: this.#inBytes.count,
      outBytes: this.#outBytes.count,
    };
  }

  get rates(): Rates {
    return {
      connectionsPerSecond: this.#connections.perSecond,
      inPacketsPerSecond: this.#inPackets.perSecond,
      outPacketsPerSecond: this.#outPackets.perSecond,
      inBytesPerSecond: this.#inBytes.perSecond,
      outBytesPerSecond: this.#outBytes.perSecond,
    };
  }
}
