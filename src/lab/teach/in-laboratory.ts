/** A healthy laboratory for as long as something is done in it. */
import { LabFailure } from "../failure.ts";
import type { Laboratory } from "../laboratory.ts";
import { build, LineRefused } from "../mistakes/perform.ts";
import type { ScenarioName } from "../network/plan.ts";
import { type NamespaceLaboratory, openLaboratory } from "../run/namespace-laboratory.ts";

/** Resolves to the exit code of a signal that ended it before its time. */
export async function inLaboratory(
  scenario: ScenarioName,
  work: (laboratory: NamespaceLaboratory) => Promise<void>,
): Promise<number | undefined> {
  const laboratory = await openLaboratory({ scenario, family: "inet" });
  try {
    await build(laboratory, scenario);
    await work(laboratory);
  } catch (error) {
    // What a signal ended is no failure.
    if (laboratory.interrupted() === undefined) {
      throw error instanceof LineRefused ? new LabFailure(error.message) : error;
    }
  } finally {
    await laboratory.close();
  }
  return laboratory.interrupted();
}

/** The same on simulated hosts. No signal leaves anything behind. */
export async function inSimulation(
  scenario: ScenarioName,
  work: (laboratory: Laboratory) => Promise<void>,
): Promise<undefined> {
  const { openSimulated } = await import("../simulated/laboratory.ts");
  const laboratory = await openSimulated({ scenario, family: "inet", seed: 1 });
  try {
    await build(laboratory, scenario);
    await work(laboratory);
  } catch (error) {
    throw error instanceof LineRefused ? new LabFailure(error.message) : error;
  }
}
