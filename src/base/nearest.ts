/** Which of several words somebody may have meant. */

/** The one that the fewest edits lead to, and no more than a third of its letters; undefined when none is that near. */
export function nearest(word: string, known: Iterable<string>): string | undefined {
  let best: string | undefined;
  let fewest = Number.POSITIVE_INFINITY;
  for (const each of known) {
    const distance = edits(word.toLowerCase(), each.toLowerCase());
    if (distance < fewest && distance <= Math.max(1, Math.floor(each.length / 3))) {
      best = each;
      fewest = distance;
    }
  }
  return best;
}

/** Letters put in, left out, replaced, or swapped with the next: optimal string alignment (Damerau, 1964). */
function edits(one: string, other: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (let row = 1; row <= one.length; row++) {
    const next = [row];
    for (let column = 1; column <= other.length; column++) {
      const cost = one[row - 1] === other[column - 1] ? 0 : 1;
      let fewest = Math.min(last[column]! + 1, next[column - 1]! + 1, last[column - 1]! + cost);
      const isSwapped =
        row > 1 &&
        column > 1 &&
        one[row - 1] === other[column - 2] &&
        one[row - 2] === other[column - 1];
      if (isSwapped) fewest = Math.min(fewest, beforeLast[column - 2]! + 1);
      next.push(fewest);
    }
    beforeLast = last;
    last = next;
  }
  return last[other.length]!;
}
