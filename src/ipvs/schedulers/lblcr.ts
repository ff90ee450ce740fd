import { AddressCache, type AddressCacheEntry } from "./address-cache.ts";
import { isLess, leastLoaded, overhead } from "./load.ts";
import { isSaturated } from "./saturation.ts";
import type { Candidate, Scheduler, SchedulerOptions } from "./scheduler.ts";

const EXPIRATION_SECONDS = 24 * 60 * 60;

/**
 * Locality-based least connection with replication: packets to one address go to the least loaded of a set of
 * servers. The set grows when that one is saturated, and gives its most loaded member up when it did not change for a
 * day.
 *
 * net/netfilter/ipvs/ip_vs_lblcr.c.
 */
export function lblcr<Kind extends Candidate>({
  cacheExpirationSeconds = EXPIRATION_SECONDS,
}: SchedulerOptions): Scheduler<Kind> {
  const cache = new AddressCache<Entry<Kind>>(cacheExpirationSeconds);

  return {
    pick({ destinationText, now }, candidates) {
      const entry = cache.use(destinationText, now);
      if (entry !== undefined) {
        const least = leastLoaded(entry.members, overhead);
        if (entry.members.length > 1 && now - entry.lastChange > cacheExpirationSeconds * 1000) {
          removeMostLoaded(entry, now);
        }
        if (least !== undefined && !isSaturated(least, candidates)) return least;
      }

      const destination = leastLoaded(candidates, overhead);
      if (destination === undefined) return undefined;
      if (entry !== undefined) addMember(entry, destination, candidates, now);
      else cache.add(destinationText, { members: [destination], lastChange: now, lastUse: now });
      return destination;
    },

    tick: (now) => cache.tick(now),

    get uncached() {
      return cache.uncached;
    },
  };
}

interface Entry<Kind> extends AddressCacheEntry {
  /** The newest first. */
  members: Kind[];
  /** Milliseconds. */
  lastChange: number;
}

function addMember<Kind extends Candidate>(
  entry: Entry<Kind>,
  destination: Kind,
  candidates: readonly Kind[],
  now: number,
): void {
  if (entry.members.includes(destination)) return;
  // The kernel waits for a day without change; servers that come and go would make the set grow for ever.
  if (entry.members.length >= candidates.length) {
    entry.members = entry.members.filter(({ isAvailable }) => isAvailable);
  }
  entry.members.unshift(destination);
  entry.lastChange = now;
}

/** ip_vs_dest_set_max(): whoever is drained is not loaded; whoever is gone may well be. */
function removeMostLoaded<Kind extends Candidate>(entry: Entry<Kind>, now: number): void {
  let most: Kind | undefined;
  for (const member of entry.members) {
    if (member.weight === 0) continue;
    if (
      most === undefined ||
      isLess(overhead(most), most.weight, overhead(member), member.weight)
    ) {
      most = member;
    }
  }
  if (most === undefined) return;
  entry.members.splice(entry.members.indexOf(most), 1);
  entry.lastChange = now;
}
