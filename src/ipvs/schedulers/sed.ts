import { expectedDelay, leastLoaded } from "./load.ts";
import type { Candidate, Scheduler } from "./scheduler.ts";

/**
 * Shortest expected delay: the least (active connections + 1) for its weight, the first of a tie. Inactive
 * connections do not count, so UDP, which is never active, always goes to the heaviest.
 *
 * net/netfilter/ipvs/ip_vs_sed.c.
 */
export function sed<Kind extends Candidate>(): Scheduler<Kind> {
  return { pick: (_request, candidates) => leastLoaded(candidates, expectedDelay) };
}
