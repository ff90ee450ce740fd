/**
 * What a host does with a packet that came to it, by its addresses alone: ip_route_input_slow() and
 * __fib_validate_source() of the kernel's net/ipv4, ip6_route_input() of its net/ipv6.
 */
import type { Address } from "../../net/address.ts";
import type { DropReason } from "../event.ts";
import type { Host } from "../host/host.ts";
import type { NetworkInterface } from "../host/interface.ts";
import type { RouteEntry } from "../host/route.ts";
import { isOwnGroup } from "../neighbours/discovery.ts";

export type Arrival =
  | { readonly kind: "local" | "broadcast" }
  /** `isSourceOnLink`: the sender could have sent it where it goes by itself, when that is by the same card. */
  | { readonly kind: "forward"; readonly route: RouteEntry; readonly isSourceOnLink: boolean }
  /** It would go on, but there is no way: its sender is told. */
  | { readonly kind: "unreachable" }
  /** `isStrange`: it should not have come at all. */
  | { readonly kind: "refused"; readonly reason: DropReason; readonly isStrange: boolean };

const ALL_ONES = -1;

type Refusal = Extract<Arrival, { kind: "refused" }>;

export function arrivalOf(
  host: Host,
  source: Address,
  destination: Address,
  card: NetworkInterface,
  mark = 0,
): Arrival {
  return destination.family === "inet"
    ? arrivalInet(host, source, destination, card, mark)
    : arrivalInet6(host, source, destination, card, mark);
}

function arrivalInet(
  host: Host,
  source: Address,
  destination: Address,
  card: NetworkInterface,
  mark: number,
): Arrival {
  const { settings, routes } = host;
  if (source.isMulticast || source.w3 === ALL_ONES) return strange("martian-source");
  if (destination.w3 === ALL_ONES) return { kind: "broadcast" };
  if (source.w3 >>> 24 === 0) return strange("martian-source");
  if (destination.w3 >>> 24 === 0) return strange("martian-destination");
  const mayLoop = settings.either("route_localnet", card.name);
  if (destination.isLoopback && !mayLoop) return strange("martian-destination");
  if (source.isLoopback && !mayLoop) return strange("martian-source");
  if (destination.isMulticast) return refused("no-listener");
  const route = routes.find(destination, undefined, mark);
  const forwards = settings.own("forwarding", card.name) !== 0;
  if (route === undefined || route.type === "unreachable" || route.type === "blackhole") {
    return forwards ? { kind: "unreachable" } : refused("no-route");
  }
  if (route.type === "local" || route.type === "broadcast") {
    const check = sourceCheck(host, source, card, undefined);
    if (typeof check !== "boolean") return check;
    return { kind: route.type };
  }
  if (!forwards) return refused("not-forwarding");
  const check = sourceCheck(host, source, card, route.interface);
  if (typeof check !== "boolean") return check;
  return { kind: "forward", route, isSourceOnLink: check };
}

/**
 * rp_filter, and whether the source is one of this host's own addresses. Returns whether the source is on the link of
 * the way out.
 */
function sourceCheck(
  { interfaces, routes, settings }: Host,
  source: Address,
  card: NetworkInterface,
  out: NetworkInterface | undefined,
): boolean | Refusal {
  const filter = settings.greater("rp_filter", card.name);
  const acceptsOwn = settings.either("accept_local", card.name);
  const mayRedirect = out === card && settings.either("send_redirects", card.name);
  if (filter === 0 && !mayRedirect) {
    const isOwn = interfaces.some((each) => each.isUp && each.has(source));
    return isOwn && !acceptsOwn ? strange("martian-source") : false;
  }
  const back = routes.find(source);
  if (back === undefined) return filter === 0 ? false : strange("reverse-path");
  if (back.type !== "unicast") {
    return back.type === "local" && acceptsOwn ? false : strange("martian-source");
  }
  if (back.interface === card) return back.gateway === undefined;
  if (card.inet.length === 0) return filter === 0 ? false : strange("reverse-path");
  if (filter === 1) return strange("reverse-path");
  return false;
}

function arrivalInet6(
  host: Host,
  source: Address,
  destination: Address,
  card: NetworkInterface,
  mark: number,
): Arrival {
  if (source.isMulticast) return strange("martian-source");
  if (destination.isMulticast) {
    return isOwnGroup(card, destination) ? { kind: "broadcast" } : refused("no-listener");
  }
  if (destination.isLoopback || source.isLoopback) return strange("martian-source");
  const route = host.routes.find(destination, undefined, mark);
  const forwards = host.settings.own6("forwarding", "all") !== 0;
  if (route?.type === "local") return { kind: "local" };
  if (!forwards) return refused("not-forwarding");
  if (route === undefined || route.type !== "unicast") return { kind: "unreachable" };
  return { kind: "forward", route, isSourceOnLink: false };
}

function refused(reason: DropReason): Refusal {
  return { kind: "refused", reason, isStrange: false };
}

function strange(reason: DropReason): Refusal {
  return { kind: "refused", reason, isStrange: true };
}
