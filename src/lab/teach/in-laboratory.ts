/** A healthy laboratory for as long as something is done in it. */
import { LabFailure } from "../failure.ts";
import type { Laboratory } from "../laboratory.ts";
import { build, LineRefused } from "../mistakes/perform.ts";
import type { ScenarioName } from "../network/plan.ts";
import { openLaboratory } from "../run/namespace-laboratory.ts";

/** In one that is simulated the same happens every time. */
const SEED = 1;

export interface Taught {
  readonly laboratory: Laboratory;
  /** While it is remembered, `sluice lab shell` finds it; undefined: nobody else can come in. */
  readonly remember: ((stateFile: string) => Disposable) | undefined;
}

/** Resolves to the exit code of a signal that ended it before its time. */
export async function inLaboratory(
  scenario: ScenarioName,
  isSimulated: boolean,
  work: (taught: Taught) => Promise<void>,
): Promise<number | undefined> {
  const { laboratory, remember, interrupted } = await open(scenario, isSimulated);
  try {
    await build(laboratory, scenario);
    await work({ laboratory, remember });
  } catch (error) {
    // What a signal ended is no failure.
    if (interrupted() === undefined) {
      throw error instanceof LineRefused ? new LabFailure(error.message) : error;
    }
  } finally {
    await laboratory.close();
  }
  return interrupted();
}

async function open(
  scenario: ScenarioName,
  isSimulated: boolean,
): Promise<Taught & { readonly interrupted: () => number | undefined }> {
  if (isSimulated) {
    const { openSimulated } = await import("../simulated/laboratory.ts");
    const laboratory = await openSimulated({ scenario, family: "inet", seed: SEED });
    return { laboratory, remember: undefined, interrupted: () => undefined };
  }
  const laboratory = await openLaboratory({ scenario, family: "inet" });
  return { laboratory, remember: laboratory.remember, interrupted: laboratory.interrupted };
}
