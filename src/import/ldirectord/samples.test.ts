/** Whole configurations, and what becomes of each: `test/import/ldirectord/NAME.cf` beside `NAME.yaml`, with what is told. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { TEST_NAMES } from "../../../test/names.ts";
import { formatProblem } from "../../configuration/problem.ts";
import { unsayable, writeConfiguration } from "../../configuration/write.ts";
import { KINDS } from "../kinds.ts";

const FOLDER = join(import.meta.dirname, "../../../test/import/ldirectord");

test.for(readdirSync(FOLDER).filter((name) => name.endsWith(".cf")))(
  "%s becomes services",
  async (name) => {
    const text = readFileSync(join(FOLDER, name), "utf8");
    const options = { names: TEST_NAMES, id: "lb1" };
    const { content, told } = await KINDS.ldirectord(name, text, options);
    const lines = told.map(
      ({ at, kind, text: words, why }) => `${at.file}:${at.line}: ${kind}: ${words}: ${why}`,
    );
    await expect(writeConfiguration(content, lines)).toMatchFileSnapshot(
      join(FOLDER, name.replace(".cf", ".yaml")),
    );
    expect(unsayable(content).map(formatProblem)).toEqual([]);
  },
);
