import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { pictures } from "../../scripts/guide/pictures.ts";
import { GUIDE } from "./book.ts";

const drawn = await pictures();

test.for([...drawn])(
  "%s is what a run draws now: 'node scripts/guide-pictures.ts'",
  ([name, svg]) => {
    expect(readFileSync(join(GUIDE, "images", name), "utf8")).toBe(svg);
  },
);

test("there are no others", () => {
  expect(readdirSync(join(GUIDE, "images")).toSorted()).toEqual([...drawn.keys()].toSorted());
});
