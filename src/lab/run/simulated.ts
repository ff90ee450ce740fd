/** `sluice lab … --simulated`: the same laboratories, steps and statements on simulated hosts. Needs no root. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Simulation } from "../../simnet/simulation.ts";
import type { LabEvent } from "../event.ts";
import { LabFailure } from "../failure.ts";
import { type LabPlan, planOf } from "../network/plan.ts";
import type { RunOptions } from "../options.ts";
import { SCENARIOS } from "../scenarios/index.ts";
import { perform } from "../scenarios/scenario.ts";
import { removal } from "../scenarios/service-steps.ts";
import { stageOn } from "../scenarios/stage.ts";
import { simulate } from "../simulated/network.ts";
import { EXIT } from "./outside.ts";
import type { Presenter } from "./presenter.ts";
import { captureOf, hostsOf, simulatedEquipment } from "./simulated-equipment.ts";

/** Resolves to the exit code. */
export async function runSimulated(
  options: RunOptions,
  seed: number,
  presenter: Presenter,
): Promise<number> {
  const plan = planOf(options.scenario, options.family);
  let hasFailed = false;
  const tell = (event: LabEvent): void => {
    if (event.kind === "statement" && !event.ok) hasFailed = true;
    process.stdout.write(presenter.show(event));
  };
  process.stdout.once("error", () => process.exit(141));
  process.stdout.write(presenter.begin(plan));
  const simulation = simulate(plan, seed);
  try {
    await performOn(simulation, options, tell);
  } catch (error) {
    if (!(error instanceof LabFailure)) throw error;
    tell({ kind: "failure", why: error.message });
    process.stderr.write(`sluice lab: ${error.message}\n`);
    return EXIT.notBuilt;
  }
  if (options.pcap !== undefined) writeCaptures(simulation, plan, options.pcap);
  process.stdout.write(presenter.finish());
  return hasFailed ? EXIT.statementFailed : EXIT.ok;
}

/** All steps of a laboratory, the last one, too. Throws a LabFailure when it cannot go on. */
export async function performOn(
  simulation: Simulation,
  options: RunOptions,
  tell: (event: LabEvent) => void,
): Promise<void> {
  const plan = planOf(options.scenario, options.family);
  const equipment = simulatedEquipment(simulation, plan, options, tell);
  const steps = [...SCENARIOS[options.scenario](equipment), removal(equipment)];
  await perform(steps, stageOn(hostsOf(simulation), tell), tell);
}

function writeCaptures(simulation: Simulation, plan: LabPlan, directory: string): void {
  try {
    mkdirSync(directory, { recursive: true });
    for (const host of plan.hosts) {
      writeFileSync(join(directory, `${host.name}.pcapng`), captureOf(simulation, host));
    }
  } catch (error) {
    throw new LabFailure(`--pcap ${directory}: ${(error as Error).message}`);
  }
}
