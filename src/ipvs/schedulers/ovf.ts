import { type Candidate, isEligible, type Scheduler } from "./scheduler.ts";

/**
 * Weighted overflow: the heaviest destination, and when it has more active connections than its weight the next one;
 * none when all have. UDP, which is never active, never overflows.
 *
 * net/netfilter/ipvs/ip_vs_ovf.c. A destination of weight w so takes w + 1 active connections.
 */
export function ovf<Kind extends Candidate>(): Scheduler<Kind> {
  return {
    pick(_request, candidates) {
      let heaviest: Kind | undefined;
      for (const candidate of candidates) {
        if (!isEligible(candidate) || candidate.activeConnections > candidate.weight) continue;
        if (heaviest === undefined || candidate.weight > heaviest.weight) heaviest = candidate;
      }
      return heaviest;
    },
  };
}
