/** A laboratory without namespaces: the simulation that lines are typed into, here or in a page. */
import type { Family } from "../../net/address.ts";
import type { Simulation } from "../../simnet/simulation.ts";
import type { Laboratory } from "../laboratory.ts";
import { HOST_NAMES, planOf, type ScenarioName } from "../network/plan.ts";
import { simulate } from "./network.ts";
import { addTunnelEnd } from "./tunnel-end.ts";

/** IANA's for GUE. */
const GUE_PORT = 6080;

export interface SimulatedLaboratory extends Laboratory {
  readonly simulation: Simulation;
}

export interface SimulatedOptions {
  readonly scenario: ScenarioName;
  readonly family: Family;
  /** Decides what chance decides: how long frames take, ports, sequence numbers. */
  readonly seed: number;
}

/** With the web servers started, as a laboratory is when it is opened. */
export async function openSimulated({
  scenario,
  family,
  seed,
}: SimulatedOptions): Promise<SimulatedLaboratory> {
  const plan = planOf(scenario, family);
  const simulation = simulate(plan, seed);
  for (const { host } of plan.realServers) await simulation.run(host, "httpd -k start");
  // What comes out of tunnels comes out of tunl0, as with the kernel's own module.
  for (const { host } of scenario === "tun" ? plan.realServers : []) {
    addTunnelEnd(simulation.host(host), "tunl0", GUE_PORT);
  }
  return {
    simulation,
    hosts: HOST_NAMES,
    run: (host, line) => simulation.run(host, line),
    listensAfterMs: 0,
    close: async () => undefined,
  };
}
