import { overhead } from "./load.ts";
import { type Candidate, isEligible, type Scheduler } from "./scheduler.ts";

/**
 * Least connection: the least overhead, the first of a tie. Weights count only as 0 or not.
 *
 * net/netfilter/ipvs/ip_vs_lc.c.
 */
export function lc<Kind extends Candidate>(): Scheduler<Kind> {
  return {
    pick(_request, candidates) {
      let least: Kind | undefined;
      for (const candidate of candidates) {
        if (!isEligible(candidate)) continue;
        if (least === undefined || overhead(candidate) < overhead(least)) least = candidate;
      }
      return least;
    },
  };
}
