/** Fragmentation of IPv4 packets, RFC 791 section 3.2. IPv6 packets are fragmented by their sender alone. */
import { IPV4_HEADER_LENGTH, IPV4_OFFSET, Ipv4View } from "./ipv4.ts";
import { writeUint16 } from "./words.ts";

/** "dont-fragment": answer with ICMP fragmentation needed instead. "mtu-too-small": the header leaves no room. */
export type FragmentationFault = "dont-fragment" | "mtu-too-small";

const MORE_FRAGMENTS = 0x2000;
/** Fragment offsets count these. */
const UNIT = 8;

const OPTION = { end: 0, noOperation: 1, copied: 0x80 } as const;

/**
 * The packet in pieces of `mtu` bytes at most, in order; a packet that fits is its only piece. A fragment can be
 * fragmented further. The payload's bytes are copied.
 */
export function fragmentIpv4(packet: Ipv4View, mtu: number): Uint8Array[] | FragmentationFault {
  const { bytes, start, end, payloadStart, headerLength } = packet;
  if (end - start <= mtu) return [bytes.slice(start, end)];
  if (packet.dontFragment) return "dont-fragment";
  // Pieces that came smaller than any network's MTU (68 bytes, RFC 791) go on as small, as the kernel's do.
  const step = Math.floor((mtu - headerLength) / UNIT) * UNIT;
  if (step < UNIT) return "mtu-too-small";

  const header = bytes.slice(start, payloadStart);
  const fragments: Uint8Array[] = [];
  const view = Ipv4View.unplaced();
  for (let from = payloadStart; from < end; from += step) {
    const to = Math.min(from + step, end);
    const fragment = new Uint8Array(headerLength + to - from);
    fragment.set(header);
    fragment.set(bytes.subarray(from, to), headerLength);
    const offset = packet.fragmentOffset + (from - payloadStart);
    const more = to < end || packet.moreFragments ? MORE_FRAGMENTS : 0;
    writeUint16(fragment, IPV4_OFFSET.totalLength, fragment.length);
    writeUint16(fragment, IPV4_OFFSET.fragment, more | (offset / UNIT));
    view.moveTo(fragment, 0, fragment.length);
    view.refreshChecksum();
    fragments.push(fragment);
    blankFirstOnlyOptions(header);
  }
  return fragments;
}

/**
 * Options without the copied flag are in the first fragment only. In the others no-operations take their place, as in
 * the kernel's ip_options_fragment(), so that every fragment's header has the same length.
 */
function blankFirstOnlyOptions(header: Uint8Array): void {
  let option = IPV4_HEADER_LENGTH;
  while (option < header.length) {
    const type = header[option]!;
    if (type === OPTION.end) return;
    if (type === OPTION.noOperation) {
      option++;
      continue;
    }
    const length = header[option + 1] ?? 0;
    if (length < 2 || option + length > header.length) return;
    if ((type & OPTION.copied) === 0) header.fill(OPTION.noOperation, option, option + length);
    option += length;
  }
}
