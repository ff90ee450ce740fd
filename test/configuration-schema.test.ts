/** What editors are told of a sluice.yaml is what `sluice check` takes, as far as a schema can say it. */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { parse } from "yaml";
import type { z } from "zod";
import type { Schema } from "../scripts/configuration/editor-schema.ts";
import { FILE_SCHEMA } from "../src/configuration/schema.ts";
import { fits, nearly } from "./json-schema.ts";

const SCHEMA = JSON.parse(
  readFileSync(new URL("../docs/sluice.schema.json", import.meta.url), "utf8"),
) as Schema;

/** Of values whose variables are filled in. */
const FILLED_IN: Schema = { ...SCHEMA, $defs: { ...SCHEMA.$defs, variable: { enum: [] } } };

/** Whether functions alone find something wrong: an address that is none, a time that is too long. */
function isBeyondSchemas(issues: readonly z.core.$ZodIssue[]): boolean {
  return issues.every((issue) =>
    issue.code === "invalid_union" ? issue.errors.some(isBeyondSchemas) : issue.code === "custom",
  );
}

test("what the one takes the other takes", () => {
  fc.assert(
    fc.property(nearly(FILLED_IN), (value) => {
      const said = FILE_SCHEMA.safeParse(value);
      const isTaken = said.success || isBeyondSchemas(said.error.issues);
      expect(fits(FILLED_IN, value), said.error?.message).toBe(isTaken);
    }),
    { numRuns: 1_000 },
  );
});

// biome-ignore format: a table
const withVariables: [what: string, text: string][] = [
  ["a number",           `services: [{vip: 10.0.0.1, port: "\${PORT}"}]`],
  ["one with a default", `services: [{vip: 10.0.0.1, port: "\${PORT:-80}", defaults: {weight: "\${W}"}}]`],
  ["a word of some",     `defaults: {service: {scheduler: "\${SCHEDULER}"}}`],
  ["a truth value",      `defaults: {service: {onePacket: "\${ONCE}"}}`],
  ["a time",             `timeouts: {tcp: "\${IDLE}"}`],
  ["a part of a text",   `services: [{vip: "10.0.0.\${LAST}", port: 80}]`],
];

test.for(withVariables)("editors take a variable for %s", ([, text]) => {
  expect(fits(SCHEMA, parse(text))).toBe(true);
  expect(fits(SCHEMA, parse(text.replaceAll("$", "")))).toBe(text.includes("LAST"));
});
