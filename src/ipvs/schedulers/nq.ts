import { expectedDelay, leastLoaded } from "./load.ts";
import { type Candidate, isEligible, type Scheduler } from "./scheduler.ts";

/**
 * Never queue: the first idle destination, whatever its weight; when none is idle the shortest expected delay.
 *
 * net/netfilter/ipvs/ip_vs_nq.c.
 */
export function nq<Kind extends Candidate>(): Scheduler<Kind> {
  return {
    pick(_request, candidates) {
      const idle = candidates.find(isIdle);
      return idle ?? leastLoaded(candidates, expectedDelay);
    },
  };
}

function isIdle(candidate: Candidate): boolean {
  return candidate.activeConnections === 0 && isEligible(candidate);
}
