import type { Prng } from "../../base/prng.ts";
import { isLess, overhead } from "./load.ts";
import { type Candidate, isEligible, type Scheduler, type SchedulerOptions } from "./scheduler.ts";

/**
 * Power of two choices: of two destinations drawn at random by weight, the less loaded one for its weight; the first
 * drawn of a tie.
 *
 * net/netfilter/ipvs/ip_vs_twos.c.
 */
export function twos<Kind extends Candidate>({ prng }: SchedulerOptions): Scheduler<Kind> {
  return twosBy(prng);
}

export function twosBy<Kind extends Candidate>(prng: Prng): Scheduler<Kind> {
  return {
    pick(_request, candidates) {
      let total = 0;
      for (const candidate of candidates) if (isEligible(candidate)) total += candidate.weight;
      if (total === 0) return undefined;

      // From 0 to the total, both included: the first in the list wins 0 too.
      const first = weighted(candidates, drawBelow(prng, total + 1));
      const second = weighted(candidates, drawBelow(prng, total + 1));
      if (first === undefined || second === undefined) return first;
      const isBetter = isLess(overhead(second), second.weight, overhead(first), first.weight);
      return isBetter ? second : first;
    },

    get turn() {
      return { position: -1, level: prng.state };
    },

    resume({ level }) {
      prng.state = level;
    },

    copy: () => twosBy(prng.copy()),
  };
}

/** The eligible candidate at which the weights, summed up, reach `mark`. */
function weighted<Kind extends Candidate>(
  candidates: readonly Kind[],
  mark: number,
): Kind | undefined {
  for (const candidate of candidates) {
    if (!isEligible(candidate)) continue;
    mark -= candidate.weight;
    if (mark <= 0) return candidate;
  }
  return undefined;
}

/** As `prng.below`, for the sums of weights above 2^32 too. */
function drawBelow(prng: Prng, bound: number): number {
  if (bound <= 2 ** 32) return prng.below(bound);
  const fraction = (prng.next() * 2 ** 16 + prng.below(2 ** 16)) / 2 ** 48;
  return Math.floor(fraction * bound);
}
