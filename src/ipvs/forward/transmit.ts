/**
 * Sending a packet on to where its connection goes: what all methods have in common, then the method.
 *
 * __ip_vs_get_out_rt() in ip_vs_xmit.c: route, time to live, MTU, in this order.
 */
import { FORWARDING } from "../connections/flow.ts";
import type { Route } from "../host.ts";
import type { OutcomeSlot } from "../packets/outcome.ts";
import type { Packet } from "../packets/packet.ts";
import type { Destination } from "../services/destination.ts";
import type { ForwardParts } from "./forward-parts.ts";
import { Masquerade } from "./masquerade.ts";
import { Output } from "./output.ts";
import { tunnelOf, tunnelOverhead } from "./tunnel.ts";

/** A tunnel whose outer packets leave less room than every link of their family has is none: RFC 791, RFC 8200. */
const MTU_MIN = { inet: 68, inet6: 1280 } as const;

/** Points a packet at its connection's real server. */
export interface Rewriting {
  rewriteDestination(packet: Packet, connection: number): void;
}

export class Transmitter implements Rewriting {
  readonly #masquerade = new Masquerade();
  readonly #output = new Output();
  readonly #parts: ForwardParts;

  constructor(parts: ForwardParts) {
    this.#parts = parts;
  }

  /**
   * Sends the packet of a client to `destination` by `method` (FORWARDING's numbers): as the connection has it, because
   * an entry keeps its method when its destination is configured anew. `rewriting` does what NAT asks for.
   */
  send(
    packet: Packet,
    outcome: OutcomeSlot,
    destination: Destination,
    method: number,
    connection: number,
    rewriting: Rewriting = this,
  ): OutcomeSlot {
    if (method === FORWARDING.bypass) return this.#bypass(packet, outcome);
    const route = destination.route(this.#parts.host);
    if (route === "unreachable") {
      return this.#parts.refusals.unreachable(packet, outcome);
    }
    if (route === "local") {
      const isMasqueraded = method === FORWARDING.masquerade;
      if (this.#crossesToLocal(packet, destination, isMasqueraded)) {
        return outcome.drop("drop-crosses-local");
      }
      if (isMasqueraded) rewriting.rewriteDestination(packet, connection);
      return outcome.pass("pass-local-destination");
    }
    if (packet.isSourceLoopback) return outcome.drop("drop-crosses-local");
    const mtu = destination.mtuOf(route);
    if (method === FORWARDING.tunnel) {
      return this.#sendThroughTunnel(packet, outcome, destination, route, mtu);
    }
    const refused = this.#parts.refusals.prepare(packet, outcome, mtu);
    if (refused !== undefined) return refused;
    if (method === FORWARDING.masquerade) {
      rewriting.rewriteDestination(packet, connection);
      return this.#output.fit(packet, outcome.forward("forward-masquerade", route), mtu);
    }
    return this.#output.fit(packet, outcome.forward("forward-route", route), mtu);
  }

  /** Points a TCP, UDP or SCTP packet at its connection's real server. */
  rewriteDestination(packet: Packet, connection: number): void {
    const to = this.#parts.connections.to(connection);
    this.#masquerade.rewriteDestination(packet, to, this.#parts.connections.port(connection));
  }

  /** On to where it was sent, as the host routes it: ip_vs_bypass_xmit(). */
  #bypass(packet: Packet, outcome: OutcomeSlot): OutcomeSlot {
    const route = this.#parts.host.route(packet.destination);
    if (route === "unreachable") {
      return this.#parts.refusals.unreachable(packet, outcome);
    }
    if (route === "local" || packet.isSourceLoopback) return outcome.drop("drop-crosses-local");
    const refused = this.#parts.refusals.prepare(packet, outcome, route.mtu);
    if (refused !== undefined) return refused;
    return this.#output.fit(packet, outcome.forward("forward-bypass", route), route.mtu);
  }

  #sendThroughTunnel(
    packet: Packet,
    outcome: OutcomeSlot,
    destination: Destination,
    route: Route,
    outerMtu: number,
  ): OutcomeSlot {
    const refused = this.#parts.refusals.spendTimeToLive(packet, outcome);
    if (refused !== undefined) return refused;
    const { address } = destination;
    const tunnel = tunnelOf(destination);
    const isPathMtuDiscovered = this.#parts.sysctls().pmtu_disc !== 0;
    const mtu = outerMtu - tunnelOverhead(tunnel, address);
    if (mtu < MTU_MIN[address.family]) return outcome.drop("drop-packet-too-big");
    // Without path MTU discovery outer packets are fragmented.
    if (packet.family === 6 || isPathMtuDiscovered) {
      const tooBig = this.#parts.refusals.checkLength(packet, outcome, mtu);
      if (tooBig !== undefined) return tooBig;
    }
    const forward = outcome.forward("forward-tunnel", route);
    return this.#output.tunnel(
      packet,
      forward,
      destination,
      tunnel,
      route.source,
      isPathMtuDiscovered,
      outerMtu,
    );
  }

  /**
   * Whether a packet may not go to a server on the host itself: crosses_local_route_boundary(). Nobody outside gets to
   * what listens on the loopback alone; without NAT the packet must have been for the host already; and no packet that
   * the host forwards becomes its own.
   */
  #crossesToLocal(packet: Packet, { address }: Destination, isMasqueraded: boolean): boolean {
    if (isMasqueraded && address.isLoopback && !this.#isFromHost(packet)) return true;
    switch (packet.hook) {
      case "local-in":
        return false;
      case "forward":
        return true;
      case "local-out":
        return !isMasqueraded && !this.#parts.host.isLocal(packet.destination);
      case "wire":
        // An ICMP error about a reply, which the host would have forwarded.
        return !this.#parts.host.isLocal(packet.destination);
    }
  }

  /** Whether one of the host's own processes sent the packet: to the host itself it comes round by the loopback. */
  #isFromHost(packet: Packet): boolean {
    if (packet.isSourceLoopback || packet.hook === "local-out") return true;
    // From elsewhere such a source is a martian, which never gets to this hook.
    return packet.hook === "local-in" && this.#parts.host.isLocal(packet.source);
  }
}
