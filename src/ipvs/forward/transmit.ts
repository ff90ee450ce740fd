/**
 * Sending a packet on to where its connection goes: what all methods have in common, then the method.
 *
 * __ip_vs_get_out_rt() in ip_vs_xmit.c: route, time to live, MTU, in this order.
 */
import type { Address } from "../../net/address.ts";
import type { ConnectionEnds } from "../connections/connection-ends.ts";
import { FORWARDING } from "../connections/flow.ts";
import type { Destination } from "../destination.ts";
import type { Host, Route } from "../host.ts";
import type { OutcomeSlot } from "../outcome.ts";
import type { Packet } from "../packet.ts";
import type { Reason } from "../reasons.ts";
import type { Sysctls } from "../sysctls.ts";
import { Masquerade } from "./masquerade.ts";
import { notice, type Trouble } from "./notices.ts";
import { type Tunnel, tunnelOverhead } from "./tunnel.ts";
import { Wire, wireLength } from "./wire.ts";

/** A tunnel whose outer packets leave less room than every link of their family has is none: RFC 791, RFC 8200. */
const MTU_MIN = { inet: 68, inet6: 1280 } as const;

const IPIP: Tunnel = { kind: "tunnel", encapsulation: "ipip" };

/** Points a packet at its connection's real server. */
export interface Rewriting {
  rewriteDestination(packet: Packet, connection: number): void;
}

export class Transmitter implements Rewriting {
  readonly #masquerade = new Masquerade();
  readonly #wire = new Wire();
  readonly #host: Host;
  readonly #connections: ConnectionEnds;
  readonly #sysctls: () => Sysctls;

  constructor(host: Host, connections: ConnectionEnds, sysctls: () => Sysctls) {
    this.#host = host;
    this.#connections = connections;
    this.#sysctls = sysctls;
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
    const route = destination.route(this.#host);
    if (typeof route === "string") {
      const isMasqueraded = method === FORWARDING.masquerade;
      if (route === "local" && isMasqueraded) {
        if (isExposed(packet, destination)) return outcome.drop("drop-crosses-local");
        rewriting.rewriteDestination(packet, connection);
      }
      if (route === "local") return outcome.pass("pass-local-destination");
      return this.refuse(packet, outcome, "drop-unreachable", { kind: "host-unreachable" });
    }
    if (packet.isSourceLoopback) return outcome.drop("drop-crosses-local");
    const mtu = destination.mtuOf(route);
    if (method === FORWARDING.tunnel) {
      return this.#sendThroughTunnel(packet, outcome, destination, route, mtu);
    }
    const refused = this.#prepare(packet, outcome, mtu);
    if (refused !== undefined) return refused;
    if (method === FORWARDING.masquerade) {
      rewriting.rewriteDestination(packet, connection);
      return this.#wire.fit(packet, outcome.forward("forward-masquerade", route), mtu);
    }
    return this.#wire.fit(packet, outcome.forward("forward-route", route), mtu);
  }

  /** Points a TCP, UDP or SCTP packet at its connection's real server. */
  rewriteDestination(packet: Packet, connection: number): void {
    const to = this.#connections.to(connection);
    this.#masquerade.rewriteDestination(packet, to, this.#connections.port(connection));
  }

  /** On to where it was sent, as the host routes it: ip_vs_bypass_xmit(). */
  #bypass(packet: Packet, outcome: OutcomeSlot): OutcomeSlot {
    const route = this.#host.route(packet.destination);
    if (route === "unreachable") {
      return this.refuse(packet, outcome, "drop-unreachable", { kind: "host-unreachable" });
    }
    if (route === "local" || packet.isSourceLoopback) return outcome.drop("drop-crosses-local");
    const refused = this.#prepare(packet, outcome, route.mtu);
    if (refused !== undefined) return refused;
    return this.#wire.fit(packet, outcome.forward("forward-bypass", route), route.mtu);
  }

  #sendThroughTunnel(
    packet: Packet,
    outcome: OutcomeSlot,
    destination: Destination,
    route: Route,
    outerMtu: number,
  ): OutcomeSlot {
    const refused = this.#spendTimeToLive(packet, outcome);
    if (refused !== undefined) return refused;
    const { address } = destination;
    const tunnel = tunnelOf(destination);
    const isPathMtuDiscovered = this.#sysctls().pmtu_disc !== 0;
    const mtu = outerMtu - tunnelOverhead(tunnel, address);
    if (mtu < MTU_MIN[address.family]) return outcome.drop("drop-packet-too-big");
    // Without path MTU discovery outer packets are fragmented.
    if (packet.family === 6 || isPathMtuDiscovered) {
      const tooBig = this.#checkLength(packet, outcome, mtu);
      if (tooBig !== undefined) return tooBig;
    }
    const forward = outcome.forward("forward-tunnel", route);
    return this.#wire.tunnel(
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
   * What the host's own forwarding does first with a real server's packet towards a client: the refusal when it cannot
   * go. Nothing to be done for one to the host itself.
   */
  prepareReply(
    packet: Packet,
    outcome: OutcomeSlot,
    route: Route | "local" | "unreachable",
  ): OutcomeSlot | undefined {
    if (route === "local") return undefined;
    if (route === "unreachable") {
      return this.refuse(packet, outcome, "drop-unreachable", { kind: "host-unreachable" });
    }
    // Unlike IPVS, ip_forward() looks at the length before it spends of the time to live.
    const refused =
      this.#checkTimeToLive(packet, outcome) ?? this.#checkLength(packet, outcome, route.mtu);
    if (refused === undefined) packet.decrementTimeToLive();
    return refused;
  }

  /** Sends a real server's packet, prepared, on to the client as coming from the service. */
  reply(
    packet: Packet,
    outcome: OutcomeSlot,
    route: Route | "local",
    connection: number,
  ): OutcomeSlot {
    const from = this.#connections.virtual(connection);
    this.#masquerade.rewriteSource(packet, from, this.#connections.virtualPort(connection));
    return this.finishReply(packet, outcome, route, "forward-reply");
  }

  /** Sends a packet towards a client, prepared and rewritten, by the route or into the host's own stack. */
  finishReply(
    packet: Packet,
    outcome: OutcomeSlot,
    route: Route | "local",
    reason: Reason,
  ): OutcomeSlot {
    if (route === "local") return outcome.pass("pass-local-destination");
    return this.#wire.fit(packet, outcome.forward(reason, route), route.mtu);
  }

  /** Drops the packet and tells its source, from the address that it was sent to or that the host has towards it. */
  refuse(packet: Packet, outcome: OutcomeSlot, reason: Reason, trouble: Trouble): OutcomeSlot {
    const from = this.#noticeSource(packet);
    outcome.drop(reason);
    return from === undefined ? outcome : outcome.withNotice(notice(packet, from, trouble));
  }

  /**
   * icmp_send(): the address that the packet was sent to when it is the host's own, else the host's towards the source.
   * A mark that routes to the host makes an address its own for IPv4, but not for IPv6.
   */
  #noticeSource(packet: Packet): Address | undefined {
    if (packet.isMarkedHere && packet.family === 4) return packet.destination;
    if (this.#host.isLocal(packet.destination)) return packet.destination;
    const back = this.#host.route(packet.source);
    return typeof back === "string" ? undefined : back.source;
  }

  /** Takes one from the time to live and sees that the packet fits into `mtu`; the refusal when it cannot go. */
  #prepare(packet: Packet, outcome: OutcomeSlot, mtu: number): OutcomeSlot | undefined {
    return this.#spendTimeToLive(packet, outcome) ?? this.#checkLength(packet, outcome, mtu);
  }

  #spendTimeToLive(packet: Packet, outcome: OutcomeSlot): OutcomeSlot | undefined {
    const refused = this.#checkTimeToLive(packet, outcome);
    if (refused === undefined) packet.decrementTimeToLive();
    return refused;
  }

  #checkTimeToLive(packet: Packet, outcome: OutcomeSlot): OutcomeSlot | undefined {
    if (packet.timeToLive > 1) return undefined;
    return this.refuse(packet, outcome, "drop-time-exceeded", { kind: "time-exceeded" });
  }

  /**
   * ensure_mtu_is_adequate(): a packet that nobody on the way may fragment must fit. One that came in fragments may go
   * on in such.
   */
  #checkLength(packet: Packet, outcome: OutcomeSlot, mtu: number): OutcomeSlot | undefined {
    if (packet.length <= mtu) return undefined;
    const length = packet.longestFragment || wireLength(packet);
    if (length <= mtu) return undefined;
    if (packet.family === 4 && !packet.ipv4.dontFragment) return undefined;
    return this.refuse(packet, outcome, "drop-packet-too-big", { kind: "too-big", mtu });
  }
}

/** Whether somebody outside would be let in to what listens on the loopback alone. */
function isExposed(packet: Packet, { address }: Destination): boolean {
  return address.isLoopback && !packet.isSourceLoopback;
}

/** The destination's tunnel, or plain IP in IP when it was configured anew with another method meanwhile. */
function tunnelOf({ plan: { forwarding } }: Destination): Tunnel {
  return forwarding.kind === "tunnel" ? forwarding : IPIP;
}
