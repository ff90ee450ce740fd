/** Whether chance divided packets among servers as it must: both sides are held against the expectation. */
import type { Case, Report, Share } from "../case.ts";
import { linesOf } from "./canonical.ts";
import type { Difference } from "./compare.ts";

/**
 * So many standard deviations a count may be off. Right code is beyond them in one of 1.7 million counts, by the normal
 * distribution that a count of hundreds of draws comes close to.
 */
const DEVIATIONS = 5;
/** A count is whole: half a packet lies between it and any expectation. */
const ROUNDING = 0.5;

/** What the packets behind the last command came to. */
export function compareShares(
  { steps, shares = {} }: Case,
  expected: readonly Report[],
  actual: readonly Report[],
): Difference[] {
  const last = steps.findLastIndex(({ kind }) => kind === "ipvsadm");
  const [theirs, ours] = [expected, actual].map((reports) => {
    const observed = reports
      .slice(last + 1)
      .flatMap(({ observation }) =>
        observation.kind === "sent" ? linesOf(observation, "servers", undefined, []) : [],
      );
    return [...deviations(shares, observed)];
  }) as [string[], string[]];
  const what = `shares of the packets behind step ${last + 1}`;
  const isRight = theirs.length === 0 && ours.length === 0;
  return isRight ? [] : [{ step: steps.length - 1, what, theirs, ours }];
}

function* deviations(
  shares: Readonly<Record<string, Share>>,
  observed: readonly string[],
): Generator<string> {
  const counts = new Map<string, number>();
  for (const server of observed) counts.set(server, (counts.get(server) ?? 0) + 1);
  for (const server of new Set([...Object.keys(shares), ...counts.keys()])) {
    const { mean, deviation } = shares[server] ?? { mean: 0, deviation: 0 };
    const count = counts.get(server) ?? 0;
    const bound = DEVIATIONS * deviation + ROUNDING;
    if (Math.abs(count - mean) > bound) {
      const about = `${mean.toFixed(1)} with a deviation of ${deviation.toFixed(1)}`;
      yield `${server}: ${count} of ${observed.length}, expected ${about}`;
    }
  }
}
