/**
 * Finds what is wrong with a service from what the host says: pure. Each of these makes packets vanish without a word from
 * anybody, with the kernel's IPVS as with ours.
 */
import type { Address } from "../../net/address.ts";
import type { ServiceKey, ServicePlan } from "../desired/service.ts";
import type { Host } from "../host.ts";
import type { Arrivals } from "./arrivals.ts";
import type { Finding } from "./finding.ts";

export interface Facts extends Pick<Host, "isLocal" | "route" | "isForwarding"> {
  /** The host asked for this neighbour, and it did not answer. */
  isSilent(interfaceIndex: number, nextHop: Address): boolean;
  interfaceName(index: number): string | undefined;
  /** What first packets of clients got how far. */
  readonly arrivals: Pick<Arrivals, "vanished" | "comesFromHere">;
}

export function* diagnose(
  { key, destinations, range }: ServicePlan,
  facts: Facts,
): Generator<Finding> {
  const isReachable = key.kind === "mark" || facts.isLocal(key.endpoint.address);
  if (key.kind === "endpoint") {
    if (!isReachable) yield vipNotLocal(key, key.endpoint.address, facts);
    else {
      const packets = facts.arrivals.vanished(key);
      if (packets > 0) yield { code: "filtered", service: key, packets };
    }
  }
  if (range !== undefined && !facts.isLocal(range.address)) {
    yield vipNotLocal(key, range.address, facts);
  }
  let isSilentToItself = false;
  for (const { endpoint, forwarding } of destinations) {
    const server = endpoint.address;
    const route = facts.route(server);
    if (route === "local") continue;
    const { family } = server;
    if (forwarding.kind !== "masquerade") isSilentToItself = true;
    else if (!facts.isForwarding(family)) yield { code: "not-forwarding", family };
    if (route === "unreachable") {
      yield { code: "no-route", service: key, server };
      continue;
    }
    const { interfaceIndex, nextHop } = route;
    if (!facts.isSilent(interfaceIndex, nextHop)) continue;
    const interfaceName = facts.interfaceName(interfaceIndex) ?? `interface ${interfaceIndex}`;
    yield { code: "neighbour-silent", service: key, server, nextHop, interfaceName };
  }
  if (isSilentToItself && key.kind === "endpoint" && facts.arrivals.comesFromHere(key)) {
    yield { code: "local-client", service: key };
  }
}

function vipNotLocal(service: ServiceKey, address: Address, facts: Facts): Finding {
  const route = facts.route(address);
  const isOnLink = typeof route !== "string" && route.nextHop.toString() === address.toString();
  const interfaceName = isOnLink ? facts.interfaceName(route.interfaceIndex) : undefined;
  return { code: "vip-not-local", service, address, interfaceName };
}
