/** What ICMP told of how much fits on the way to others: RFC 1191, RFC 8201. Kept for ten minutes (ip_rt_mtu_expires). */
import type { Clock } from "../../base/clock.ts";
import type { Address } from "../../net/address.ts";

const KEPT_MS = 600_000;

export interface PathMtu {
  readonly mtu: number;
  readonly untilMs: number;
}

export class PathMtus {
  readonly #clock: Clock;
  readonly #known = new Map<string, PathMtu>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  learn(destination: Address, mtu: number): undefined {
    this.#known.set(`${destination}`, { mtu, untilMs: this.#clock.now() + KEPT_MS });
  }

  find(destination: Address): PathMtu | undefined {
    const known = this.#known.get(`${destination}`);
    return known !== undefined && known.untilMs > this.#clock.now() ? known : undefined;
  }

  of(destination: Address): number | undefined {
    return this.find(destination)?.mtu;
  }

  forget(): undefined {
    this.#known.clear();
  }
}
