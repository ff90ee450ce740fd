import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { chapterNames, GUIDE, LANGUAGES, readChapter } from "./book.ts";
import { formatChapter, parseChapter, sessionsOf } from "./chapter.ts";

test("both languages have the same chapters", () => {
  expect(chapterNames("zh")).toEqual(chapterNames("en"));
});

test.for(chapterNames("en"))("%s shows the same sessions in both languages", (name) => {
  const [english, chinese] = LANGUAGES.map((language) => readChapter(language, name));
  expect(sessionsOf(chinese!)).toEqual(sessionsOf(english!));
  expect(chinese!.laboratory).toBe(english!.laboratory);
  expect(picturesOf(`zh/${name}`)).toEqual(picturesOf(`en/${name}`));
});

const files = LANGUAGES.flatMap((language) =>
  chapterNames(language).map((name) => [language, name]),
);

test.for(files)("%s/%s is read whole", ([language, name]) => {
  const text = readFileSync(join(GUIDE, language!, name!), "utf8");
  expect(formatChapter(parseChapter(text))).toBe(text);
});

function picturesOf(file: string): string[] {
  const text = readFileSync(join(GUIDE, file), "utf8");
  return [...text.matchAll(/!\[[^\]]*\]\(([^)]+)\)/g)].map(([, target]) => target!);
}
