/**
 * Packets as they go on the wire: tunnels' headers put before them, super-packets cut up where the network card cannot
 * do it, and what is too long for the path fragmented. ip_finish_output() and what follows it in the kernel.
 */
import { Address } from "../../net/address.ts";
import { completePartial } from "../../net/checksum.ts";
import { fragmentIpv4 } from "../../net/fragmentation.ts";
import { versionAt } from "../../net/ip-family.ts";
import { IP_PROTOCOL } from "../../net/ip-protocol.ts";
import { Ipv4View } from "../../net/ipv4.ts";
import { Ipv6View } from "../../net/ipv6.ts";
import { fragmentIpv6 } from "../../net/ipv6-fragmentation.ts";
import { SctpView } from "../../net/sctp.ts";
import { segment } from "../../net/segmentation.ts";
import { TCP_OFFSET, tcpHeaderLength } from "../../net/tcp.ts";
import { UDP_HEADER_LENGTH, UDP_OFFSET } from "../../net/udp.ts";
import type { OutcomeSlot } from "../packets/outcome.ts";
import { NO_ARRIVAL, Packet } from "../packets/packet.ts";
import type { Destination } from "../services/destination.ts";
import { Encapsulator, type Tunnel, tunnelOverhead } from "./tunnel.ts";

/** What the length fields of both IP versions can say, at the least. */
const LENGTH_MAX = 0xffff;

/**
 * A super-packet is cut here into no more, which takes about a millisecond. 64 KiB of the smallest segments that hosts take
 * for granted, 536 bytes (RFC 9293 section 3.7.1), are 122; the kernel has the same limit for UDP (UDP_MAX_SEGMENTS).
 */
const SEGMENTS_MAX = 128;

export class Output {
  readonly #encapsulator = new Encapsulator();
  /** For packets that are made here: segments on their way into a tunnel. */
  readonly #scratch = new Packet();
  readonly #inet = Ipv4View.unplaced();
  readonly #inet6 = Ipv6View.unplaced();
  readonly #sctp = SctpView.unplaced();
  readonly #outer = {
    source: Address.inet(0),
    destination: Address.inet(0),
    copiesDontFragment: true,
    identification: 0,
  };
  #identification = 0;

  /** The outcome, which forwards the packet: as it lies, or in parts of `mtu` bytes at most. */
  fit(packet: Packet, outcome: OutcomeSlot, mtu: number): OutcomeSlot {
    if (packet.longestFragment === 0 && packet.length <= mtu) return outcome;
    const limit = Math.min(mtu, packet.longestFragment || mtu);
    if (wireLength(packet) <= limit) return outcome;
    const parts = this.cut(packet, limit);
    return parts === undefined ? outcome.drop("drop-packet-too-big") : outcome.withParts(parts);
  }

  /** Copies of the packet, or of its segments or fragments, of `limit` bytes at most, each with whole checksums; undefined when that cannot be. */
  cut(packet: Packet, limit: number): Uint8Array[] | undefined {
    const whole = this.#wholePackets(packet);
    return whole && this.#cutAll(whole, limit);
  }

  /** As fit(), inside a tunnel from `source` to the destination. */
  tunnel(
    packet: Packet,
    outcome: OutcomeSlot,
    destination: Destination,
    tunnel: Tunnel,
    source: Address,
    copiesDontFragment: boolean,
    mtu: number,
  ): OutcomeSlot {
    const overhead = tunnelOverhead(tunnel, destination.address);
    const outer = this.#outer;
    outer.source = source;
    outer.destination = destination.address;
    outer.copiesDontFragment = copiesDontFragment;
    if (
      packet.segmentSize === 0 &&
      packet.headroom >= overhead &&
      packet.length + overhead <= Math.min(mtu, LENGTH_MAX)
    ) {
      this.#complete(packet);
      outer.identification = this.#nextIdentification();
      this.#encapsulator.encapsulate(packet, tunnel, outer);
      return outcome;
    }
    const whole = this.#wholePackets(packet);
    if (whole === undefined) return outcome.drop("drop-packet-too-big");
    const parts: Uint8Array[] = [];
    for (const each of whole) {
      const bytes = this.#encapsulated(each, tunnel, overhead);
      if (bytes === undefined) return outcome.drop("drop-packet-too-big");
      parts.push(bytes);
    }
    const cut = this.#cutAll(parts, mtu);
    return cut === undefined ? outcome.drop("drop-packet-too-big") : outcome.withParts(cut);
  }

  /** A copy of the packet inside the tunnel; undefined when it is longer than IP can say. */
  #encapsulated(packet: Uint8Array, tunnel: Tunnel, overhead: number): Uint8Array | undefined {
    const length = overhead + packet.length;
    if (length > LENGTH_MAX) return undefined;
    const bytes = new Uint8Array(length);
    bytes.set(packet, overhead);
    const scratch = this.#scratch;
    if (scratch.moveTo(bytes, overhead, length, NO_ARRIVAL) !== undefined) return undefined;
    scratch.headroom = overhead;
    this.#outer.identification = this.#nextIdentification();
    this.#encapsulator.encapsulate(scratch, tunnel, this.#outer);
    return bytes;
  }

  /** The packet as it would be on the wire: its segments if it is a super-packet, with complete checksums. */
  #wholePackets(packet: Packet): Uint8Array[] | undefined {
    const { bytes, start, end, segmentSize } = packet;
    if (segmentSize > 0) {
      if (end - start > segmentSize * SEGMENTS_MAX) return undefined;
      const segments = segment(bytes, start, end, segmentSize);
      return typeof segments === "string" ? undefined : segments;
    }
    this.#complete(packet);
    return [bytes.slice(start, end)];
  }

  /** Finishes the checksum that the network card was to finish. */
  #complete(packet: Packet): void {
    if (!packet.isChecksumPartial) return;
    packet.isChecksumPartial = false;
    const { bytes, transport, end } = packet;
    switch (packet.protocol) {
      case IP_PROTOCOL.tcp:
        completePartial(bytes, transport, transport + TCP_OFFSET.checksum, end);
        break;
      case IP_PROTOCOL.udp:
        completePartial(bytes, transport, transport + UDP_OFFSET.checksum, end);
        break;
      case IP_PROTOCOL.sctp:
        if (this.#sctp.moveTo(bytes, transport, end) === undefined) this.#sctp.refreshChecksum();
        break;
    }
  }

  /** Cuts up those that are longer than `limit`. */
  #cutAll(packets: readonly Uint8Array[], limit: number): Uint8Array[] | undefined {
    const parts: Uint8Array[] = [];
    for (const packet of packets) {
      if (packet.length <= limit) {
        parts.push(packet);
        continue;
      }
      const fragments = this.#fragments(packet, limit);
      if (typeof fragments === "string") return undefined;
      parts.push(...fragments);
    }
    return parts;
  }

  #fragments(packet: Uint8Array, limit: number): Uint8Array[] | string {
    const { length } = packet;
    if (versionAt(packet, 0) === 4) {
      return this.#inet.moveTo(packet, 0, length) ?? fragmentIpv4(this.#inet, limit);
    }
    const fault = this.#inet6.moveTo(packet, 0, length);
    return fault ?? fragmentIpv6(this.#inet6, limit, this.#nextIdentification());
  }

  #nextIdentification(): number {
    this.#identification = (this.#identification + 1) & 0xffff;
    return this.#identification;
  }
}

/** Bytes of the longest IP packet that will be on the wire: a super-packet is cut up before. */
export function wireLength(packet: Packet): number {
  if (packet.segmentSize === 0) return packet.length;
  const { bytes, transport, start } = packet;
  const isTcp = packet.protocol === IP_PROTOCOL.tcp;
  const transportLength = isTcp ? tcpHeaderLength(bytes, transport) : UDP_HEADER_LENGTH;
  return Math.min(transport - start + transportLength + packet.segmentSize, packet.length);
}
