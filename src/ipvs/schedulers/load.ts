/** How loaded a destination is, and comparing loads for their weights. */
import { type Candidate, isEligible } from "./scheduler.ts";

/** Up to here every product of integers is exact in a double. */
const EXACT_MAX = Number.MAX_SAFE_INTEGER;

/**
 * An active connection costs 256 more than an inactive one: ip_vs_dest_conn_overhead(), which since 6.12.117 adds
 * all connections where it added the inactive ones.
 */
export function overhead({ activeConnections, inactiveConnections }: Candidate): number {
  return activeConnections * 256 + activeConnections + inactiveConnections;
}

/** Shortest expected delay: the active connections with the new one among them. ip_vs_sed_dest_overhead(). */
export function expectedDelay({ activeConnections }: Candidate): number {
  return activeConnections + 1;
}

/**
 * Whether `load` / `weight` is less than `otherLoad` / `otherWeight`, by multiplying across as the kernel does in
 * 64-bit integers: exact for all of them.
 */
export function isLess(
  load: number,
  weight: number,
  otherLoad: number,
  otherWeight: number,
): boolean {
  const left = load * otherWeight;
  const right = otherLoad * weight;
  // Rounding may make different products equal but never turns their order round: only a tie of large products
  // leaves a doubt.
  if (left !== right || left <= EXACT_MAX) return left < right;
  return BigInt(load) * BigInt(otherWeight) < BigInt(otherLoad) * BigInt(weight);
}

/** The eligible candidate with the least `loadOf` for its weight, the first of a tie. */
export function leastLoaded<Kind extends Candidate>(
  candidates: readonly Kind[],
  loadOf: (candidate: Candidate) => number,
): Kind | undefined {
  let least: Kind | undefined;
  let leastLoad = 0;
  for (const candidate of candidates) {
    if (!isEligible(candidate)) continue;
    const load = loadOf(candidate);
    if (least === undefined || isLess(load, candidate.weight, leastLoad, least.weight)) {
      least = candidate;
      leastLoad = load;
    }
  }
  return least;
}
