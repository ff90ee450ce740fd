/** Lines that two sides reported: whether they are the same, and how they differ. */

/** A timer is shown in whole seconds: the sides may be in different ones. */
const EXPIRES = /^(.*expires )(-?\d+)$/;
const EXPIRES_TOLERANCE_SECONDS = 1;

/** `drifts`: seconds by which a timer of theirs may have gone further than ours, one or the other. */
export function isSame(
  theirs: readonly string[],
  ours: readonly string[],
  drifts: readonly number[],
): boolean {
  return (
    theirs.length === ours.length &&
    theirs.every((line, index) => isSameLine(line, ours[index]!, drifts))
  );
}

function isSameLine(theirs: string, ours: string, drifts: readonly number[] = []): boolean {
  if (theirs === ours) return true;
  const [, head, seconds] = EXPIRES.exec(theirs) ?? [];
  const [, otherHead, otherSeconds] = EXPIRES.exec(ours) ?? [];
  return (
    head !== undefined &&
    head === otherHead &&
    [0, ...drifts].some(
      (drift) =>
        Math.abs(Number(seconds) + drift - Number(otherSeconds)) <= EXPIRES_TOLERANCE_SECONDS,
    )
  );
}

/** The longest common lines stay, the others are marked: "- " is the kernel's, "+ " is ours. */
export function diff(theirs: readonly string[], ours: readonly string[]): string[] {
  const common = longestCommon(theirs, ours);
  const lines: string[] = [];
  let [left, right] = [0, 0];
  while (left < theirs.length || right < ours.length) {
    if (left < theirs.length && right < ours.length && isSameLine(theirs[left]!, ours[right]!)) {
      lines.push(`  ${theirs[left]}`);
      left++;
      right++;
    } else if (
      right >= ours.length ||
      (left < theirs.length && common[left + 1]![right]! >= common[left]![right + 1]!)
    ) {
      lines.push(`- ${theirs[left++]}`);
    } else {
      lines.push(`+ ${ours[right++]}`);
    }
  }
  return lines;
}

/** Lengths of the longest common subsequences of the tails. */
function longestCommon(left: readonly string[], right: readonly string[]): number[][] {
  const lengths = Array.from({ length: left.length + 1 }, () =>
    Array.from({ length: right.length + 1 }, () => 0),
  );
  for (let i = left.length - 1; i >= 0; i--) {
    for (let j = right.length - 1; j >= 0; j--) {
      lengths[i]![j] = isSameLine(left[i]!, right[j]!)
        ? lengths[i + 1]![j + 1]! + 1
        : Math.max(lengths[i + 1]![j]!, lengths[i]![j + 1]!);
    }
  }
  return lengths;
}
