import { greatestCommonDivisor } from "./greatest-common-divisor.ts";
import { type Candidate, isEligible, type Scheduler } from "./scheduler.ts";

/**
 * Weighted round robin: rounds over the list at a falling level. A destination takes part in a round when its weight
 * reaches the round's level, so heavier ones are in more rounds, mixed with the others instead of in a row.
 *
 * net/netfilter/ipvs/ip_vs_wrr.c. Levels are 1, 1 + step, 1 + 2 step, ... up to `top`, the step being the weights'
 * greatest common divisor. The kernel tries level after level; here rounds that nobody could take part in are
 * leapt over, which picks the same and takes one look at the list however far apart the weights are.
 */
export function wrr<Kind extends Candidate>(): Scheduler<Kind> {
  return wrrAt<Kind>({ position: -1, level: 0, top: 0, step: 1 });
}

interface Place {
  /** The last one picked; -1 stands for the list's head, before the first. */
  readonly position: number;
  /** 0 before there is any weight. */
  readonly level: number;
  readonly top: number;
  readonly step: number;
}

export function wrrAt<Kind extends Candidate>(place: Place): Scheduler<Kind> {
  let { position, level, top, step } = place;

  /** Moves to the first from `from` on that takes part at `level`. */
  function advance(candidates: readonly Kind[], from: number): Kind | undefined {
    for (let index = from; index < candidates.length; index++) {
      const candidate = candidates[index]!;
      if (candidate.weight < level || !isEligible(candidate)) continue;
      position = index;
      return candidate;
    }
    return undefined;
  }

  return {
    pick(_request, candidates) {
      if (top === 0) return undefined;
      const next = advance(candidates, position + 1);
      if (next !== undefined) return next;

      const reachable = highestLevel(candidates, step);
      if (reachable === 0) {
        // The kernel goes down all levels in vain. From the last it ends where it stood, from others at the start.
        if (position >= 0 && level <= step) return undefined;
        position = -1;
        level = top;
        return undefined;
      }
      level = Math.min(level > step ? level - step : top, reachable);
      return advance(candidates, 0);
    },

    /** ip_vs_wrr_dest_changed(): from the list's head on, near the level that was reached. */
    changed(_event, candidates) {
      position = -1;
      ({ step, top } = levelsOf(candidates));
      if (level > top || level === 0) level = top;
      else if (step > 1) level = Math.floor(level / step) * step + 1;
    },

    get turn() {
      return { position, level };
    },

    resume(turn) {
      ({ position, level } = turn);
    },

    copy: () => wrrAt({ position, level, top, step }),
  };
}

/** How far levels are apart, and the highest. */
export function levelsOf(candidates: readonly Candidate[]): {
  readonly step: number;
  readonly top: number;
} {
  const step = greatestCommonDivisor(candidates.map(({ weight }) => weight)) || 1;
  const top = candidates.reduce((max, { weight }) => Math.max(max, weight), 0) - (step - 1);
  return { step, top };
}

/** The highest level that an eligible candidate reaches, 0 when there is none. */
function highestLevel(candidates: readonly Candidate[], step: number): number {
  let most = 0;
  for (const candidate of candidates) {
    if (isEligible(candidate) && candidate.weight > most) most = candidate.weight;
  }
  return most === 0 ? 0 : most - ((most - 1) % step);
}
