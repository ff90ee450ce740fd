/** docs/marks.md shows commands that are some. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parseMarkCommand } from "../src/cli/mark/options.ts";

const text = readFileSync(new URL("../docs/marks.md", import.meta.url), "utf8");
const shown = [
  ...text.matchAll(/^bin\/sluice mark (.+)$/gm),
  ...text.matchAll(/ \| `((?:add|delete|list|flush)[^`]*)` \|$/gm),
].map(([, words]) => words!);

test("docs/marks.md shows commands of each kind", () => {
  const kinds = shown.map((words) => parseMarkCommand(words.split(" ")).kind);
  expect(new Set(kinds)).toEqual(new Set(["add", "delete", "list", "flush"]));
  expect(kinds.length).toBeGreaterThan(10);
});
