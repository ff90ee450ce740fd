/** A laboratory's hosts: built as the handbook does it, or with nothing but their cards. */
import { HEALTHY } from "../../../src/lab/mistakes/healthy.ts";
import { openSimulated } from "../../../src/lab/simulated/laboratory.ts";
import type { Simulation } from "../../../src/simnet/simulation.ts";
import type { Setting } from "./model.ts";

export async function openWorld({ scenario, seed, isBuilt }: Setting): Promise<Simulation> {
  const { simulation } = await openSimulated({ scenario, family: "inet", seed });
  if (isBuilt) {
    for (const { on, line } of HEALTHY[scenario]) await simulation.run(on, line);
  }
  return simulation;
}
