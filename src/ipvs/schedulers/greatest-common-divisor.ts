/** The greatest common divisor of those of `weights` that are not 0; 0 when all are. */
export function greatestCommonDivisor(weights: Iterable<number>): number {
  let divisor = 0;
  for (let weight of weights) {
    while (weight !== 0) [divisor, weight] = [weight, divisor % weight];
  }
  return divisor;
}
