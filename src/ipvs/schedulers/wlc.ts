import { leastLoaded, overhead } from "./load.ts";
import type { Candidate, Scheduler } from "./scheduler.ts";

/**
 * Weighted least-connection, ipvsadm's default: the least overhead for its weight, the first of a tie.
 *
 * net/netfilter/ipvs/ip_vs_wlc.c.
 */
export function wlc<Kind extends Candidate>(): Scheduler<Kind> {
  return { pick: (_request, candidates) => leastLoaded(candidates, overhead) };
}
