/** The guide's files: the same chapters in each language. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { type Chapter, formatChapter, parseChapter } from "./chapter.ts";

export const GUIDE = resolve(import.meta.dirname, "../../docs/guide");
export const LANGUAGES = ["en", "zh"] as const;
export type Language = (typeof LANGUAGES)[number];

export function chapterNames(language: Language): string[] {
  return readdirSync(join(GUIDE, language)).toSorted();
}

export function readChapter(language: Language, name: string): Chapter {
  return parseChapter(readFileSync(join(GUIDE, language, name), "utf8"));
}

export function writeChapter(language: Language, name: string, chapter: Chapter): void {
  writeFileSync(join(GUIDE, language, name), formatChapter(chapter));
}

export interface NamedChapter {
  readonly name: string;
  readonly chapter: Chapter;
}

/** The chapters with sessions, by the laboratory that they are in. */
export function byLaboratory(): Map<Chapter["laboratory"], NamedChapter[]> {
  const chapters = chapterNames("en").map((name) => ({ name, chapter: readChapter("en", name) }));
  const withSessions = chapters.filter(({ chapter }) => chapter.pieces.length > 1);
  return Map.groupBy(withSessions, ({ chapter }) => chapter.laboratory);
}
