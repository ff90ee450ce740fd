/** docs/sysctls.md tells operators what src/ipvs/desired/sysctls.ts says. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { FIXED_SYSCTLS, SYSCTL_RULES, type SysctlRule } from "../src/ipvs/desired/sysctls.ts";

const text = readFileSync(new URL("../docs/sysctls.md", import.meta.url), "utf8");

/** Tables by the heading of their second column. */
function rowsOf(second: string): string[][] {
  const [, table = ""] = text.split(`| knob | ${second} |`);
  const [whole = ""] = table.split("\n\n");
  const lines = whole.trim().split("\n").slice(2);
  return lines.map((line) =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

test("every knob stands there with its default and its range", () => {
  const rules: [string, SysctlRule][] = Object.entries(SYSCTL_RULES);
  const expected = rules.map(([name, { default: value, range }]) => {
    return [name, String(value), range === undefined ? "any" : range.join(" to ")];
  });
  const rows = rowsOf("default");
  expect(rows.map((cells) => cells.slice(0, 3))).toEqual(expected.toSorted(byName));
  for (const [, , , effect = ""] of rows) expect(effect).not.toBe("");
});

test("every knob without a meaning stands there with its reason", () => {
  const expected = Object.entries(FIXED_SYSCTLS).map(([name, { value, why }]) => {
    return [name, String(value).replace("\t", " "), why];
  });
  expect(rowsOf("value")).toEqual(expected.toSorted(byName));
});

function byName([a = ""]: readonly string[], [b = ""]: readonly string[]): number {
  return a < b ? -1 : 1;
}
