/** The inside of a bare laboratory: hosts, their director and web servers, and nothing typed yet. */

import type { Family } from "../../net/address.ts";
import { LabFailure } from "../failure.ts";
import { Decapsulators } from "../network/decapsulators.ts";
import { Director } from "../network/director.ts";
import { furnishRealServers } from "../network/host-commands.ts";
import { buildNetwork, type Hosts, processesOf } from "../network/hosts.ts";
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
    const director = new Director(
      hosts,
      plan,
      { engine: undefined, hook: undefined, config: undefined },
      emit,
    );
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

/**
 * What comes out of tunnels comes out of tunl0, as with the kernel's own module, which not every kernel has: with the
 * settings that a fresh one has, and nobody who sets them right again.
 */
const TUNL0 = `
set -e
read -r mac </sys/class/net/sluice-inner/address
ip link add tunl0 address $mac type veth peer name tunl0-wire
echo 1 >/proc/sys/net/ipv4/conf/tunl0/accept_local
ip link set tunl0 up arp off
ip link set tunl0-wire up arp off
nft add table netdev tunl0
nft add chain netdev tunl0 in '{ type filter hook ingress device sluice-inner priority 0; }'
nft add rule netdev tunl0 in fwd to tunl0-wire
`;

function tunnelEnds(plan: LabPlan, hosts: Hosts): readonly Promise<void>[] {
  const decapsulators = new Decapsulators(plan, hosts, emit);
  return plan.realServers.map(async (server) => {
    await decapsulators.start(server);
    if (plan.family === "inet6") return;
    const { code, output } = await hosts[server.host].run(TUNL0);
    if (code !== 0) throw new LabFailure(`${server.host} gets no tunl0: ${output.trim()}`);
  });
}
