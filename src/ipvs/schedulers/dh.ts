import { hash32 } from "./hash.ts";
import { type Candidate, isEligible, type Scheduler } from "./scheduler.ts";

/** IP_VS_DH_TAB_BITS. */
const SLOT_BITS = 8;
export const DH_SLOTS = 1 << SLOT_BITS;

/**
 * Destination hashing: the packet's destination address alone decides. Of use where many addresses meet in one
 * service (firewall marks, transparent proxies); with one VIP it always picks the same.
 *
 * net/netfilter/ipvs/ip_vs_dh.c. Weights count only as 0 or not: nothing is picked where the chosen one may not take
 * the connection.
 */
export function dh<Kind extends Candidate>(): Scheduler<Kind> {
  let slots: readonly Kind[] = [];

  return {
    pick(request) {
      const chosen = slots[hash32(request.destinationFold, SLOT_BITS)];
      return chosen !== undefined && isEligible(chosen) ? chosen : undefined;
    },

    changed(event, candidates) {
      if (event !== "edited") slots = dhSlots(candidates);
    },
  };
}

/** Destination after destination, over and over: ip_vs_dh_reassign(). */
export function dhSlots<Kind>(candidates: readonly Kind[]): readonly Kind[] {
  if (candidates.length === 0) return [];
  return Array.from({ length: DH_SLOTS }, (_, slot) => candidates[slot % candidates.length]!);
}
