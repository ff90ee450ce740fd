/** Where a packet leaves: the route, the next hop, the source that packets of the host's own carry, what fits. */
import type { Address } from "../../net/address.ts";
import { selectAddress } from "../host/address-choice.ts";
import type { Host } from "../host/host.ts";
import { isInNetworkOf, type NetworkInterface } from "../host/interface.ts";
import type { RouteEntry } from "../host/route.ts";

export interface WayOut {
  readonly interface: NetworkInterface;
  readonly nextHop: Address;
  readonly source: Address;
  /** Largest IP packet in bytes. */
  readonly mtu: number;
  readonly route: RouteEntry;
}

/** "local": to the host itself. */
export function wayOut(
  host: Host,
  destination: Address,
  via?: NetworkInterface,
): WayOut | "local" | "unreachable" {
  const route = host.routes.find(destination, via);
  if (route === undefined || route.type === "unreachable" || route.type === "blackhole") {
    return "unreachable";
  }
  if (route.type === "local") return "local";
  const source = sourceFor(host, route, destination);
  if (source === undefined) return "unreachable";
  return wayBy(host, route, destination, source);
}

/** By a route that was found. */
export function wayBy(
  host: Host,
  route: RouteEntry,
  destination: Address,
  source: Address,
): WayOut {
  const { interface: out, gateway = destination } = route;
  const learnt = host.pathMtus.of(destination) ?? Number.POSITIVE_INFINITY;
  const mtu = Math.min(route.mtu ?? out.mtu, out.mtu, learnt);
  return { interface: out, nextHop: gateway, source, mtu, route };
}

/** The address that a packet of the host's own to `destination` carries. */
export function sourceFor(
  host: Host,
  { source, interface: out, gateway }: RouteEntry,
  destination: Address,
): Address | undefined {
  if (source !== undefined) return source;
  if (destination.family === "inet") {
    return selectAddress(host.interfaces, out, gateway ?? destination, "link");
  }
  return sourceInet6(host, out, destination);
}

/** RFC 6724, as far as it matters here: the destination itself, its scope, then the longest common prefix. */
function sourceInet6(host: Host, out: NetworkInterface, destination: Address): Address | undefined {
  const isLinkLocal =
    destination.isLinkLocal ||
    (destination.isMulticast && (destination.w0 & 0x000f_0000) === 0x0002_0000);
  const onCard = out.inet6.filter(({ scope }) => (scope === "link") === isLinkLocal);
  const elsewhere = host.interfaces.flatMap((each) =>
    each.isUp ? each.inet6.filter(({ scope }) => scope === "global") : [],
  );
  // Of equals the kernel takes the one that came last.
  const candidates = (onCard.length > 0 ? onCard : elsewhere).toReversed();
  const preferred = candidates.filter(({ isDeprecated }) => !isDeprecated);
  const usable = preferred.length > 0 ? preferred : candidates;
  return (usable.find((each) => isInNetworkOf(destination, each)) ?? usable[0])?.address;
}
