import type { Candidate } from "./scheduler.ts";

/**
 * Whether a cached destination has more active connections than its weight while another has fewer than half of its
 * own: then locality gives way to balance. is_overloaded() of ip_vs_lblc.c and ip_vs_lblcr.c, not the threshold flag.
 */
export function isSaturated(cached: Candidate, candidates: readonly Candidate[]): boolean {
  return cached.activeConnections > cached.weight && candidates.some(isUnderused);
}

function isUnderused({ activeConnections, weight }: Candidate): boolean {
  return activeConnections * 2 < weight;
}
