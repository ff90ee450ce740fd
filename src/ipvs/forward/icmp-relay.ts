/**
 * ICMP errors about connections, on to whom they concern.
 *
 * ip_vs_in_icmp() for errors about replies and about our own tunnel packets, ip_vs_out_icmp() for errors about
 * requests, ip_vs_nat_icmp() for the rewriting of both.
 */
import type { Instant } from "../../base/clock.ts";
import type { Address } from "../../net/address.ts";
import { emitIcmp, ICMP_TYPE, UNREACHABLE_CODE } from "../../net/icmp.ts";
import { FAMILY_OF } from "../../net/ip-family.ts";
import { IP_PROTOCOL } from "../../net/ip-protocol.ts";
import { emitIpv4 } from "../../net/ipv4.ts";
import type { ConnectionOpener } from "../connection-opener.ts";
import { NO_CONNECTION } from "../connections/connection-table.ts";
import { CONNECTION_FLAG, type Flow, FORWARDING, FORWARDING_MASK } from "../connections/flow.ts";
import type { DirectorParts } from "../director-parts.ts";
import type { Host } from "../host.ts";
import { AnsweredOpening } from "../packets/opening.ts";
import type { OutcomeSlot } from "../packets/outcome.ts";
import type { Packet } from "../packets/packet.ts";
import type { Reason } from "../packets/reasons.ts";
import type { Destination } from "../services/destination.ts";
import { errorTos, type Trouble } from "./notices.ts";
import { Quote } from "./quote.ts";
import type { Rewriting } from "./transmit.ts";
import { innerPacketStart, tunnelOverhead } from "./tunnel.ts";

/** RFC 791: every link carries so much. */
const IPV4_MTU_MIN = 68;
/** RFC 1812 section 4.3.2.3, without the headers of the error itself. */
const QUOTE_LENGTH_MAX = 548;

/** Protocols that tunnel packets have. */
const ENCAPSULATION: Readonly<Record<number, "ipip" | "gre" | "gue">> = {
  [IP_PROTOCOL.ipip]: "ipip",
  [IP_PROTOCOL.gre]: "gre",
  [IP_PROTOCOL.udp]: "gue",
};

export class IcmpRelay implements Rewriting {
  readonly #parts: DirectorParts;
  readonly #opener: ConnectionOpener;
  readonly #quote = new Quote();
  readonly #opening = new AnsweredOpening();

  constructor(parts: DirectorParts, opener: ConnectionOpener) {
    this.#parts = parts;
    this.#opener = opener;
  }

  receive(packet: Packet, outcome: OutcomeSlot, now: Instant): OutcomeSlot {
    if (!this.#quote.moveTo(packet)) return outcome.pass("pass-not-balanced");
    return (
      this.#aboutRequest(packet, outcome, now) ??
      this.#aboutTunnel(packet, outcome, now) ??
      this.#aboutReply(packet, outcome, now) ??
      outcome.pass("pass-icmp-unrelated")
    );
  }

  /** From a real server, a router behind it or the host itself, about a request that was sent on: to the client. */
  #aboutRequest(packet: Packet, outcome: OutcomeSlot, now: Instant): OutcomeSlot | undefined {
    const { tracker, services, replies } = this.#parts;
    const { table } = tracker;
    const flow = this.#quote.flow("source");
    if (flow === undefined) return undefined;
    const id = tracker.findByReply(flow, now);
    if (id === NO_CONNECTION) return undefined;
    const destination = services.destination(table.destinationId(id));
    const isMasqueraded = (table.flags(id) & FORWARDING_MASK) === FORWARDING.masquerade;
    if (packet.hook === "wire") {
      const way = replies.hostRoute(packet);
      if (way !== "local" && !isForwarding(this.#parts.host, packet)) {
        return outcome.pass("pass-not-forwarding");
      }
      const refused = isMasqueraded ? replies.prepare(packet, outcome, way) : undefined;
      if (refused !== undefined) return refused;
    }
    if (!isMasqueraded) {
      services.countOut(destination, packet.length);
      return outcome.pass("pass-reply");
    }
    if (!this.#isChecksumRight(packet)) return outcome.drop("drop-bad-checksum");
    const route = replies.route(packet, id);
    if (route === "unreachable") return outcome.drop("drop-unreachable");
    services.countOut(destination, packet.length);
    const tooBig = replies.check(packet, outcome, route, id);
    if (tooBig !== undefined) return tooBig;
    const virtual = tracker.ends.virtual(id);
    if (packet.family === 4) packet.ipv4.setSource(virtual.w3);
    else packet.ipv6.setSource(virtual.w0, virtual.w1, virtual.w2, virtual.w3);
    this.#quote.rewrite("destination", virtual, table.virtualPort(id));
    this.#refreshChecksum(packet);
    return replies.finish(packet, outcome, route, "forward-icmp-reply");
  }

  /** From the client or a router before it, about a reply: to the real server. */
  #aboutReply(packet: Packet, outcome: OutcomeSlot, now: Instant): OutcomeSlot | undefined {
    const { tracker, services, host, transmitter, sysctls } = this.#parts;
    const { table } = tracker;
    const flow = this.#quote.flow("destination");
    if (flow === undefined) return undefined;
    const found = tracker.findByClient(flow, now);
    if (found === NO_CONNECTION && sysctls().schedule_icmp === 0) return undefined;
    // A connection of a firewall mark may be to any address. What is sent there without a mark is seen by the kernel's
    // FORWARD hook, after the host has taken one from the time to live.
    const isForwarded = packet.hook === "wire" && !host.isLocal(packet.destination);
    if (isForwarded && !isForwarding(host, packet)) return outcome.pass("pass-not-local");
    if (isForwarded && packet.timeToLive <= 1) return outcome.drop("drop-time-exceeded");
    const id = found === NO_CONNECTION ? this.#open(flow, packet, outcome, now) : found;
    if (typeof id !== "number") return id;
    if (isForwarded) packet.decrementTimeToLive();
    if (!this.#isChecksumRight(packet)) return outcome.drop("drop-bad-checksum");
    const destination = services.destination(table.destinationId(id));
    services.countIn(destination, packet.length);
    const flags = table.flags(id);
    transmitter.send(packet, outcome, destination, flags & FORWARDING_MASK, id, this);
    if (outcome.verdict === "forward") outcome.reason = "forward-icmp-request";
    if ((flags & CONNECTION_FLAG.onePacket) !== 0) tracker.giveUp(id);
    return outcome;
  }

  /** With schedule_icmp an error of no connection opens one, so that it gets where the client's packets would go. */
  #open(flow: Flow, packet: Packet, outcome: OutcomeSlot, now: Instant): number | OutcomeSlot {
    return this.#opener.openQuoted(this.#opening.fill(flow, packet.mark), packet, outcome, now);
  }

  /** Does to an error about a reply, and to its quote, what NAT did to the request. */
  rewriteDestination(packet: Packet, connection: number): void {
    const { tracker } = this.#parts;
    const to = tracker.ends.to(connection);
    if (packet.family === 4) packet.ipv4.setDestination(to.w3);
    else packet.ipv6.setDestination(to.w0, to.w1, to.w2, to.w3);
    this.#quote.rewrite("source", to, tracker.ends.port(connection));
    this.#refreshChecksum(packet);
  }

  /**
   * From a router on the way to a tunnelled real server, about our own outer packet: the client is told about its
   * own packet. "Fragmentation needed" also teaches the path's MTU, and is told with what the tunnel leaves of it.
   */
  #aboutTunnel(packet: Packet, outcome: OutcomeSlot, now: Instant): OutcomeSlot | undefined {
    const { tracker, services } = this.#parts;
    const outer = this.#quotedTunnel(packet);
    if (outer === undefined) return undefined;
    const { bytes, end } = packet;
    const { inner, server } = outer;
    const { icmp, ipv4 } = this.#quote;
    if (!this.#quote.moveToPacket(bytes, inner, end, 4)) return outcome.pass("pass-icmp-unrelated");
    const flow = this.#quote.flow("source");
    const id = flow === undefined ? NO_CONNECTION : tracker.findByClient(flow, now);
    if (id === NO_CONNECTION) return outcome.pass("pass-icmp-unrelated");
    if (!icmp.isChecksumRight()) return outcome.drop("drop-bad-checksum");
    const destination = services.destination(tracker.table.destinationId(id));
    const { type, code } = icmp;
    let { rest } = icmp;
    const isTooBig = troubleOf(type, code) === "too-big";
    // The kernel tells its routes: ipv4_update_pmtu().
    const finish = (reason: Reason): OutcomeSlot => {
      outcome.replace(reason);
      outcome.teachesHost = isTooBig;
      return outcome;
    };
    if (isTooBig) {
      if (destination.address.equals(server)) services.learnPathMtu(destination, icmp.mtu, now);
      // The client lets its packets be fragmented: it need not know.
      if (!ipv4.dontFragment) return finish("drop-path-mtu-learnt");
      rest = this.#mtuInside(destination);
    }
    const quoted = bytes.subarray(inner, Math.min(ipv4.end, inner + QUOTE_LENGTH_MAX));
    const addresses = { source: ipv4.destination, destination: ipv4.source };
    const header = { protocol: IP_PROTOCOL.icmp, tos: errorTos(ipv4.tos), ...addresses };
    // Twice, as the kernel: the quoted packet here, and the message when its LOCAL_OUT hook sees it.
    services.countOut(destination, end - inner);
    finish("forward-icmp-reply");
    if (!this.#parts.host.mayTell(ipv4.source, troubleOf(type, code))) return outcome;
    const message = emitIpv4(header, emitIcmp({ type, code, rest }, quoted));
    services.countOut(destination, message.length);
    return outcome.withNotice(message);
  }

  /** Where the packet inside the quoted tunnel packet begins, and where that went; undefined when it is not ours. */
  #quotedTunnel(packet: Packet): { readonly inner: number; readonly server: Address } | undefined {
    const { host, services } = this.#parts;
    const { ipv4, protocol, payloadStart } = this.#quote;
    if (packet.family !== 4 || ipv4.fragmentOffset > 0) return undefined;
    const encapsulation = ENCAPSULATION[protocol];
    if (encapsulation === undefined || !isForHost(packet, host)) return undefined;
    const port = encapsulation === "gue" ? (this.#quote.flow("source")?.virtualPort ?? 0) : 0;
    const server = ipv4.destination;
    if (!services.addresses.hasTunnel(server, encapsulation, port)) return undefined;
    const inner = innerPacketStart(packet.bytes, protocol, payloadStart, packet.end);
    return inner === undefined ? undefined : { inner, server };
  }

  /** The largest packet that the destination's tunnel can carry. */
  #mtuInside(destination: Destination): number {
    const route = destination.route(this.#parts.host);
    const mtu = typeof route === "string" ? destination.pathMtu : destination.mtuOf(route);
    const { forwarding } = destination.plan;
    if (forwarding.kind !== "tunnel") return mtu;
    const overhead = tunnelOverhead(forwarding, destination.address);
    return mtu > IPV4_MTU_MIN + overhead ? mtu - overhead : mtu;
  }

  #isChecksumRight(packet: Packet): boolean {
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

function isForwarding(host: Host, packet: Packet): boolean {
  return host.isForwarding(FAMILY_OF[packet.family]);
}

/** Whether the host has routed the packet to itself, or would. */
function isForHost({ hook, destination }: Packet, host: Host): boolean {
  if (hook === "local-in") return true;
  return hook !== "forward" && host.isLocal(destination);
}

/** What an ICMP error is about. */
function troubleOf(type: number, code: number): Trouble["kind"] {
  if (type === ICMP_TYPE.timeExceeded) return "time-exceeded";
  if (type !== ICMP_TYPE.destinationUnreachable) return "host-unreachable";
  if (code === UNREACHABLE_CODE.fragmentationNeeded) return "too-big";
  return code === UNREACHABLE_CODE.port ? "port-unreachable" : "host-unreachable";
}
