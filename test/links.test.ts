/** What the documents link to is there, headings too. */
import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { expect, test } from "vitest";

const ROOT = resolve(import.meta.dirname, "..");
const LINK = /\]\((?!https?:)([^)#]*)(?:#([^)]+))?\)/g;

const documents = globSync(["*.md", "docs/**/*.md", "bench/*.md"], { cwd: ROOT }).toSorted();

test.for(documents)("%s links to what is there", (document) => {
  const text = readFileSync(resolve(ROOT, document), "utf8").replaceAll(/^```.*?^```$/gms, "");
  const missing = [...text.matchAll(LINK)]
    .filter(([, target = "", heading]) => {
      const file = target === "" ? document : resolve(ROOT, dirname(document), target);
      const path = resolve(ROOT, file);
      return !existsSync(path) || (heading !== undefined && !headingsOf(path).has(heading));
    })
    .map(([link]) => link);
  expect(missing).toEqual([]);
});

/** As GitHub names them: in small letters, blanks as hyphens, no other signs. */
function headingsOf(path: string): Set<string> {
  const headings = readFileSync(path, "utf8").matchAll(/^#+ (.*)$/gm);
  return new Set(
    [...headings].map(([, words]) =>
      words!
        .toLowerCase()
        .replaceAll(/[^\p{Letter}\p{Number} _-]/gu, "")
        .replaceAll(" ", "-"),
    ),
  );
}
