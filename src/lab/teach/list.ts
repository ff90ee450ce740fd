/** `sluice lab mistake --list`. */
import { MISTAKES } from "../mistakes/index.ts";
import type { Mistake } from "../mistakes/mistake.ts";
import type { Language } from "../mistakes/words.ts";

export function table(language: Language): string {
  const width = Math.max(...MISTAKES.map(({ name }) => name.length));
  const rows = MISTAKES.map(
    ({ name, laboratory, title }, index) =>
      `${String(index + 1).padStart(2)}  ${name.padEnd(width)}  ${laboratory.padEnd(3)}  ${title[language]}\n`,
  );
  return rows.join("");
}

/** All that is known of each. What a line's output has to have is told as the source of a regular expression. */
export function json(): string {
  return `${JSON.stringify(MISTAKES, expressions, 2)}\n`;
}

function expressions(_key: string, value: Mistake[keyof Mistake]): unknown {
  return value instanceof RegExp ? value.source : value;
}
