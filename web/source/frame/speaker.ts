/** Words of a part of the page by their names, in the reader's language; what stands in braces is filled in. */
import type { Language } from "./preferences.ts";

export type Vocabulary = Readonly<Record<string, readonly [en: string, zh: string]>>;

export type Filling = Readonly<Record<string, string | number>>;

export type Speaker<Word> = (word: Word, filling?: Filling) => string;

export function speaker<Words extends Vocabulary>(
  words: Words,
  language: () => Language,
): Speaker<keyof Words> {
  return (word, filling = {}) => {
    const [en, zh] = words[word]!;
    const text = language() === "zh" ? zh : en;
    return text.replaceAll(/\{(\w+)\}/g, (_, name: string) => String(filling[name] ?? ""));
  };
}
