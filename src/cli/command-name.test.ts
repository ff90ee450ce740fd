import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { commandName } from "./command-name.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "sluice-name-"));
  for (const name of ["checkout/bin", "linked", "others"]) {
    mkdirSync(join(folder, name), { recursive: true });
  }
  writeFileSync(join(folder, "checkout/bin/sluice"), "");
  writeFileSync(join(folder, "others/sluice"), "");
  symlinkSync(join(folder, "checkout/bin/sluice"), join(folder, "linked/sluice"));
});
afterAll(() => rmSync(folder, { recursive: true }));

// biome-ignore format: a table
const cases: [what: string, path: string[], directory: string, name: string][] = [
  ["on the PATH",                       ["others", "checkout/bin"], ".",            "sluice"],
  ["on the PATH by a link",             ["linked"],                 ".",            "sluice"],
  ["another one is on the PATH",        ["others"],                 "checkout",     "bin/sluice"],
  ["from the checkout",                 [],                         "checkout",     "bin/sluice"],
  ["from its own folder",               [],                         "checkout/bin", "./sluice"],
  ["from elsewhere",                    [],                         "others",       "FOLDER/checkout/bin/sluice"],
];

test.for(cases)("%s", ([, path, directory, name]) => {
  const absolute = (each: string): string => join(folder, each);
  const own = absolute("checkout/bin/sluice");
  expect(commandName(path.map(absolute).join(":"), absolute(directory), own)).toBe(
    name.replace("FOLDER", folder),
  );
});
