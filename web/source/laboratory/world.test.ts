/** Each laboratory as one gets it to play in: it works. */
import { expect, test } from "vitest";
import { planOf, SCENARIO_NAMES } from "../../../src/lab/network/plan.ts";
import { openWorld } from "./world.ts";

const families = ["inet", "inet6"] as const;

test.each(
  SCENARIO_NAMES.flatMap((scenario) => families.map((family) => [scenario, family] as const)),
)("%s, %s: both servers answer in turn", async (scenario, family) => {
  const simulation = await openWorld({ scenario, family, seed: 1, isBuilt: true });
  const { vip } = planOf(scenario, family);
  const site = family === "inet" ? `http://${vip}/` : `http://[${vip}]/`;
  const { output } = await simulation.run("client", `curl -sS -m 2 ${site} ${site}`);
  expect(output.match(/^from \S*1[23]$/gm)).toHaveLength(2);
  expect(new Set(output.trim().split("\n")).size).toBe(2);
});
