/** The director against the rows of test/packets/rows: what every engine must do with packets. */
import { expect, test } from "vitest";
import { DirectorBench } from "../../test/packets/director-bench.ts";
import { SCENARIOS } from "../../test/packets/rows/index.ts";
import { transcript } from "../../test/packets/scenario.ts";
import { REASONS, type Reason } from "./packets/reasons.ts";

const reached = new Set<Reason>();

const cases = SCENARIOS.map((each) => ({ ...each, name: `${each.title} (${each.family})` }));

test.for(cases)("$name", ({ family, limit, rows }) => {
  const bench = new DirectorBench(family, { limit });
  const expected = transcript(rows, ({ expected }) => expected);
  expect(transcript(rows, ({ input }) => bench.play(input))).toBe(expected);
  for (const [reason, count] of Object.entries(bench.director.reasons())) {
    if (count > 0) reached.add(reason as Reason);
  }
});

test("together they reach every reason that a packet can leave the director for", () => {
  expect(REASONS.filter((reason) => !reached.has(reason))).toEqual([]);
});
