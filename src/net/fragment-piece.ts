/**
 * What of a fragment its datagram needs, and the datagram that fragments make: where IPv4 (RFC 791 section 3.2) and IPv6
 * (RFC 8200 section 4.5) differ. Which fragments belong together, and for how long they are kept, is reassembly.ts's.
 */
import { familyAt } from "./ip-family.ts";
import { IPV4_OFFSET, Ipv4View } from "./ipv4.ts";
import { IPV6_HEADER_LENGTH, IPV6_OFFSET, type Ipv6View } from "./ipv6.ts";
import { IPV6_FRAGMENT_HEADER_LENGTH } from "./ipv6-extension.ts";
import { writeUint16 } from "./words.ts";

const ECN_MASK = 3;
const CONGESTION_EXPERIENCED = 3;

export interface Fragment {
  /** Of the datagram's payload, in bytes. */
  readonly offset: number;
  readonly payload: Uint8Array;
}

/** A fragment as it came. */
export interface Piece extends Fragment {
  readonly key: string;
  readonly moreFragments: boolean;
  readonly metCongestion: boolean;
  /** As a packet of its own, in bytes. */
  readonly packetLength: number;
  /** The headers before the fragment's payload as the whole datagram will have them but for its length; a copy. */
  header(): Uint8Array;
}

export function pieceOf(packet: Ipv4View | Ipv6View): Piece {
  return packet instanceof Ipv4View ? pieceOfInet(packet) : pieceOfInet6(packet);
}

/** The datagram of which `packet` is a fragment; undefined when IP cannot say its length. */
export function wholeOf(
  packet: Ipv4View | Ipv6View,
  header: Uint8Array,
  fragments: readonly Fragment[],
  length: number,
): Uint8Array | undefined {
  const whole = packet instanceof Ipv4View ? wholeInet : wholeInet6;
  return whole(header, fragments, length);
}

/** RFC 791: source, destination, protocol and identification tell datagrams apart. */
function pieceOfInet(packet: Ipv4View): Piece {
  const { sourceWord, destinationWord, protocol, identification } = packet;
  return {
    key: `${sourceWord} ${destinationWord} ${protocol} ${identification}`,
    offset: packet.fragmentOffset,
    payload: packet.payload,
    moreFragments: packet.moreFragments,
    packetLength: packet.end - packet.start,
    metCongestion: (packet.tos & ECN_MASK) === CONGESTION_EXPERIENCED,
    header: () => packet.bytes.slice(packet.start, packet.payloadStart),
  };
}

/** RFC 8200: source, destination and identification tell datagrams apart. */
function pieceOfInet6(packet: Ipv6View): Piece {
  const { bytes, start, end, fragmentStart } = packet;
  const words = [0, 1, 2, 3].map((i) => `${packet.sourceWord(i)} ${packet.destinationWord(i)}`);
  return {
    key: `${words.join(" ")} ${packet.identification}`,
    offset: packet.fragmentOffset,
    payload: bytes.subarray(fragmentStart + IPV6_FRAGMENT_HEADER_LENGTH, end),
    moreFragments: packet.moreFragments,
    packetLength: end - start,
    metCongestion: (packet.trafficClass & ECN_MASK) === CONGESTION_EXPERIENCED,
    header() {
      const header = bytes.slice(start, fragmentStart);
      header[packet.fragmentAnnouncedAt - start] = bytes[fragmentStart]!;
      return header;
    },
  };
}

/** A header whose sender does not take part in ECN keeps saying so. */
export function markCongestion(header: Uint8Array): void {
  // The lowest bits of IPv4's second byte; IPv6's traffic class begins 4 bits earlier.
  const shift = familyAt(header, 0) === "inet" ? 0 : 4;
  if (((header[1]! >>> shift) & ECN_MASK) !== 0) header[1]! |= CONGESTION_EXPERIENCED << shift;
}

function wholeInet(
  header: Uint8Array,
  fragments: readonly Fragment[],
  length: number,
): Uint8Array | undefined {
  if (header.length + length > 0xffff) return undefined;
  const packet = join(header, fragments, length);
  writeUint16(packet, IPV4_OFFSET.totalLength, packet.length);
  writeUint16(packet, IPV4_OFFSET.fragment, 0);
  const view = Ipv4View.unplaced();
  view.moveTo(packet, 0, packet.length);
  view.refreshChecksum();
  return packet;
}

function wholeInet6(
  header: Uint8Array,
  fragments: readonly Fragment[],
  length: number,
): Uint8Array | undefined {
  const payloadLength = header.length - IPV6_HEADER_LENGTH + length;
  if (payloadLength > 0xffff) return undefined;
  const packet = join(header, fragments, length);
  writeUint16(packet, IPV6_OFFSET.payloadLength, payloadLength);
  return packet;
}

function join(header: Uint8Array, fragments: readonly Fragment[], length: number): Uint8Array {
  const packet = new Uint8Array(header.length + length);
  packet.set(header);
  for (const { offset, payload } of fragments) packet.set(payload, header.length + offset);
  return packet;
}
