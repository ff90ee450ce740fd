import { expect, test } from "vitest";
import { examination } from "../../../test/director-facts.ts";
import { Address } from "../../net/address.ts";
import type { HostRoute } from "../host/routes.ts";
import { reversePathFaults } from "./reverse-path-faults.ts";

const out = (interfaceName: string): HostRoute => ({
  kind: "out",
  interfaceName,
  nextHop: Address.parse("10.0.0.254")!,
  hasGateway: true,
  source: undefined,
  mtu: undefined,
});
const NONE: HostRoute = { kind: "none" };

// biome-ignore format: a table
const cases: [what: string, vip: string, route: HostRoute, all: number, own: number, remedy: unknown[]][] = [
  ["the way back is the way in",               "192.0.2.1",   out("eth0"), 1, 1, []],
  ["another way back, and no filter",          "192.0.2.1",   out("eth1"), 0, 0, []],
  ["another way back, and a loose filter",     "192.0.2.1",   out("eth1"), 1, 2, []],
  ["another way back, and a strict filter",    "192.0.2.1",   out("eth1"), 0, 1, ["sysctl -w net.ipv4.conf.eth0.rp_filter=2"]],
  ["the same by all",                          "192.0.2.1",   out("eth1"), 1, 0, ["sysctl -w net.ipv4.conf.eth0.rp_filter=2"]],
  ["no way back, and a loose filter",          "192.0.2.1",   NONE,        0, 2, ["advice"]],
  ["IPv6 has none",                            "2001:db8::1", out("eth1"), 1, 1, []],
];

test.each(cases)("%s", (_, vip, route, all, own, remedy) => {
  const arrival = {
    vip: Address.parse(vip)!,
    card: "eth0",
    client: Address.parse("203.0.113.7")!,
    route,
    reversePathFilter: { all, own, holds: Math.max(all, own) },
  };
  const found = [...reversePathFaults(examination({ arrivals: [arrival, arrival] }))];
  expect(
    found.flatMap((each) => (each.remedy.kind === "commands" ? each.remedy.lines : ["advice"])),
  ).toEqual(remedy);
});
