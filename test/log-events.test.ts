import { globSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

const ROOT = new URL("../", import.meta.url).pathname;

test("docs/log-events.md has each name that a line of the log bears, and no other", () => {
  const used = new Set<string>();
  for (const path of globSync("src/{daemon,api,health}/**/*.ts", { cwd: ROOT })) {
    if (path.endsWith(".test.ts")) continue;
    const source = readFileSync(`${ROOT}/${path}`, "utf8");
    for (const [, name] of source.matchAll(/(?:\{|^)\s*event: "([a-z-]+)"/gm)) used.add(name!);
  }
  const page = readFileSync(`${ROOT}/docs/log-events.md`, "utf8");
  const documented = [...page.matchAll(/^\| (`[a-z-]+`(?:, `[a-z-]+`)*) \|/gm)].flatMap(
    ([, names]) => names!.slice(1, -1).split("`, `"),
  );
  expect(documented.toSorted()).toEqual([...used].toSorted());
});
