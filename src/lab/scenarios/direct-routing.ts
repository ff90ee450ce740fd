/** The handbook's laboratory: LVS by direct routing. */
import { endpoint } from "../endpoint.ts";
import type { Equipment } from "../network/equipment.ts";
import { experiment } from "./experiment.ts";
import { HIDING, hiddenAddresses } from "./hidden-addresses.ts";
import type { Step } from "./scenario.ts";
import {
  connectionTable,
  handshake,
  requests,
  virtualAddress,
  virtualService,
  webServers,
} from "./service-steps.ts";
import { repliesBypassTheDirector, repliesComeFromRealServers } from "./wire-statements.ts";

export function directRouting(equipment: Equipment): readonly Step[] {
  const { plan, wire } = equipment;
  const hiding = HIDING[plan.family];
  const answered: string[] = [];
  return [
    virtualAddress(plan),
    hiddenAddresses(plan, wire),
    webServers(equipment, "client"),
    virtualService(equipment, "-g", "Route"),
    requests(equipment, answered),
    handshake(equipment, () => endpoint(plan.vip, 80), answered, [
      repliesComeFromRealServers(plan, wire),
      repliesBypassTheDirector(plan, wire),
    ]),
    connectionTable(equipment),
    experiment(
      equipment,
      {
        title: (host) => `the VIP goes down on ${host}`,
        breaking: hiding.remove(plan.vip),
        mending: hiding.add(plan.vip),
      },
      () => answered,
    ),
  ];
}
