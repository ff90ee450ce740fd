/**
 * Real servers' packets on their way to clients: what the host does with them before and after IPVS has given them the
 * service's address. handle_response() and ip_vs_route_me_harder() in ip_vs_core.c.
 */
import { type Address, Address as AddressOf } from "../../net/address.ts";
import type { Route } from "../host.ts";
import type { OutcomeSlot } from "../packets/outcome.ts";
import type { Packet } from "../packets/packet.ts";
import type { Reason } from "../packets/reasons.ts";
import type { ForwardParts } from "./forward-parts.ts";
import { Masquerade } from "./masquerade.ts";
import { Output } from "./output.ts";

export class Replies {
  readonly #masquerade = new Masquerade();
  readonly #output = new Output();
  readonly #parts: ForwardParts;

  constructor(parts: ForwardParts) {
    this.#parts = parts;
  }

  /** Where the host would send the packet as it came. */
  hostRoute({ source, destination, mark }: Packet): Route | "local" | "unreachable" {
    return this.#parts.host.routeFrom(source, destination, mark);
  }

  /**
   * Where a masqueraded server's packet leaves once its source is the service's. With snat_reroute routing rules see that
   * source, without it the server's: ip_vs_route_me_harder().
   */
  route(packet: Packet, connection: number): Route | "local" | "unreachable" {
    if (packet.hook === "local-in") return "local";
    if (this.#parts.sysctls().snat_reroute === 0) return this.hostRoute(packet);
    const { destination, mark } = packet;
    return this.#parts.host.routeFrom(this.#virtual(packet, connection), destination, mark);
  }

  /**
   * What the host's own forwarding does first with a real server's packet towards a client: the refusal when it cannot
   * go. Nothing to be done for one to the host itself.
   */
  prepare(
    packet: Packet,
    outcome: OutcomeSlot,
    route: Route | "local" | "unreachable",
  ): OutcomeSlot | undefined {
    if (route === "local") return undefined;
    if (route === "unreachable") {
      return this.#parts.refusals.unreachable(packet, outcome);
    }
    // Unlike IPVS, ip_forward() looks at the length before it spends of the time to live.
    const refused =
      this.#parts.refusals.checkTimeToLive(packet, outcome) ??
      this.#parts.refusals.checkLength(packet, outcome, route.mtu);
    if (refused === undefined) packet.decrementTimeToLive();
    return refused;
  }

  /** Sends a real server's packet on to the client as coming from the service, by route(). */
  send(
    packet: Packet,
    outcome: OutcomeSlot,
    route: Route | "local",
    connection: number,
  ): OutcomeSlot {
    const refused = this.check(packet, outcome, route, connection);
    if (refused !== undefined) return refused;
    const from = this.#parts.connections.virtual(connection);
    this.#masquerade.rewriteSource(packet, from, this.#parts.connections.virtualPort(connection));
    return this.finish(packet, outcome, route, "forward-reply");
  }

  /**
   * Whether a real server's packet, which the host has let through, also fits its new route; the refusal when not. It has
   * the service's source by then, so that ip_fragment() tells the service, and IPVS hands that on to the server.
   */
  check(
    packet: Packet,
    outcome: OutcomeSlot,
    route: Route | "local",
    connection: number,
  ): OutcomeSlot | undefined {
    if (route === "local" || packet.hook === "local-out") return undefined;
    if (this.#parts.refusals.fits(packet, route.mtu)) return undefined;
    const virtual = this.#virtual(packet, connection);
    const from = this.#parts.host.isLocal(virtual) ? virtual : undefined;
    outcome.drop("drop-packet-too-big");
    return this.#parts.refusals.tell(packet, outcome, from, { kind: "too-big", mtu: route.mtu });
  }

  /** Sends a packet towards a client, rewritten, by the route or into the host's own stack. */
  finish(
    packet: Packet,
    outcome: OutcomeSlot,
    route: Route | "local",
    reason: Reason,
  ): OutcomeSlot {
    if (packet.hook === "local-out") return outcome.pass("pass-reply-rewritten");
    if (route === "local") return outcome.pass("pass-local-destination");
    return this.#output.fit(packet, outcome.forward(reason, route), route.mtu);
  }

  #virtual({ family }: Packet, connection: number): Address {
    const { w0, w1, w2, w3 } = this.#parts.connections.virtual(connection);
    return family === 4 ? AddressOf.inet(w3) : AddressOf.inet6(w0, w1, w2, w3);
  }
}
