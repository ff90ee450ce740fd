/**
 * The inside of a laboratory: the first process of its own process namespace, and its switch.
 *
 * Whatever ends this process ends everything else in here with it, and the kernel then takes the namespaces, wires,
 * addresses and rules away: no way out of a laboratory leaves something behind.
 */
import { equip } from "../network/equipment.ts";
import { finishChecksums } from "../network/finished-checksums.ts";
import { buildNetwork, interfaceIndexes, processesOf } from "../network/hosts.ts";
import { planOf } from "../network/plan.ts";
import { tapWires, type Wire } from "../network/taps.ts";
import type { RunOptions } from "../options.ts";
import { configured } from "../scenarios/configured.ts";
import { SCENARIOS } from "../scenarios/index.ts";
import { perform } from "../scenarios/scenario.ts";
import { removal } from "../scenarios/service-steps.ts";
import { stageOn } from "../scenarios/stage.ts";
import { emit, type Leash, onLeash } from "./leash.ts";

export function main([options = ""]: readonly string[]): Promise<void> {
  return onLeash((leash) => run(JSON.parse(options) as RunOptions, leash));
}

async function run(options: RunOptions, leash: Leash): Promise<void> {
  const plan = planOf(options.scenario, options.family);
  const hosts = await buildNetwork(plan);
  if (options.hook === "xdp") await finishChecksums(plan, hosts);
  const indexes = await interfaceIndexes();
  const wire = tapWires(plan.hosts, (port) => indexes.get(port)!, options.pcap);
  const equipment = equip(plan, options, hosts, wire, emit);
  const scenario = options.config === undefined ? SCENARIOS[options.scenario] : configured;
  const steps = scenario(equipment);
  const last = options.keep ? [] : [removal(equipment)];
  await perform([...steps, ...last], stageOn(hosts, emit), emit);
  warnOfLosses(wire);
  if (!options.keep) {
    emit({ kind: "end" });
    process.exit(0);
  }
  wire.forget();
  emit({ kind: "kept", hosts: processesOf(hosts) });
  await leash.kept;
}

function warnOfLosses(wire: Wire): void {
  const lost = wire.lost();
  if (lost > 0) emit({ kind: "progress", text: `${lost} frames came too fast to be captured` });
}
