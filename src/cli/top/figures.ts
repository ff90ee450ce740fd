/** Numbers that fit into a column. */

const UNITS = ["", "k", "M", "G", "T", "P"] as const;

/** Three digits that count, at most five characters: `0`, `0.4`, `7`, `999`, `1.2k`, `123k`, `1.5M`. */
export function brief(value: number): string {
  let unit = 0;
  let rest = Math.abs(value);
  // What would be rounded up to a thousand is one of the next unit.
  while (rest >= 999.5 && unit < UNITS.length - 1) {
    rest /= 1_000;
    unit++;
  }
  const isWhole = rest >= 9.95 || (unit === 0 && Number.isInteger(rest));
  return `${isWhole ? Math.round(rest) : rest.toFixed(1)}${UNITS[unit]}`;
}

/** Exact as long as it is short. */
export function count(value: number): string {
  return value < 100_000 ? String(value) : brief(value);
}
