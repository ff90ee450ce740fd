import { hash32 } from "./hash.ts";
import { type Candidate, isEligible, type Scheduler, type SchedulerOptions } from "./scheduler.ts";

/** IP_VS_SH_TAB_BITS. */
const SLOT_BITS = 8;
export const SH_SLOTS = 1 << SLOT_BITS;

/**
 * Source hashing: the client's address decides, with `port` its port too, so that a client stays on one server.
 *
 * net/netfilter/ipvs/ip_vs_sh.c. Where the chosen one may not take the connection nothing is picked, unless
 * `fallback` says to try other slots.
 */
export function sh<Kind extends Candidate>({ fallback, port }: SchedulerOptions): Scheduler<Kind> {
  let slots: readonly Kind[] = [];

  return {
    pick({ clientFold, clientPort }, candidates) {
      const hash = hash32((port ? clientPort : 0) + clientFold, SLOT_BITS);
      const chosen = slots[hash];
      if (chosen === undefined || isEligible(chosen)) return chosen;
      if (!fallback || !candidates.some(isEligible)) return undefined;
      // The kernel adds the first slot twice, as the offset's start and as the hash: ip_vs_sh_get_fallback().
      for (let offset = 0; offset < SH_SLOTS; offset++) {
        const other = slots[(hash + offset + hash) % SH_SLOTS]!;
        if (isEligible(other)) return other;
      }
      return undefined;
    },

    changed(_event, candidates) {
      slots = shSlots(candidates);
    },
  };
}

/** As many slots in a row as its weight for each, at least one, over and over: ip_vs_sh_reassign(). */
export function shSlots<Kind extends Candidate>(candidates: readonly Kind[]): readonly Kind[] {
  const slots: Kind[] = [];
  if (candidates.length === 0) return slots;
  for (let index = 0; slots.length < SH_SLOTS; index = (index + 1) % candidates.length) {
    const candidate = candidates[index]!;
    const share = Math.min(Math.max(candidate.weight, 1), SH_SLOTS - slots.length);
    for (let count = 0; count < share; count++) slots.push(candidate);
  }
  return slots;
}
