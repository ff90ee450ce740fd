import { type Candidate, isEligible, type Scheduler } from "./scheduler.ts";

/**
 * Round robin: the next eligible destination after the last one picked. Weights count only as 0 or not.
 *
 * net/netfilter/ipvs/ip_vs_rr.c.
 */
export function rr<Kind extends Candidate>(): Scheduler<Kind> {
  return rrAfter<Kind>(undefined, -1);
}

/** `position`: where `last` stands in the list; -1 stands for the list's head, before the first. */
export function rrAfter<Kind extends Candidate>(
  last: Kind | undefined,
  position: number,
): Scheduler<Kind> {
  return {
    pick(_request, candidates) {
      const count = candidates.length;
      for (let step = 1; step <= count; step++) {
        const index = (position + step) % count;
        const candidate = candidates[index]!;
        if (!isEligible(candidate)) continue;
        position = index;
        last = candidate;
        return candidate;
      }
      return undefined;
    },

    changed(event, candidates, which) {
      if (event === "removed" && which !== undefined && which === last) {
        // The one before it takes its place, so that the one after it is next: ip_vs_rr_del_dest().
        position--;
        last = candidates[position];
        return;
      }
      position = last === undefined ? -1 : candidates.indexOf(last);
    },

    get turn() {
      return { position, level: 0 };
    },

    resume(turn, candidates) {
      position = turn.position;
      last = candidates[position];
    },

    copy: (counterpart) => rrAfter(last === undefined ? undefined : counterpart(last), position),
  };
}
