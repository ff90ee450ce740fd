/**
 * Real servers' packets on their way to clients: what the host does with them before and after IPVS has given them the
 * service's address. handle_response() and ip_vs_route_me_harder() in ip_vs_core.c.
 */
import { type Address, Address as AddressOf } from "../../net/address.ts";
import type { ConnectionEnds } from "../connections/connection-ends.ts";
import type { Host, Route } from "../host.ts";
import type { OutcomeSlot } from "../outcome.ts";
import type { Packet } from "../packet.ts";
import type { Reason } from "../reasons.ts";
import type { Sysctls } from "../sysctls.ts";
import { Masquerade } from "./masquerade.ts";
import type { Refusals } from "./refusals.ts";
import { Wire } from "./wire.ts";

export class Replies {
  readonly #masquerade = new Masquerade();
  readonly #wire = new Wire();
  readonly #host: Host;
  readonly #connections: ConnectionEnds;
  readonly #refusals: Refusals;
  readonly #sysctls: () => Sysctls;

  constructor(host: Host, connections: ConnectionEnds, refusals: Refusals, sysctls: () => Sysctls) {
    this.#host = host;
    this.#connections = connections;
    this.#refusals = refusals;
    this.#sysctls = sysctls;
  }

  /** Where the host would send the packet as it came. */
  hostRoute({ source, destination, mark }: Packet): Route | "local" | "unreachable" {
    return this.#host.routeFrom(source, destination, mark);
  }

  /**
   * Where a masqueraded server's packet leaves once its source is the service's. With snat_reroute routing rules see that
   * source, without it the server's: ip_vs_route_me_harder().
   */
  route(packet: Packet, connection: number): Route | "local" | "unreachable" {
    if (packet.hook === "local-in") return "local";
    if (this.#sysctls().snat_reroute === 0) return this.hostRoute(packet);
    const { destination, mark } = packet;
    return this.#host.routeFrom(this.#virtual(packet, connection), destination, mark);
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
      return this.#refusals.refuse(packet, outcome, "drop-unreachable", {
        kind: "host-unreachable",
      });
    }
    // Unlike IPVS, ip_forward() looks at the length before it spends of the time to live.
    const refused =
      this.#refusals.checkTimeToLive(packet, outcome) ??
      this.#refusals.checkLength(packet, outcome, route.mtu);
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
    const from = this.#connections.virtual(connection);
    this.#masquerade.rewriteSource(packet, from, this.#connections.virtualPort(connection));
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
    if (this.#refusals.fits(packet, route.mtu)) return undefined;
    const virtual = this.#virtual(packet, connection);
    const from = this.#host.isLocal(virtual) ? virtual : undefined;
    outcome.drop("drop-packet-too-big");
    return this.#refusals.tell(packet, outcome, from, { kind: "too-big", mtu: route.mtu });
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
    return this.#wire.fit(packet, outcome.forward(reason, route), route.mtu);
  }

  #virtual({ family }: Packet, connection: number): Address {
    const { w0, w1, w2, w3 } = this.#connections.virtual(connection);
    return family === 4 ? AddressOf.inet(w3) : AddressOf.inet6(w0, w1, w2, w3);
  }
}
