/** Numbers as people read them. */

const UNITS = ["", "k", "M", "G", "T", "P"] as const;

/** Three digits that matter: 0, 7.25, 42.1, 999, 1.23k. */
export function short(value: number): string {
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  if (unit === 0 && Number.isInteger(value)) return String(value);
  const digits = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
  return `${value.toFixed(digits)}${UNITS[unit]}`;
}

/** Bits, as links are measured: 1.23 Mbit/s, and 0 for nothing. */
export function bitRate(bytesPerSecond: number): string {
  if (bytesPerSecond === 0) return "0";
  const [, number, unit] = /^([\d.]+)(.?)$/.exec(short(bytesPerSecond * 8)) ?? [];
  return `${number}\u202f${unit}bit/s`;
}

export function whole(value: number): string {
  return value.toLocaleString("en-US");
}

/** The two largest units: 3 d 4 h, 12 s. */
export function timeSpan(seconds: number): string {
  const parts: [number, string][] = [
    [Math.floor(seconds / 86_400), "d"],
    [Math.floor(seconds / 3_600) % 24, "h"],
    [Math.floor(seconds / 60) % 60, "min"],
    [Math.floor(seconds) % 60, "s"],
  ];
  const first = parts.findIndex(([count]) => count > 0);
  if (first === -1) return "0 s";
  return parts
    .slice(first, first + 2)
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count} ${unit}`)
    .join(" ");
}
