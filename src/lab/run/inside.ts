/**
 * The inside of a laboratory: the first process of its own process namespace, and its switch.
 *
 * Whatever ends this process ends everything else in here with it, and the kernel then takes the namespaces, wires,
 * addresses and rules away: no way out of a laboratory leaves something behind.
 */
import { Socket } from "node:net";
import { encodeEvent, type LabEvent } from "../event.ts";
import { LabFailure } from "../failure.ts";
import { type Equipment, equip } from "../network/equipment.ts";
import { buildNetwork, type Hosts, interfaceIndexes } from "../network/hosts.ts";
import { planOf, type ScenarioName } from "../network/plan.ts";
import { tapWires, type Wire } from "../network/taps.ts";
import type { RunOptions } from "../options.ts";
import { configured } from "../scenarios/configured.ts";
import { directRouting } from "../scenarios/direct-routing.ts";
import { masquerading } from "../scenarios/masquerading.ts";
import { perform, type Step } from "../scenarios/scenario.ts";
import { removal } from "../scenarios/service-steps.ts";
import { stageOn } from "../scenarios/stage.ts";
import { tunnelling } from "../scenarios/tunnelling.ts";

const SCENARIOS: Readonly<Record<ScenarioName, (equipment: Equipment) => readonly Step[]>> = {
  dr: directRouting,
  nat: masquerading,
  tun: tunnelling,
};

/** The descriptor by which the outside holds the inside: it says KEEP, or it ends. */
export const LEASH = 3;
export const KEEP = "keep";

export async function main([options = ""]: readonly string[]): Promise<void> {
  // The first process of a namespace ignores signals that it has no handler for.
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) {
    process.once(signal, () => process.exit(1));
  }
  process.once("uncaughtException", (error) => {
    emit({ kind: "failure", why: error.stack ?? error.message });
    process.exit(1);
  });
  // Nobody reads any more once the outside is gone.
  process.stdout.on("error", () => {});
  const leash = holdLeash();
  try {
    await run(JSON.parse(options) as RunOptions, leash);
  } catch (error) {
    if (!(error instanceof LabFailure)) throw error;
    emit({ kind: "failure", why: error.message });
    process.exit(1);
  }
}

async function run(options: RunOptions, leash: Leash): Promise<void> {
  const plan = planOf(options.scenario, options.family);
  const hosts = await buildNetwork(plan);
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

function processesOf(hosts: Hosts): Record<string, number> {
  return Object.fromEntries(Object.values(hosts).map(({ name, pid }) => [name, pid]));
}

interface Leash {
  /** The outside goes, the laboratory stays. */
  readonly kept: Promise<void>;
}

/** An outside that ends without having said KEEP, for whatever reason, ends the laboratory. */
function holdLeash(): Leash {
  const { promise: kept, resolve } = Promise.withResolvers<void>();
  const socket = new Socket({ fd: LEASH });
  let isKept = false;
  socket.on("data", (chunk: Buffer) => {
    if (chunk.toString().trim() !== KEEP) return;
    isKept = true;
    resolve();
  });
  const end = (): void => {
    if (!isKept) process.exit(1);
  };
  socket.on("error", end);
  socket.on("close", end);
  return { kept };
}

function emit(event: LabEvent): void {
  process.stdout.write(encodeEvent(event));
}
