/**
 * ICMP errors about connections, on to whom they concern.
 *
 * ip_vs_in_icmp() for errors about replies and about our own tunnel packets, ip_vs_out_icmp() for errors about
 * requests, ip_vs_nat_icmp() for the rewriting of both.
 */
import type { Instant } from "../../base/clock.ts";
import { emitIcmp, ICMP_TYPE, UNREACHABLE_CODE } from "../../net/icmp.ts";
import { IP_PROTOCOL } from "../../net/ip-protocol.ts";
import { emitIpv4 } from "../../net/ipv4.ts";
import { NO_CONNECTION } from "../connections/connection-table.ts";
import { FORWARDING, FORWARDING_MASK } from "../connections/flow.ts";
import type { Parts } from "../incoming.ts";
import type { OutcomeSlot } from "../outcome.ts";
import type { Packet } from "../packet.ts";
import { Quote } from "./quote.ts";
import { innerPacketStart, tunnelOverhead } from "./tunnel.ts";

/** RFC 791: every link carries so much. */
const IPV4_MTU_MIN = 68;
/** RFC 1812 section 4.3.2.3, without the headers of the error itself. */
const QUOTE_LENGTH_MAX = 548;

export class IcmpRelay {
  readonly #parts: Parts;
  readonly #quote = new Quote();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  receive(packet: Packet, outcome: OutcomeSlot, now: Instant): OutcomeSlot {
    if (!this.#quote.moveTo(packet)) return outcome.pass("pass-not-balanced");
    return (
      this.#aboutTunnel(packet, outcome, now) ??
      this.#aboutRequest(packet, outcome, now) ??
      this.#aboutReply(packet, outcome, now) ??
      outcome.pass("pass-icmp-unrelated")
    );
  }

  /** From a real server or a router behind it, about a request that was sent on: to the client. */
  #aboutRequest(packet: Packet, outcome: OutcomeSlot, now: Instant): OutcomeSlot | undefined {
    const { tracker, services, host, transmitter } = this.#parts;
    const { table } = tracker;
    const flow = this.#quote.flow("source");
    if (flow === undefined) return undefined;
    const id = table.findByReply(flow, now);
    if (id === NO_CONNECTION) return undefined;
    if ((table.flags(id) & FORWARDING_MASK) !== FORWARDING.masquerade) return undefined;
    const route = host.route(packet.destination);
    if (route === "unreachable") return outcome.drop("drop-unreachable");
    if (route !== "local" && !host.isForwarding(packet.family === 4 ? "inet" : "inet6")) {
      return outcome.pass("pass-not-forwarding");
    }
    if (!this.#isChecksumRight(packet)) return outcome.drop("drop-bad-checksum");
    services.countOut(services.destination(table.destinationId(id)), packet.length);
    const refused = transmitter.prepareReply(packet, outcome, route);
    if (refused !== undefined) return refused;
    const virtual = tracker.virtual(id);
    if (packet.family === 4) packet.ipv4.setSource(virtual.w3);
    else packet.ipv6.setSource(virtual.w0, virtual.w1, virtual.w2, virtual.w3);
    this.#quote.rewrite("destination", virtual, table.virtualPort(id));
    this.#refreshChecksum(packet);
    if (route === "local") return outcome.pass("pass-local-destination");
    return outcome.forward("forward-icmp-reply", route);
  }

  /** From the client or a router before it, about a reply: to the real server. */
  #aboutReply(packet: Packet, outcome: OutcomeSlot, now: Instant): OutcomeSlot | undefined {
    const { tracker, services, transmitter } = this.#parts;
    const { table } = tracker;
    const flow = this.#quote.flow("destination");
    if (flow === undefined) return undefined;
    const id = table.findByClient(flow, now);
    if (id === NO_CONNECTION) return undefined;
    if (!this.#isChecksumRight(packet)) return outcome.drop("drop-bad-checksum");
    const destination = services.destination(table.destinationId(id));
    services.countIn(destination, packet.length);
    const method = table.flags(id) & FORWARDING_MASK;
    const port = table.destinationPort(id);
    transmitter.sendIcmp(packet, outcome, destination, method, () => {
      const to = tracker.to(id);
      if (packet.family === 4) packet.ipv4.setDestination(to.w3);
      else packet.ipv6.setDestination(to.w0, to.w1, to.w2, to.w3);
      this.#quote.rewrite("source", to, port);
      this.#refreshChecksum(packet);
    });
    return outcome;
  }

  /**
   * From a router on the way to a tunnelled real server, about our own outer packet: the client is told about its
   * own packet. "Fragmentation needed" also teaches the path's MTU, and is told with what the tunnel leaves of it.
   */
  #aboutTunnel(packet: Packet, outcome: OutcomeSlot, now: Instant): OutcomeSlot | undefined {
    const { tracker, services, host } = this.#parts;
    const { icmp } = this.#quote;
    if (packet.family !== 4) return undefined;
    const { bytes } = packet;
    const inner = innerPacketStart(
      bytes,
      this.#quote.protocol,
      this.#quote.payloadStart,
      packet.end,
    );
    if (inner === undefined || !host.isLocal(packet.destination)) return undefined;
    if (!this.#quote.moveToPacket(bytes, inner, packet.end, 4)) return undefined;
    const flow = this.#quote.flow("source");
    const id = flow === undefined ? NO_CONNECTION : tracker.table.findByClient(flow, now);
    if (id === NO_CONNECTION) return outcome.pass("pass-icmp-unrelated");
    if (!icmp.isChecksumRight()) return outcome.drop("drop-bad-checksum");
    const destination = services.destination(tracker.table.destinationId(id));
    const { forwarding } = destination.plan;
    let rest = 0;
    if (
      icmp.type === ICMP_TYPE.destinationUnreachable &&
      icmp.code === UNREACHABLE_CODE.fragmentationNeeded
    ) {
      destination.learnPathMtu(icmp.mtu, now);
      if (!this.#quote.ipv4.dontFragment) return outcome.drop("drop-packet-too-big");
      const overhead =
        forwarding.kind === "tunnel" ? tunnelOverhead(forwarding, destination.address) : 0;
      rest = icmp.mtu > IPV4_MTU_MIN + overhead ? icmp.mtu - overhead : icmp.mtu;
    }
    const { ipv4 } = this.#quote;
    const quoted = bytes.subarray(inner, Math.min(ipv4.end, inner + QUOTE_LENGTH_MAX));
    const error = emitIcmp({ type: icmp.type, code: icmp.code, rest }, quoted);
    const addresses = { source: ipv4.destination, destination: ipv4.source };
    return outcome
      .drop("forward-icmp-reply")
      .withNotice(emitIpv4({ protocol: IP_PROTOCOL.icmp, tos: 0xc0, ...addresses }, error));
  }

  #isChecksumRight(packet: Packet): boolean {
    if (packet.isChecksumPartial) return true;
    const { icmp, icmpv6 } = this.#quote;
    if (packet.family === 4) return icmp.isChecksumRight();
    return icmpv6.isChecksumRight(packet.ipv6.pseudoHeader(icmpv6.length));
  }

  #refreshChecksum(packet: Packet): void {
    const { icmp, icmpv6 } = this.#quote;
    if (packet.family === 4) icmp.refreshChecksum();
    else icmpv6.refreshChecksum(packet.ipv6.pseudoHeader(icmpv6.length));
  }
}
