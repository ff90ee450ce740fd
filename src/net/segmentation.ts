/**
 * What a network card does for senders that leave it to the card: cutting one large TCP segment or UDP datagram into
 * those that go on the wire, and finishing checksums. Needed where a packet goes on through something that cannot.
 */
import { IP_PROTOCOL } from "./ip-protocol.ts";
import { IPV4_OFFSET, Ipv4View } from "./ipv4.ts";
import { IPV6_HEADER_LENGTH, IPV6_OFFSET, Ipv6View } from "./ipv6.ts";
import { SctpView } from "./sctp.ts";
import { TCP_FLAG, TCP_OFFSET, TcpView } from "./tcp.ts";
import { UDP_HEADER_LENGTH, UDP_OFFSET, UdpView } from "./udp.ts";
import { writeUint16, writeUint32 } from "./words.ts";

/** "unsupported": neither TCP nor UDP, or a fragment of one. "malformed": not what it says it is. */
export type SegmentationFault = "malformed" | "unsupported";

/** Flags that only the last segment may have: they stand behind all of the payload. */
const ON_LAST_ONLY = TCP_FLAG.fin | TCP_FLAG.psh;

/** RFC 3168 section 6.1.2: the reduction of the congestion window is told once. */
const ON_FIRST_ONLY = TCP_FLAG.cwr;

/**
 * The IP packet in [start, end) as packets of `segmentSize` bytes of transport payload, the last with the rest, each
 * with whole checksums whatever the original's held. IPv4 identifications count up from the original's.
 */
export function segment(
  bytes: Uint8Array,
  start: number,
  end: number,
  segmentSize: number,
): Uint8Array[] | SegmentationFault {
  if (!Number.isInteger(segmentSize) || segmentSize < 1) {
    throw new RangeError(`Cannot cut into ${segmentSize} bytes: expected an integer from 1`);
  }
  const ip = placeIp(bytes, start, end);
  if (ip === undefined) return "malformed";
  if (ip.isFragment) return "unsupported";
  const isTcp = ip.protocol === IP_PROTOCOL.tcp;
  if (!isTcp && ip.protocol !== IP_PROTOCOL.udp) return "unsupported";
  const transport = isTcp ? TcpView.unplaced() : UdpView.unplaced();
  if (transport.moveTo(bytes, ip.payloadStart, ip.end) !== undefined) return "malformed";

  const headers = bytes.slice(ip.start, transport.payloadStart);
  const transportAt = ip.payloadStart - ip.start;
  const segments: Uint8Array[] = [];
  let from = transport.payloadStart;
  do {
    const to = Math.min(from + segmentSize, transport.end);
    const packet = new Uint8Array(headers.length + to - from);
    packet.set(headers);
    packet.set(bytes.subarray(from, to), headers.length);
    writeIpLength(packet, ip, segments.length);
    if (isTcp) {
      const flags = flagsOf(
        packet[transportAt + TCP_OFFSET.flags]!,
        segments.length === 0,
        to === transport.end,
      );
      packet[transportAt + TCP_OFFSET.flags] = flags;
      const sequence = (transport as TcpView).sequence + (from - transport.payloadStart);
      writeUint32(packet, transportAt + TCP_OFFSET.sequence, sequence);
    } else {
      writeUint16(packet, transportAt + UDP_OFFSET.length, UDP_HEADER_LENGTH + to - from);
    }
    refreshChecksums(packet, 0, packet.length);
    segments.push(packet);
    from = to;
  } while (from < transport.end);
  return segments;
}

function flagsOf(flags: number, isFirst: boolean, isLast: boolean): number {
  if (!isLast) flags &= ~ON_LAST_ONLY;
  if (!isFirst) flags &= ~ON_FIRST_ONLY;
  return flags;
}

/** The lengths and the identification of the `index`th packet cut from `original`. */
function writeIpLength(packet: Uint8Array, original: Ipv4View | Ipv6View, index: number): void {
  if (original instanceof Ipv4View) {
    writeUint16(packet, IPV4_OFFSET.totalLength, packet.length);
    writeUint16(packet, IPV4_OFFSET.identification, original.identification + index);
  } else {
    writeUint16(packet, IPV6_OFFSET.payloadLength, packet.length - IPV6_HEADER_LENGTH);
  }
}

/**
 * Computes the transport checksum of the IP packet in [start, end) anew, and IPv4's header checksum: what a partial
 * checksum becomes when it is finished. A UDP datagram without a checksum keeps none.
 */
export function completeChecksum(
  bytes: Uint8Array,
  start: number,
  end: number,
): SegmentationFault | undefined {
  const ip = placeIp(bytes, start, end);
  if (ip === undefined) return "malformed";
  if (ip.isFragment) return "unsupported";
  return refreshChecksums(bytes, start, end);
}

function refreshChecksums(
  bytes: Uint8Array,
  start: number,
  end: number,
): SegmentationFault | undefined {
  const ip = placeIp(bytes, start, end);
  if (ip === undefined) return "malformed";
  if (ip instanceof Ipv4View) ip.refreshChecksum();
  switch (ip.protocol) {
    case IP_PROTOCOL.tcp: {
      const tcp = TcpView.over(bytes, ip.payloadStart, ip.end);
      if (typeof tcp === "string") return "malformed";
      tcp.refreshChecksum(ip.pseudoHeader(tcp.length));
      return undefined;
    }
    case IP_PROTOCOL.udp: {
      const udp = UdpView.over(bytes, ip.payloadStart, ip.end);
      if (typeof udp === "string") return "malformed";
      if (udp.checksum !== 0) udp.refreshChecksum(ip.pseudoHeader(udp.length));
      return undefined;
    }
    case IP_PROTOCOL.sctp: {
      const sctp = SctpView.over(bytes, ip.payloadStart, ip.end);
      if (typeof sctp === "string") return "malformed";
      sctp.refreshChecksum();
      return undefined;
    }
    default:
      return "unsupported";
  }
}

function placeIp(bytes: Uint8Array, start: number, end: number): Ipv4View | Ipv6View | undefined {
  const inet = Ipv4View.over(bytes, start, end);
  if (inet instanceof Ipv4View) return inet;
  const inet6 = Ipv6View.over(bytes, start, end);
  return inet6 instanceof Ipv6View ? inet6 : undefined;
}
