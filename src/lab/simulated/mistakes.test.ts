import { expect, test } from "vitest";
import type { LabEvent } from "../event.ts";
import { MISTAKES } from "../mistakes/index.ts";
import { build, perform } from "../mistakes/perform.ts";
import { openSimulated } from "./laboratory.ts";

test.for(MISTAKES)("without namespaces: $name", async (mistake) => {
  const { laboratory: scenario } = mistake;
  const laboratory = await openSimulated({ scenario, family: "inet", seed: 1 });
  const events: LabEvent[] = [];
  await build(laboratory, scenario);
  await perform(laboratory, mistake, "en", (event) => events.push(event));
  const statements = events.filter((event) => event.kind === "statement");
  expect(statements.filter(({ ok }) => !ok)).toEqual([]);
  expect(statements).toHaveLength(3);
});
