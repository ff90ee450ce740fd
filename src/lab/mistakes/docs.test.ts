import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { MISTAKES } from "./index.ts";
import { row } from "./row.ts";

const DOCS = join(import.meta.dirname, "../../../docs");

test("docs/mistakes.md has a row for each mistake, as it is now", () => {
  const page = readFileSync(join(DOCS, "mistakes.md"), "utf8");
  for (const mistake of MISTAKES) expect(page).toContain(row(mistake));
});

test("docs/doctor.md explains the doctor's word for each", () => {
  const page = readFileSync(join(DOCS, "doctor.md"), "utf8");
  for (const { doctor } of MISTAKES)
    expect(page).toMatch(new RegExp(`^\\| .*\`${doctor.says}\``, "m"));
});
