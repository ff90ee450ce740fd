/** Times that may be shorter than a second, as people write them: `2`, `0.5`, `500ms`, `90s`, `5m`, `2h`, `1d`. */

export const PERIOD = /^[1-9]\d{0,8}(ms|s|m|h|d)$/;

const DAY_MS = 86_400_000;

export const PERIOD_MAX_MS = 31 * DAY_MS;

const MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: DAY_MS,
};

/** In milliseconds. A number is of seconds; a text is one that PERIOD matches. */
export function millisecondsOf(period: number | string): number {
  if (typeof period === "number") return Math.round(period * MS.s!);
  const [, digits, unit] = /^(\d+)(\w+)$/.exec(period)!;
  return Number(digits) * MS[unit!]!;
}

/** The shortest text that PERIOD matches, or 0. */
export function formatPeriod(milliseconds: number): string | number {
  if (milliseconds === 0) return 0;
  const [unit, factor] = Object.entries(MS).findLast(([, each]) => milliseconds % each === 0)!;
  return `${milliseconds / factor}${unit}`;
}
