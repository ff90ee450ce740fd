/** A decimal number as strtol() reads it: blanks and a sign may lead, nothing may follow. */
export function readInteger(text: string, min: number, max: number): number | undefined {
  if (!/^[ \t\n\v\f\r]*[+-]?\d+$/.test(text)) return undefined;
  const value = Number(text);
  return value >= min && value <= max ? value : undefined;
}
