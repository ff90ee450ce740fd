import { greatestCommonDivisor } from "./greatest-common-divisor.ts";
import { type Candidate, isEligible, type Scheduler, type SchedulerOptions } from "./scheduler.ts";
import { type SipKey, siphash } from "./siphash.ts";

/** A prime, so that every skip visits every slot: CONFIG_IP_VS_MH_TAB_INDEX 12, the kernel's default. */
export const MH_SLOTS = 4093;

/** The most turns that a destination takes in a row have so many bits: IP_VS_MH_SHIFT_BITS. */
const TURN_BITS = 6;

/** Keys of the first hash, which says where a destination begins and where a client falls, and of the second. */
const FIRST_KEY: SipKey = [2654435761, 2654435761];
const SECOND_KEY: SipKey = [2654446892, 2654446892];

/**
 * Maglev hashing: as sh, but a change of destinations moves few clients of the others.
 *
 * net/netfilter/ipvs/ip_vs_mh.c; Eisenbud et al., "Maglev: A Fast and Reliable Software Network Load Balancer",
 * section 3.4. Shares follow the last weights that were not 0, so draining moves nobody: a drained one's clients are
 * refused, or with `fallback` hashed again.
 */
export function mh<Kind extends Candidate>({ fallback, port }: SchedulerOptions): Scheduler<Kind> {
  /** Undefined after a change: filled at the next pick, once for many changes, because it takes a while. */
  let slots: readonly Kind[] | undefined;

  return {
    pick({ clientFold, clientPort }, candidates) {
      slots ??= mhSlots(candidates);
      const client = (port ? clientPort : 0) + clientFold;
      const slot = siphash(client, FIRST_KEY) % MH_SLOTS;
      const chosen = slots[slot];
      if (chosen === undefined || isEligible(chosen)) return chosen;
      if (!fallback || !candidates.some(isEligible)) return undefined;
      for (let count = 0; count < MH_SLOTS; count++) {
        const offset = (slot + count) % MH_SLOTS;
        const other = slots[siphash(offset + client, FIRST_KEY) % MH_SLOTS]!;
        if (isEligible(other)) return other;
      }
      return undefined;
    },

    changed() {
      slots = undefined;
    },
  };
}

/** A destination's own order of all slots: from `slot` on, `skip` further each time. */
interface Preference<Kind> {
  readonly candidate: Kind;
  readonly skip: number;
  readonly turns: number;
  slot: number;
}

/** Each in turn takes the first slots of its order that are free, until none is: ip_vs_mh_populate(). */
export function mhSlots<Kind extends Candidate>(candidates: readonly Kind[]): readonly Kind[] {
  const slots = Array.from<Kind | undefined>({ length: MH_SLOTS });
  const preferences = preferencesOf(candidates);
  if (preferences.length === 0) return [];
  let free = MH_SLOTS;
  while (free > 0) {
    for (const preference of preferences) {
      for (let turn = 0; turn < preference.turns && free > 0; turn++, free--) {
        while (slots[preference.slot] !== undefined) {
          preference.slot = (preference.slot + preference.skip) % MH_SLOTS;
        }
        slots[preference.slot] = preference.candidate;
      }
    }
  }
  return slots as Kind[];
}

/** ip_vs_mh_permutate(). Who never had a weight takes no part. */
function preferencesOf<Kind extends Candidate>(candidates: readonly Kind[]): Preference<Kind>[] {
  const weighted = candidates.filter(({ lastWeight }) => lastWeight > 0);
  const divisor = greatestCommonDivisor(weighted.map(({ lastWeight }) => lastWeight));
  const most = weighted.reduce((max, { lastWeight }) => Math.max(max, lastWeight), 0) / divisor;
  const shift = Math.max(0, bitLength(most) - TURN_BITS);
  return weighted.map((candidate) => {
    const server = candidate.address.fold + candidate.port;
    return {
      candidate,
      slot: siphash(server, FIRST_KEY) % MH_SLOTS,
      skip: (siphash(server, SECOND_KEY) % (MH_SLOTS - 1)) + 1,
      turns: Math.max(1, (candidate.lastWeight / divisor) >> shift),
    };
  });
}

function bitLength(value: number): number {
  return 32 - Math.clz32(value);
}
