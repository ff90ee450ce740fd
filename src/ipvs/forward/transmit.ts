/**
 * Sending a packet on to where its connection goes: what all methods have in common, then the method.
 *
 * __ip_vs_get_out_rt() in ip_vs_xmit.c: route, time to live, MTU, in this order.
 */
import type { Address } from "../../net/address.ts";
import { fragmentIpv4 } from "../../net/fragmentation.ts";
import { Ipv4View } from "../../net/ipv4.ts";
import { completeChecksum, segment } from "../../net/segmentation.ts";
import { FORWARDING } from "../connections/flow.ts";
import type { Destination } from "../destination.ts";
import type { Host, Route } from "../host.ts";
import type { OutcomeSlot } from "../outcome.ts";
import { Packet } from "../packet.ts";
import type { Reason } from "../reasons.ts";
import type { Sysctls } from "../sysctls.ts";
import { Masquerade, type Words } from "./masquerade.ts";
import { notice, type Trouble } from "./notices.ts";
import { encapsulate, type Outer, type Tunnel, tunnelOverhead } from "./tunnel.ts";

/** Smallest MTUs that IPv4 (RFC 791) and IPv6 (RFC 8200) allow. */
const MTU_MIN = { 4: 68, 6: 1280 } as const;

export class Transmitter {
  readonly masquerade = new Masquerade();
  readonly #host: Host;
  readonly #sysctls: () => Sysctls;
  /** For packets that are made here: segments on their way into a tunnel. */
  readonly #scratch = new Packet();
  readonly #fragmented = Ipv4View.unplaced();
  #identification = 0;

  constructor(host: Host, sysctls: () => Sysctls) {
    this.#host = host;
    this.#sysctls = sysctls;
  }

  /**
   * Sends the packet of a client to `destination`, at `to` and `port`, by `method` (FORWARDING's numbers): all three
   * as the connection has them, because an entry keeps its method when its destination is configured anew.
   */
  send(
    packet: Packet,
    outcome: OutcomeSlot,
    destination: Destination,
    method: number,
    to: Words,
    port: number,
  ): OutcomeSlot {
    const route = this.#take(packet, outcome, destination, method);
    if (route === undefined) return outcome;
    if (method === FORWARDING.masquerade) this.masquerade.rewriteDestination(packet, to, port);
    return this.#launch(packet, outcome, destination, method, route);
  }

  /** As send() for an ICMP error about a reply: `rewrite` does to it and its quote what NAT would. */
  sendIcmp(
    packet: Packet,
    outcome: OutcomeSlot,
    destination: Destination,
    method: number,
    rewrite: () => void,
  ): OutcomeSlot {
    const route = this.#take(packet, outcome, destination, method);
    if (route === undefined) return outcome;
    if (method === FORWARDING.masquerade) rewrite();
    this.#launch(packet, outcome, destination, method, route);
    if (outcome.verdict === "forward") outcome.reason = "forward-icmp-request";
    return outcome;
  }

  /** The route that the packet may take, its time to live spent; undefined when `outcome` says why it may not. */
  #take(
    packet: Packet,
    outcome: OutcomeSlot,
    destination: Destination,
    method: number,
  ): Route | "local" | undefined {
    const route = destination.route(this.#host);
    if (route === "local") return route;
    if (route === "unreachable") {
      this.refuse(packet, outcome, "drop-unreachable", { kind: "host-unreachable" });
      return undefined;
    }
    if (packet.source.isLoopback) {
      outcome.drop("drop-crosses-local");
      return undefined;
    }
    const isTunnel = method === FORWARDING.tunnel;
    const overhead = isTunnel ? tunnelOverhead(tunnelOf(destination), destination.address) : 0;
    const mtu = Math.min(route.mtu, destination.pathMtu) - overhead;
    return this.#prepare(packet, outcome, mtu, isTunnel) === undefined ? route : undefined;
  }

  #launch(
    packet: Packet,
    outcome: OutcomeSlot,
    destination: Destination,
    method: number,
    route: Route | "local",
  ): OutcomeSlot {
    if (route === "local") return outcome.pass("pass-local-destination");
    switch (method) {
      case FORWARDING.tunnel:
        outcome.forward("forward-tunnel", route);
        return this.#tunnel(packet, outcome, destination, tunnelOf(destination));
      case FORWARDING.masquerade:
        return this.#fit(packet, outcome.forward("forward-masquerade", route));
      default:
        return this.#fit(packet, outcome.forward("forward-route", route));
    }
  }

  /** Sends a real server's packet on to the client as coming from the service, as the host would forward it. */
  reply(
    packet: Packet,
    outcome: OutcomeSlot,
    route: Route | "local",
    from: Words,
    port: number,
  ): OutcomeSlot {
    if (route === "local") {
      this.masquerade.rewriteSource(packet, from, port);
      return outcome.pass("pass-local-destination");
    }
    const refused = this.prepareReply(packet, outcome, route);
    if (refused !== undefined) return refused;
    this.masquerade.rewriteSource(packet, from, port);
    return this.#fit(packet, outcome.forward("forward-reply", route));
  }

  /** What the host's own forwarding does first with a packet towards a client; the refusal when it cannot go. */
  prepareReply(
    packet: Packet,
    outcome: OutcomeSlot,
    route: Route | "local",
  ): OutcomeSlot | undefined {
    return route === "local" ? undefined : this.#prepare(packet, outcome, route.mtu, false);
  }

  /** Drops the packet and tells its source, from the address that it was sent to or that the host has towards it. */
  refuse(packet: Packet, outcome: OutcomeSlot, reason: Reason, trouble: Trouble): OutcomeSlot {
    const from = this.#noticeSource(packet);
    outcome.drop(reason);
    return from === undefined ? outcome : outcome.withNotice(notice(packet, from, trouble));
  }

  /** icmp_send(): the address that the packet was sent to when it is the host's own, else the host's towards the source. */
  #noticeSource(packet: Packet): Address | undefined {
    if (this.#host.isLocal(packet.destination)) return packet.destination;
    const back = this.#host.route(packet.source);
    return typeof back === "string" ? undefined : back.source;
  }

  /** Takes one from the time to live and sees that the packet fits into `mtu`; the refusal when it cannot go. */
  #prepare(
    packet: Packet,
    outcome: OutcomeSlot,
    mtu: number,
    isTunnel: boolean,
  ): OutcomeSlot | undefined {
    if (packet.timeToLive <= 1) {
      return this.refuse(packet, outcome, "drop-time-exceeded", { kind: "time-exceeded" });
    }
    packet.decrementTimeToLive();
    if (isTunnel && mtu < MTU_MIN[packet.family]) return outcome.drop("drop-packet-too-big");
    if (isTunnel && packet.family === 4 && !this.#sysctls().pmtu_disc) return undefined;
    const isBound = packet.family === 6 || packet.ipv4.dontFragment;
    if (isBound && wireLength(packet) > mtu) {
      return this.refuse(packet, outcome, "drop-packet-too-big", { kind: "too-big", mtu });
    }
    return undefined;
  }

  /** Cuts an IPv4 packet that is too long and may be fragmented. */
  #fit(packet: Packet, outcome: OutcomeSlot): OutcomeSlot {
    const { mtu } = outcome.route!;
    if (packet.family === 6 || wireLength(packet) <= mtu) return outcome;
    const whole = this.#wholePackets(packet);
    return whole === undefined
      ? outcome.drop("drop-packet-too-big")
      : this.#sendParts(outcome, whole);
  }

  /** The packet as it would be on the wire: its segments if it is a super-packet, with complete checksums. */
  #wholePackets(packet: Packet): Uint8Array[] | undefined {
    const { bytes, start, end, segmentSize } = packet;
    if (segmentSize > 0) {
      const segments = segment(bytes, start, end, segmentSize);
      return typeof segments === "string" ? undefined : segments;
    }
    this.#complete(packet);
    return [bytes.slice(start, end)];
  }

  #complete(packet: Packet): void {
    if (!packet.isChecksumPartial) return;
    completeChecksum(packet.bytes, packet.start, packet.end);
    packet.isChecksumPartial = false;
  }

  #tunnel(
    packet: Packet,
    outcome: OutcomeSlot,
    destination: Destination,
    method: Tunnel,
  ): OutcomeSlot {
    const overhead = tunnelOverhead(method, destination.address);
    const { source, mtu } = outcome.route!;
    if (
      packet.segmentSize === 0 &&
      packet.headroom >= overhead &&
      packet.length + overhead <= mtu
    ) {
      this.#complete(packet);
      encapsulate(packet, method, this.#outer(source, destination));
      return outcome;
    }
    const whole = this.#wholePackets(packet);
    if (whole === undefined) return outcome.drop("drop-packet-too-big");
    const { interfaceIndex, isUnicast, mark } = packet;
    const arrival = { interfaceIndex, isUnicast, mark, segmentSize: 0, isChecksumPartial: false };
    const parts = whole.flatMap((each) => {
      const bytes = new Uint8Array(overhead + each.length);
      bytes.set(each, overhead);
      const scratch = this.#scratch;
      const fault = scratch.moveTo(bytes, overhead, bytes.length, {
        ...arrival,
        headroom: overhead,
      });
      if (fault !== undefined) return [];
      encapsulate(scratch, method, this.#outer(source, destination));
      return [bytes];
    });
    return this.#sendParts(outcome, parts);
  }

  #outer(source: Address, destination: Destination): Outer {
    return {
      source,
      destination: destination.address,
      copiesDontFragment: this.#sysctls().pmtu_disc,
      identification: this.#nextIdentification(),
    };
  }

  /** Sends `packets` instead of the one that came, each cut up where it is too long for the route. */
  #sendParts(outcome: OutcomeSlot, packets: readonly Uint8Array[]): OutcomeSlot {
    const { mtu } = outcome.route!;
    const parts: Uint8Array[] = [];
    for (const packet of packets) {
      if (packet.length <= mtu || this.#fragmented.moveTo(packet, 0, packet.length) !== undefined) {
        parts.push(packet);
        continue;
      }
      const fragments = fragmentIpv4(this.#fragmented, mtu);
      if (typeof fragments === "string") return outcome.drop("drop-packet-too-big");
      parts.push(...fragments);
    }
    return outcome.withParts(parts);
  }

  #nextIdentification(): number {
    this.#identification = (this.#identification + 1) & 0xffff;
    return this.#identification;
  }
}

/** The destination's tunnel, or plain IP in IP when it was configured anew with another method meanwhile. */
function tunnelOf({ plan: { forwarding } }: Destination): Tunnel {
  return forwarding.kind === "tunnel" ? forwarding : { kind: "tunnel", encapsulation: "ipip" };
}

/** Bytes of the longest IP packet that will be on the wire: a super-packet is cut up before. */
function wireLength(packet: Packet): number {
  if (packet.segmentSize === 0) return packet.length;
  const { bytes, transport, start } = packet;
  const transportLength = packet.protocol === 6 ? (bytes[transport + 12]! >>> 4) * 4 : 8;
  return transport - start + transportLength + packet.segmentSize;
}
