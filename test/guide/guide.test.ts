import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
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

const files = [
  "README.md",
  ...LANGUAGES.flatMap((language) => chapterNames(language).map((name) => `${language}/${name}`)),
];

test.for(files)("%s links to what is there, and is read whole", (file) => {
  const text = readFileSync(join(GUIDE, file), "utf8");
  const missing = [...text.matchAll(/\]\((?!https?:)([^)#]+)[^)]*\)/g)]
    .map(([, target]) => target!)
    .filter((target) => !existsSync(resolve(GUIDE, dirname(file), target)));
  expect(missing).toEqual([]);
  expect(formatChapter(parseChapter(text))).toBe(text);
});

function picturesOf(file: string): string[] {
  const text = readFileSync(join(GUIDE, file), "utf8");
  return [...text.matchAll(/!\[[^\]]*\]\(([^)]+)\)/g)].map(([, target]) => target!);
}
