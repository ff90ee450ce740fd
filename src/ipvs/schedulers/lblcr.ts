import { AddressCache, type AddressCacheEntry } from "./address-cache.ts";
import { leastLoaded, overhead } from "./load.ts";
import { isSaturated } from "./saturation.ts";
import type { Candidate, Scheduler, SchedulerOptions } from "./scheduler.ts";
import { ServerSet } from "./server-set.ts";

/**
 * Locality-based least connection with replication: packets to one address go to the least loaded of a set of
 * servers. The set grows when that one is saturated, and gives its most loaded member up when it did not change for a
 * day.
 *
 * net/netfilter/ipvs/ip_vs_lblcr.c.
 */
export function lblcr<Kind extends Candidate>({ sysctls }: SchedulerOptions): Scheduler<Kind> {
  return remembering<Kind>(new AddressCache(() => sysctls().lblcr_expiration), sysctls);
}

function remembering<Kind extends Candidate>(
  cache: AddressCache<Entry<Kind>>,
  sysctls: SchedulerOptions["sysctls"],
): Scheduler<Kind> {
  return {
    pick({ destinationText, now }, candidates) {
      const entry = cache.use(destinationText, now);
      if (entry !== undefined) {
        const least = entry.servers.leastLoaded();
        if (now - entry.servers.lastChange > sysctls().lblcr_expiration * 1000) {
          entry.servers.giveUpMostLoaded(now);
        }
        if (least !== undefined && !isSaturated(least, candidates)) return least;
      }

      const destination = leastLoaded(candidates, overhead);
      if (destination === undefined) return undefined;
      if (entry !== undefined) entry.servers.add(destination, candidates.length, now);
      else cache.add(destinationText, { servers: new ServerSet(destination, now), lastUse: now });
      return destination;
    },

    tick: (now) => cache.tick(now),

    copy: (counterpart) => {
      const copied = cache.copy(({ servers, lastUse }) => ({
        servers: servers.copy(counterpart),
        lastUse,
      }));
      return remembering(copied, sysctls);
    },

    get uncached() {
      return cache.uncached;
    },
  };
}

interface Entry<Kind extends Candidate> extends AddressCacheEntry {
  readonly servers: ServerSet<Kind>;
}
