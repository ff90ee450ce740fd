import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { loadConfiguration } from "../src/configuration/load.ts";

const path = (name: string): string => new URL(`../${name}`, import.meta.url).pathname;

// biome-ignore format: a table
const made: [what: string, file: string][] = [
  ["page",   "docs/configuration.md"],
  ["schema", "docs/sluice.schema.json"],
];

test.for(made)("configuration-docs.ts %s > %s was run since the schema changed", ([what, file]) => {
  const words = [
    "--disable-warning=ExperimentalWarning",
    path("scripts/configuration-docs.ts"),
    what,
  ];
  expect(execFileSync(process.execPath, words).toString()).toBe(readFileSync(path(file), "utf8"));
});

test("the example is right", async () => {
  const { wanted, names } = await loadConfiguration(path("examples/web.yaml"), {
    VIP: "192.0.2.1",
  });
  expect([...names]).toEqual([
    ["TCP 192.0.2.1:80", "http"],
    ["TCP 192.0.2.1:443", "https"],
    ["UDP 192.0.2.1:53", "resolver"],
  ]);
  expect(wanted.services.map(({ destinations }) => destinations.length)).toEqual([2, 2, 2]);
});
