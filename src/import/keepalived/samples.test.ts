/**
 * Whole configurations of many kinds, as people have them, and what becomes of each: `test/import/keepalived/NAME.conf`
 * beside `NAME.yaml`, with what is told before it. Made anew with `npx vitest run --project unit -u PATH`, to be read.
 */
import { readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { expect, test } from "vitest";
import { TEST_NAMES } from "../../../test/names.ts";
import { formatProblem } from "../../configuration/problem.ts";
import { unsayable, writeConfiguration } from "../../configuration/write.ts";
import { KINDS } from "../kinds.ts";

const FOLDER = join(import.meta.dirname, "../../../test/import/keepalived");

const samples = [
  ...readdirSync(FOLDER).filter((name) => name.endsWith(".conf")),
  "includes/keepalived.conf",
];

test.for(samples)("%s becomes services", async (name) => {
  const path = join(FOLDER, name);
  const options = { names: TEST_NAMES, id: "lb1" };
  const { content, told } = await KINDS.keepalived(path, readFileSync(path, "utf8"), options);
  const lines = told.map(({ at, kind, text, why }) =>
    `${relative(dirname(path), at.file)}:${at.line}: ${kind}: ${text}: ${why}`.replaceAll(
      `${FOLDER}/`,
      "",
    ),
  );
  const written = writeConfiguration(content, lines);
  await expect(written).toMatchFileSnapshot(join(dirname(path), `${basename(name, ".conf")}.yaml`));
  // What is written can be read again: it is what `sluice check` would say.
  expect(unsayable(content).map(formatProblem)).toEqual([]);
});
