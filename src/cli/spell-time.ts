/** Spans of time as operators write and read them. */
import { UsageError } from "./question.ts";

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 };
const MAX_SECONDS = 31 * 86_400;

/** `90`, `90s`, `5m`, `2h`, `1d`, in seconds. Throws a UsageError. */
export function readSeconds(option: string, text: string): number {
  const [, digits, unit = "s"] = /^(\d{1,9})([smhd])?$/.exec(text) ?? [];
  const seconds = Number(digits) * SECONDS[unit]!;
  if (seconds <= MAX_SECONDS) return seconds;
  throw new UsageError(`${option} ${text}: expected such as 90s, 5m or 2h, up to 31 days`);
}

/** `48s`, `4m 48s`, `3h 2m`, `2d 3h`: its two largest units. */
export function spellSeconds(seconds: number): string {
  let rest = Math.max(0, Math.round(seconds));
  const parts: string[] = [];
  for (const [unit, length] of Object.entries(SECONDS).toReversed()) {
    const count = Math.floor(rest / length);
    rest -= count * length;
    if (count > 0 || (unit === "s" && parts.length === 0)) parts.push(`${count}${unit}`);
    else if (parts.length > 0) break;
    if (parts.length === 2) break;
  }
  return parts.join(" ");
}
