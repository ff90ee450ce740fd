/** A laboratory's plan as a simulation: the same hosts, cards, addresses and settings as its namespaces have. */

import type { HashKey } from "../../ipvs/connections/flow-hash.ts";
import { Address } from "../../net/address.ts";
import { parseMac } from "../../net/mac-address.ts";
import { httpd } from "../../simnet/commands/httpd.ts";
import { PROGRAMS } from "../../simnet/commands/index.ts";
import { broadcastOf } from "../../simnet/host/addresses.ts";
import type { Host } from "../../simnet/host/host.ts";
import { later } from "../../simnet/shell/program.ts";
import { Simulation } from "../../simnet/simulation.ts";
import type { HostPlan, LabPlan } from "../network/plan.ts";
import { macOf } from "../network/plan.ts";

const LOOPBACK = { address: Address.parse("127.0.0.1")!, prefixLength: 8 };
const LOOPBACK6 = { address: Address.parse("::1")!, prefixLength: 128 };

export function simulate(plan: LabPlan, seed: number): Simulation {
  const siteOf = (host: string) => {
    const server = plan.realServers.find((each) => each.host === host);
    return server && { name: server.rip, port: plan.realPort, family: plan.family };
  };
  // The director's is drawn at once: what chance decides later is not to depend on when it is asked for.
  let directorsKey: HashKey | undefined;
  const hashKeyOf = (host: Host): HashKey =>
    host.name === "node01" && directorsKey !== undefined ? directorsKey : drawHashKey(host);
  const programs = {
    ...PROGRAMS,
    httpd: httpd(siteOf),
    ipvsadm: later(async () => (await import("./ipvsadm.ts")).ipvsadm(hashKeyOf)),
  };
  const simulation = new Simulation({ seed, programs });
  const segments = new Set(plan.hosts.flatMap(({ cards }) => cards.map(({ segment }) => segment)));
  for (const segment of segments) simulation.addSwitch(segment);
  for (const host of plan.hosts) addHost(simulation, plan, host);
  directorsKey = drawHashKey(simulation.host("node01"));
  return simulation;
}

function drawHashKey({ random }: Host): HashKey {
  return [random.next(), random.next()];
}

function addHost(simulation: Simulation, plan: LabPlan, { name, cards }: HostPlan): void {
  const host = simulation.addHost(name);
  const isInet6 = plan.family === "inet6";
  host.settings.write("net.ipv6.conf.all.disable_ipv6", isInet6 ? "0" : "1");
  host.settings.write("net.ipv6.conf.default.disable_ipv6", isInet6 ? "0" : "1");
  const lo = host.interface("lo")!;
  host.addresses.add(lo, LOOPBACK);
  if (isInet6) host.addresses.add(lo, LOOPBACK6);
  host.addresses.up(lo);
  for (const { name: card, address: text, segment } of cards) {
    const wire = simulation.switches.find((each) => each.name === segment)!;
    const plugged = host.plug(card, parseMac(macOf(text))!, wire);
    const address = Address.parse(text)!;
    const { prefixLength } = plan;
    host.addresses.add(plugged, {
      address,
      prefixLength,
      broadcast: broadcastOf(address, prefixLength),
    });
    host.addresses.up(plugged);
  }
}
