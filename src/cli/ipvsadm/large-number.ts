/**
 * A counter in its column: nine characters, the first a blank where there is room.
 *
 * From 10^8 on it is cut to K, M, G or T, unless it is to be exact: then it takes the room it needs.
 */
export function formatLargeNumber(value: number, isExact: boolean): string {
  const digits = String(Math.floor(value));
  if (isExact) return digits.length <= 8 ? digits.padStart(9) : ` ${digits}`;
  if (value < 1e8) return digits.padStart(9);
  const [divisor, unit] = unitOf(value);
  return String(Math.floor(value / divisor)).padStart(8) + unit;
}

function unitOf(value: number): readonly [divisor: number, unit: string] {
  if (value < 1e9) return [1e3, "K"];
  if (value < 1e11) return [1e6, "M"];
  if (value < 1e14) return [1e9, "G"];
  return [1e12, "T"];
}
