/** A laboratory's hosts: built as the handbook does it, or with nothing but their cards. */
import { HEALTHY, HEALTHY_INET6 } from "../../../src/lab/mistakes/healthy.ts";
import { openSimulated } from "../../../src/lab/simulated/laboratory.ts";
import type { Simulation } from "../../../src/simnet/simulation.ts";
import type { Setting } from "./model.ts";

export async function openWorld({ scenario, family, seed, isBuilt }: Setting): Promise<Simulation> {
  const { simulation } = await openSimulated({ scenario, family, seed });
  if (isBuilt) {
    const lines = family === "inet" ? HEALTHY : HEALTHY_INET6;
    for (const { on, line } of lines[scenario]) await simulation.run(on, line);
  }
  return simulation;
}
