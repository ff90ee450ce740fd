/**
 * NAT: addresses and ports rewritten in place, every checksum kept true.
 *
 * ip_vs_nat_xmit() with tcp_dnat_handler(), udp_snat_handler() and their kin. A checksum that the network card shall
 * finish (partial) covers only addresses so far, so only they change it.
 */
import * as checksum from "../../net/checksum.ts";
import { IP_PROTOCOL } from "../../net/ip-protocol.ts";
import { crc32c } from "../../net/sctp.ts";
import { readUint16, writeUint16 } from "../../net/words.ts";
import type { Packet } from "../packet.ts";

const TCP_CHECKSUM = 16;
const UDP_CHECKSUM = 6;
const SCTP_CHECKSUM = 8;
const SOURCE_PORT = 0;
const DESTINATION_PORT = 2;

/** The four words of an address, as an Address or a connection's record has them. */
export interface Words {
  readonly w0: number;
  readonly w1: number;
  readonly w2: number;
  readonly w3: number;
}

/** Points the packet at a real server. */
export function rewriteDestination(packet: Packet, to: Words, port: number): void {
  rewriteTransport(packet, packet.destination0, packet.destination1, packet.destination2, packet.destination3, to, DESTINATION_PORT, port);
  if (packet.family === 4) packet.ipv4.setDestination(to.w3);
  else packet.ipv6.setDestination(to.w0, to.w1, to.w2, to.w3);
}

/** Makes a real server's packet come from the virtual service. */
export function rewriteSource(packet: Packet, to: Words, port: number): void {
  rewriteTransport(packet, packet.source0, packet.source1, packet.source2, packet.source3, to, SOURCE_PORT, port);
  if (packet.family === 4) packet.ipv4.setSource(to.w3);
  else packet.ipv6.setSource(to.w0, to.w1, to.w2, to.w3);
}

function rewriteTransport(
  packet: Packet,
  from0: number,
  from1: number,
  from2: number,
  from3: number,
  to: Words,
  portOffset: number,
  port: number,
): void {
  const { bytes, transport, protocol } = packet;
  const portAt = transport + portOffset;
  const portBefore = readUint16(bytes, portAt);
  writeUint16(bytes, portAt, port);
  if (protocol === IP_PROTOCOL.sctp) {
    // SCTP's CRC covers the ports and not the addresses.
    if (portBefore !== port) writeSctpChecksum(packet);
    return;
  }
  const at = transport + (protocol === IP_PROTOCOL.tcp ? TCP_CHECKSUM : UDP_CHECKSUM);
  const before = readUint16(bytes, at);
  if (packet.isChecksumPartial) {
    let partial = checksum.updatePartial32(before, from3, to.w3);
    if (packet.family === 6) {
      partial = checksum.updatePartial32(partial, from0, to.w0);
      partial = checksum.updatePartial32(partial, from1, to.w1);
      partial = checksum.updatePartial32(partial, from2, to.w2);
    }
    writeUint16(bytes, at, partial);
    return;
  }
  if (protocol === IP_PROTOCOL.udp && before === 0) {
    // The sender made no checksum; the kernel gives the datagram a real one.
    const length = packet.end - transport;
    const pseudo = packet.family === 4
      ? packet.ipv4.pseudoHeader(length)
      : packet.ipv6.pseudoHeader(length);
    const moved = checksum.complement(
      update(checksum.complement(pseudo), packet.family, from0, from1, from2, from3, to),
    );
    const sum = checksum.complement(checksum.sum(bytes, transport, packet.end, moved));
    writeUint16(bytes, at, sum || 0xffff);
    return;
  }
  const moved = update(before, packet.family, from0, from1, from2, from3, to);
  const after = checksum.update16(moved, portBefore, port);
  // RFC 768: a UDP checksum that comes out as zero is sent as all ones.
  writeUint16(bytes, at, protocol === IP_PROTOCOL.udp ? after || 0xffff : after);
}

function update(
  before: number,
  family: 4 | 6,
  from0: number,
  from1: number,
  from2: number,
  from3: number,
  to: Words,
): number {
  const after = checksum.update32(before, from3, to.w3);
  if (family === 4) return after;
  return checksum.update32(
    checksum.update32(checksum.update32(after, from0, to.w0), from1, to.w1),
    from2,
    to.w2,
  );
}

function writeSctpChecksum({ bytes, transport, end }: Packet): void {
  const at = transport + SCTP_CHECKSUM;
  bytes.fill(0, at, at + 4);
  const crc = crc32c(bytes, transport, end);
  // RFC 9260 appendix A: the CRC goes on the wire least significant byte first.
  bytes[at] = crc;
  bytes[at + 1] = crc >>> 8;
  bytes[at + 2] = crc >>> 16;
  bytes[at + 3] = crc >>> 24;
}

