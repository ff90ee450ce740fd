/**
 * Takes tunnel packets apart: IP in IP (RFC 2003, RFC 2473), GRE (RFC 2784) and GUE (draft-ietf-intarea-gue), of either
 * family in either.
 *
 * What comes out goes past the host's ingress filters, so nothing does that the host would not take from a wire: see
 * checkInner(). Outer packets in fragments are put together first.
 */
import type { Instant } from "../base/clock.ts";
import type { Address } from "../net/address.ts";
import * as checksum from "../net/checksum.ts";
import { ETHERTYPE } from "../net/ethernet.ts";
import { GreView } from "../net/gre.ts";
import { GueView } from "../net/gue.ts";
import { familyAt } from "../net/ip-family.ts";
import { IP_PROTOCOL } from "../net/ip-protocol.ts";
import { Ipv4View } from "../net/ipv4.ts";
import { Ipv6View } from "../net/ipv6.ts";
import { Reassembler, type ReassemblyCounts } from "../net/reassembly.ts";
import { UdpView } from "../net/udp.ts";
import type { Delivery, Outcome } from "./outcomes.ts";

export interface Policy {
  /** Whether packets to `address` are the host's own. */
  isLocal(address: Address): boolean;
  /** Whether a tunnel may begin at `address`. */
  mayTunnel(address: Address): boolean;
  /** Undefined takes no GUE. */
  readonly guePort: number | undefined;
}

/** Where a packet lies. */
export interface Place {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
}

const ECN_MASK = 3;
const CONGESTION_EXPERIENCED = 3;
const CHECKSUM_LENGTH = 2;

/** Views are moved from packet to packet; only reassembly allocates. */
export class Unwrapper {
  /** What unwrap() found inside, when it says that it is to be delivered. */
  readonly inner: { -readonly [Name in keyof Place]: Place[Name] } = {
    bytes: new Uint8Array(0),
    start: 0,
    end: 0,
  };
  readonly #policy: Policy;
  readonly #reassembler = new Reassembler();
  readonly #outer4 = Ipv4View.unplaced();
  readonly #outer6 = Ipv6View.unplaced();
  readonly #gre = GreView.unplaced();
  readonly #udp = UdpView.unplaced();
  readonly #gue = GueView.unplaced();
  readonly #inner4 = Ipv4View.unplaced();
  readonly #inner6 = Ipv6View.unplaced();
  /** What the headers that were read last announce. */
  #protocol = 0;
  #innerStart = 0;

  constructor(policy: Policy) {
    this.#policy = policy;
  }

  get fragments(): Readonly<ReassemblyCounts> {
    return this.#reassembler.counts;
  }

  /**
   * Takes the IP packet in [start, end) apart. Its bytes are written to where the outer header changes the inner packet.
   *
   * `isMerged`: it is many packets in one (GRO, GSO), of which the kernel has checked the outer checksums, or never made
   * them; and the inner transport checksum is left to whoever sends it on.
   */
  unwrap(
    bytes: Uint8Array,
    start: number,
    end: number,
    now: Instant,
    isMerged: boolean = false,
  ): Outcome {
    const outer = this.#moveOuter(bytes, start, end);
    if (typeof outer === "string") return outer;
    if (!this.#policy.isLocal(outer.destination)) return "drop-outer-destination";
    if (!this.#policy.mayTunnel(outer.source)) return "drop-outer-source";
    if (!outer.isFragment) return this.#openOuter(outer, isMerged);
    const whole = this.#reassembler.add(outer, now);
    if (whole === undefined) return "hold-fragment";
    const made = this.#moveOuter(whole, 0, whole.length);
    return typeof made === "string" ? made : this.#openOuter(made, isMerged);
  }

  #moveOuter(bytes: Uint8Array, start: number, end: number): Ipv4View | Ipv6View | Outcome {
    if (start < end && familyAt(bytes, start) === "inet6") {
      const fault = this.#outer6.moveTo(bytes, start, end);
      return fault === undefined ? this.#outer6 : "drop-outer-malformed";
    }
    if (this.#outer4.moveTo(bytes, start, end) !== undefined) return "drop-outer-malformed";
    return this.#outer4.isChecksumRight() ? this.#outer4 : "drop-outer-checksum";
  }

  #openOuter(outer: Ipv4View | Ipv6View, isMerged: boolean): Outcome {
    // What is behind extension headers (authentication, routing) is not to be had without obeying them.
    if (outer instanceof Ipv6View && outer.hasExtensions) return "drop-outer-malformed";
    const delivery = this.#openTunnel(outer, isMerged);
    switch (delivery) {
      case "deliver-ipip":
      case "deliver-gre":
      case "deliver-gue":
        return this.#openInner(outer, delivery);
      default:
        return delivery;
    }
  }

  /** Leaves in #protocol and #innerStart what the tunnel's headers announce. */
  #openTunnel(outer: Ipv4View | Ipv6View, isMerged: boolean): Outcome {
    switch (outer.protocol) {
      case IP_PROTOCOL.ipip:
      case IP_PROTOCOL.ipv6:
        this.#protocol = outer.protocol;
        this.#innerStart = outer.payloadStart;
        return "deliver-ipip";
      case IP_PROTOCOL.gre:
        return this.#openGre(outer, isMerged);
      case IP_PROTOCOL.udp:
        return this.#openUdp(outer, isMerged);
      default:
        return "drop-outer-malformed";
    }
  }

  #openGre({ bytes, payloadStart, end }: Ipv4View | Ipv6View, isMerged: boolean): Outcome {
    const gre = this.#gre;
    if (gre.moveTo(bytes, payloadStart, end) !== undefined) return "drop-gre-malformed";
    if (!isMerged && !gre.isChecksumRight()) return "drop-gre-checksum";
    // RFC 2890: a key tells one tunnel of two hosts from another, and this one has none.
    if (gre.key !== undefined) return "drop-gre-keyed";
    this.#innerStart = gre.payloadStart;
    if (gre.protocol === ETHERTYPE.ipv4) this.#protocol = IP_PROTOCOL.ipip;
    else if (gre.protocol === ETHERTYPE.ipv6) this.#protocol = IP_PROTOCOL.ipv6;
    else return "drop-gre-protocol";
    return "deliver-gre";
  }

  #openUdp(outer: Ipv4View | Ipv6View, isMerged: boolean): Outcome {
    const udp = this.#udp;
    const { bytes, payloadStart, end } = outer;
    if (udp.moveTo(bytes, payloadStart, end) !== undefined) return "drop-udp-malformed";
    if (udp.destination !== this.#policy.guePort) return "ignore-other-port";
    // None at all is allowed for tunnels over IPv6, too (RFC 6935).
    if (!isMerged && !udp.isChecksumRight(outer.pseudoHeader(udp.length))) {
      return "drop-udp-checksum";
    }
    const gue = this.#gue;
    if (gue.moveTo(bytes, udp.payloadStart, udp.end) !== undefined) return "drop-gue-malformed";
    if (gue.isControl) return "drop-gue-control";
    this.#protocol = gue.protocol;
    this.#innerStart = gue.payloadStart;
    const isIp = gue.protocol === IP_PROTOCOL.ipip || gue.protocol === IP_PROTOCOL.ipv6;
    if (!isIp) return "drop-gue-protocol";
    if (!isMerged && !finishRemoteChecksum(gue, bytes)) return "drop-remote-checksum";
    return "deliver-gue";
  }

  #openInner(outer: Ipv4View | Ipv6View, delivery: Delivery): Outcome {
    const { bytes, end } = outer;
    const inner = this.#protocol === IP_PROTOCOL.ipip ? this.#inner4 : this.#inner6;
    if (inner.moveTo(bytes, this.#innerStart, end) !== undefined) return "drop-inner-malformed";
    if (inner instanceof Ipv4View && !inner.isChecksumRight()) return "drop-inner-checksum";
    const refused = this.#checkInner(inner) ?? passCongestion(outer, inner);
    if (refused !== undefined) return refused;
    this.inner.bytes = bytes;
    this.inner.start = inner.start;
    this.inner.end = inner.end;
    return delivery;
  }

  /**
   * Only for an address of this host's, so that a tunnel is no way round other hosts' filters; and only from elsewhere: no
   * wire brings packets from the host itself, from its loopback, or from its links' neighbours by way of a tunnel.
   */
  #checkInner({ source, destination }: Ipv4View | Ipv6View): Outcome | undefined {
    const policy = this.#policy;
    if (isOfLink(destination) || !policy.isLocal(destination)) return "drop-inner-destination";
    const isStrange = !source.isUnicast || isOfLink(source) || policy.isLocal(source);
    return isStrange ? "drop-inner-source" : undefined;
  }
}

function isOfLink(address: Address): boolean {
  return address.isLoopback || address.isLinkLocal;
}

/** Does what the sender left to us, draft-herbert-remotecsumoffload. False when it lies outside the packet. */
function finishRemoteChecksum(gue: GueView, bytes: Uint8Array): boolean {
  const remote = gue.remoteChecksum;
  if (remote === undefined) return true;
  const start = gue.payloadStart + remote.start;
  const field = gue.payloadStart + remote.field;
  if (start > field || field + CHECKSUM_LENGTH > gue.end) return false;
  checksum.completePartial(bytes, start, field, gue.end);
  return true;
}

/** RFC 6040 section 4.2: congestion on the tunnel's way is told, and a packet that cannot tell is as if lost by it. */
function passCongestion(
  outer: Ipv4View | Ipv6View,
  inner: Ipv4View | Ipv6View,
): Outcome | undefined {
  if ((classOf(outer) & ECN_MASK) !== CONGESTION_EXPERIENCED) return undefined;
  if ((classOf(inner) & ECN_MASK) === 0) return "drop-congestion";
  const { bytes, start } = inner;
  // The traffic class begins half a byte earlier than IPv4's octet.
  bytes[start + 1]! |= inner instanceof Ipv4View ? ECN_MASK : ECN_MASK << 4;
  if (inner instanceof Ipv4View) inner.refreshChecksum();
  return undefined;
}

function classOf(packet: Ipv4View | Ipv6View): number {
  return packet instanceof Ipv4View ? packet.tos : packet.trafficClass;
}
