/**
 * NAT: addresses and ports rewritten in place, every checksum kept true.
 *
 * ip_vs_nat_xmit() with tcp_dnat_handler(), udp_snat_handler() and their kin. A checksum that the network card shall
 * finish (partial) covers only addresses so far, so only they change it. Of the transport header nothing is believed
 * but that it is there, which Packet has checked.
 */
import * as checksum from "../../net/checksum.ts";
import { IP_PROTOCOL } from "../../net/ip-protocol.ts";
import { PORTS_OFFSET } from "../../net/ports.ts";
import { SctpView } from "../../net/sctp.ts";
import { TCP_OFFSET } from "../../net/tcp.ts";
import { UDP_OFFSET, UdpView } from "../../net/udp.ts";
import { readUint16, writeUint16 } from "../../net/words.ts";
import type { Words } from "../connections/connection-ends.ts";
import type { Packet } from "../packets/packet.ts";

export class Masquerade {
  readonly #udp = UdpView.unplaced();
  readonly #sctp = SctpView.unplaced();

  /** Points the packet at a real server. */
  rewriteDestination(packet: Packet, to: Words, port: number): void {
    const { destination0, destination1, destination2, destination3 } = packet;
    if (packet.family === 4) packet.ipv4.setDestination(to.w3);
    else packet.ipv6.setDestination(to.w0, to.w1, to.w2, to.w3);
    const change = changeOf(packet, destination0, destination1, destination2, destination3, to);
    this.#rewriteTransport(packet, PORTS_OFFSET.destination, port, change);
  }

  /** Makes a real server's packet come from the virtual service. */
  rewriteSource(packet: Packet, to: Words, port: number): void {
    const { source0, source1, source2, source3 } = packet;
    if (packet.family === 4) packet.ipv4.setSource(to.w3);
    else packet.ipv6.setSource(to.w0, to.w1, to.w2, to.w3);
    const change = changeOf(packet, source0, source1, source2, source3, to);
    this.#rewriteTransport(packet, PORTS_OFFSET.source, port, change);
  }

  /** Writes the port and makes good for it and for `change`, the addresses' part. */
  #rewriteTransport(packet: Packet, portAt: number, port: number, change: number): void {
    const { bytes, transport } = packet;
    const before = readUint16(bytes, transport + portAt);
    writeUint16(bytes, transport + portAt, port);
    switch (packet.protocol) {
      case IP_PROTOCOL.tcp:
        adjust(packet, transport + TCP_OFFSET.checksum, change, before, port);
        break;
      case IP_PROTOCOL.udp:
        this.#adjustUdp(packet, change, before, port);
        break;
      case IP_PROTOCOL.sctp:
        // Its checksum knows no addresses.
        if (before !== port) this.#refreshSctp(packet);
        break;
    }
  }

  #adjustUdp(packet: Packet, change: number, before: number, port: number): void {
    const { bytes, transport, end } = packet;
    const at = transport + UDP_OFFSET.checksum;
    if (packet.isChecksumPartial || readUint16(bytes, at) !== 0) {
      adjust(packet, at, change, before, port);
      // RFC 768: a checksum that comes out as zero is sent as all ones.
      if (!packet.isChecksumPartial && readUint16(bytes, at) === 0) writeUint16(bytes, at, 0xffff);
      return;
    }
    // The sender made no checksum; the kernel gives the datagram a real one on its way.
    if (this.#udp.moveTo(bytes, transport, end) !== undefined) return;
    const { length } = this.#udp;
    this.#udp.refreshChecksum(
      packet.family === 4 ? packet.ipv4.pseudoHeader(length) : packet.ipv6.pseudoHeader(length),
    );
  }

  #refreshSctp(packet: Packet): void {
    if (this.#sctp.moveTo(packet.bytes, packet.transport, packet.end) !== undefined) return;
    this.#sctp.refreshChecksum();
    packet.isChecksumPartial = false;
  }
}

/** What the sum over the pseudo-header gains when an address becomes `to`. Of IPv4 only the last word is there. */
function changeOf(
  packet: Packet,
  word0: number,
  word1: number,
  word2: number,
  word3: number,
  to: Words,
): number {
  let change = changeOfWord(word3, to.w3);
  if (packet.family === 6) {
    change += changeOfWord(word2, to.w2) + changeOfWord(word1, to.w1) + changeOfWord(word0, to.w0);
  }
  return checksum.fold(change);
}

/** RFC 1624: subtracting is adding the complement. */
function changeOfWord(before: number, after: number): number {
  return (~before >>> 16) + (~before & 0xffff) + (after >>> 16) + (after & 0xffff);
}

/** RFC 1624 equation 3, or for a partial checksum, which is a sum and not its complement, simply adding. */
function adjust(packet: Packet, at: number, change: number, before: number, port: number): void {
  const { bytes } = packet;
  const value = readUint16(bytes, at);
  if (packet.isChecksumPartial) {
    writeUint16(bytes, at, checksum.fold(value + change));
    return;
  }
  const sum = checksum.complement(value) + change + checksum.complement(before) + port;
  writeUint16(bytes, at, checksum.complement(checksum.fold(sum)));
}
