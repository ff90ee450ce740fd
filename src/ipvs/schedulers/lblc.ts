import { AddressCache, type AddressCacheEntry } from "./address-cache.ts";
import { leastLoaded, overhead } from "./load.ts";
import { isSaturated } from "./saturation.ts";
import type { Candidate, Scheduler, SchedulerOptions } from "./scheduler.ts";

/**
 * Locality-based least connection: packets to one address go to one server, as caches behind firewall marks want it,
 * until that server is saturated, drained or gone; then as wlc.
 *
 * net/netfilter/ipvs/ip_vs_lblc.c. A cached server is used even when its upper threshold is reached.
 */
export function lblc<Kind extends Candidate>({ sysctls }: SchedulerOptions): Scheduler<Kind> {
  return remembering<Kind>(new AddressCache(() => sysctls().lblc_expiration));
}

function remembering<Kind extends Candidate>(cache: AddressCache<Entry<Kind>>): Scheduler<Kind> {
  return {
    pick({ destinationText, now }, candidates) {
      const cached = cache.use(destinationText, now)?.destination;
      if (cached !== undefined && isUsable(cached, candidates)) return cached;

      const destination = leastLoaded(candidates, overhead);
      if (destination !== undefined) cache.add(destinationText, { destination, lastUse: now });
      return destination;
    },

    tick: (now) => cache.tick(now),

    copy: (counterpart) =>
      remembering(
        cache.copy(({ destination, lastUse }) => ({
          destination: counterpart(destination),
          lastUse,
        })),
      ),

    get uncached() {
      return cache.uncached;
    },
  };
}

interface Entry<Kind> extends AddressCacheEntry {
  readonly destination: Kind;
}

function isUsable(cached: Candidate, candidates: readonly Candidate[]): boolean {
  return cached.isAvailable && cached.weight > 0 && !isSaturated(cached, candidates);
}
