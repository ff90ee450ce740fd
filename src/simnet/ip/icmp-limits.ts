/** How many ICMP errors one peer is told: a second each, six at once (inet_peer_xrlim_allow()). */
import type { Clock } from "../../base/clock.ts";

const INTERVAL_MS = 1_000;
const BURST = 6;

export class IcmpLimits {
  readonly #clock: Clock;
  readonly #tokens = new Map<string, { tokensMs: number; atMs: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  allows(peer: string): boolean {
    const now = this.#clock.now();
    const known = this.#tokens.get(peer) ?? { tokensMs: BURST * INTERVAL_MS, atMs: now };
    this.#tokens.set(peer, known);
    known.tokensMs = Math.min(BURST * INTERVAL_MS, known.tokensMs + now - known.atMs);
    known.atMs = now;
    if (known.tokensMs < INTERVAL_MS) return false;
    known.tokensMs -= INTERVAL_MS;
    return true;
  }
}
