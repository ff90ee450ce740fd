/** The inside of a bare laboratory: hosts, their director and web servers, and nothing typed yet. */

import type { Family } from "../../net/address.ts";
import { Decapsulators } from "../network/decapsulators.ts";
import { Director } from "../network/director.ts";
import { furnishRealServers } from "../network/host-commands.ts";
import { buildNetwork, processesOf } from "../network/hosts.ts";
import { type LabPlan, planOf, type ScenarioName } from "../network/plan.ts";
import { emit, onLeash } from "./leash.ts";

export interface BareOptions {
  readonly scenario: ScenarioName;
  readonly family: Family;
}

export function main([options = ""]: readonly string[]): Promise<void> {
  return onLeash(async (leash) => {
    const { scenario, family } = JSON.parse(options) as BareOptions;
    const plan = planOf(scenario, family);
    const hosts = await buildNetwork(plan);
    const director = new Director(hosts, plan, { engine: undefined, config: undefined }, emit);
    // Without this a card between namespaces carries segments that are still to be cut, 64 KB in one piece, which no
    // wire's MTU limits.
    await hosts.client.run("ip link set eth0 gso_max_segs 1");
    await Promise.all([
      director.start(),
      furnishRealServers(plan, hosts),
      ...(scenario === "tun" ? tunnelEnds(plan, hosts) : []),
    ]);
    emit({ kind: "kept", hosts: processesOf(hosts) });
    await leash.kept;
  });
}

function tunnelEnds(plan: LabPlan, hosts: ConstructorParameters<typeof Decapsulators>[1]) {
  const decapsulators = new Decapsulators(plan, hosts, emit);
  return plan.realServers.map((server) => decapsulators.start(server));
}
