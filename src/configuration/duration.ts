/** Times as people write them: `300`, `90s`, `5m`, `2h`, `1d`. */

export const DURATION = /^[1-9]\d{0,8}[smhd]$/;

/** ipvsadm's limit for every time that an operator gives: 31 days. */
export const DURATION_MAX_SECONDS = 2_678_400;

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 };

/** In seconds. A text is one that DURATION matches. */
export function secondsOf(duration: number | string): number {
  if (typeof duration === "number") return duration;
  return Number(duration.slice(0, -1)) * SECONDS[duration.at(-1)!]!;
}
