import { type Candidate, isEligible, type Scheduler } from "./scheduler.ts";

/**
 * Weighted failover: always the heaviest eligible destination, the first of a tie. Health checks that set weights
 * make it move on.
 *
 * net/netfilter/ipvs/ip_vs_fo.c.
 */
export function fo<Kind extends Candidate>(): Scheduler<Kind> {
  return {
    pick(_request, candidates) {
      let heaviest: Kind | undefined;
      for (const candidate of candidates) {
        if (!isEligible(candidate)) continue;
        if (heaviest === undefined || candidate.weight > heaviest.weight) heaviest = candidate;
      }
      return heaviest;
    },
  };
}
