/**
 * Fragmentation of IPv6 packets, RFC 8200 section 4.5: for the source of a packet, and for whoever reassembled one.
 *
 *     | fixed header, headers for every hop | fragment header | a piece of the rest
 */
import { IP_PROTOCOL } from "./ip-protocol.ts";
import { IPV6_HEADER_LENGTH, IPV6_OFFSET, type Ipv6View } from "./ipv6.ts";
import { IPV6_FRAGMENT_HEADER_LENGTH } from "./ipv6-extension.ts";
import { writeUint16, writeUint32 } from "./words.ts";

/** Fragment offsets count these. */
const UNIT = 8;
const MORE_FRAGMENTS = 1;

/** "is-fragment": is a piece itself. "mtu-too-small": the headers leave no room. */
export type Ipv6FragmentationFault = "is-fragment" | "mtu-too-small";

/**
 * The packet in pieces of `mtu` bytes at most, in order; a packet that fits is its only piece. `identification` must
 * not have been used lately between these two addresses.
 */
export function fragmentIpv6(
  packet: Ipv6View,
  mtu: number,
  identification: number,
): Uint8Array[] | Ipv6FragmentationFault {
  const { bytes, start, end } = packet;
  if (end - start <= mtu) return [bytes.slice(start, end)];
  if (packet.isFragment) return "is-fragment";
  const { split, announcedAt } = findSplit(packet);
  const headLength = split - start;
  const step = Math.floor((mtu - headLength - IPV6_FRAGMENT_HEADER_LENGTH) / UNIT) * UNIT;
  if (step < UNIT) return "mtu-too-small";

  const head = new Uint8Array(headLength + IPV6_FRAGMENT_HEADER_LENGTH);
  head.set(bytes.subarray(start, split));
  head[headLength] = bytes[announcedAt]!;
  head[announcedAt - start] = IP_PROTOCOL.fragment;
  writeUint32(head, headLength + 4, identification);
  const fragments: Uint8Array[] = [];
  for (let from = split; from < end; from += step) {
    const to = Math.min(from + step, end);
    const fragment = new Uint8Array(head.length + to - from);
    fragment.set(head);
    fragment.set(bytes.subarray(from, to), head.length);
    writeUint16(fragment, IPV6_OFFSET.payloadLength, fragment.length - IPV6_HEADER_LENGTH);
    writeUint16(fragment, headLength + 2, (from - split) | (to < end ? MORE_FRAGMENTS : 0));
    fragments.push(fragment);
  }
  return fragments;
}

/**
 * Where the part ends that every fragment repeats, and which byte says what comes there: behind hop-by-hop options,
 * destination options and a routing header, but before destination options that follow one. The kernel's
 * ip6_find_1stfragopt().
 */
function findSplit({ bytes, start, payloadStart }: Ipv6View): {
  readonly split: number;
  readonly announcedAt: number;
} {
  let split = start + IPV6_HEADER_LENGTH;
  let announcedAt = start + IPV6_OFFSET.nextHeader;
  let hasRouting = false;
  while (split < payloadStart) {
    const header = bytes[announcedAt]!;
    const isOptions = header === IP_PROTOCOL.destinationOptions;
    const isRouting = header === IP_PROTOCOL.routing;
    if (!isOptions && !isRouting && header !== IP_PROTOCOL.hopByHop) break;
    if (isOptions && hasRouting) break;
    hasRouting ||= isRouting;
    announcedAt = split;
    split += (bytes[split + 1]! + 1) * 8;
  }
  return { split, announcedAt };
}
