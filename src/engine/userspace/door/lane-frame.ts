/**
 * What a frame that comes out of the lane tells of its packet, beyond the packet: its Ethernet destination.
 *
 *      0      1      2                    6
 *     | 0x02 | code | netfilter's mark   |  source, type ...
 *
 * The code names the hook, and whether the packet came with "don't fragment", which nft's dup sets on every copy
 * (nf_dup_ipv4()); at LOCAL_IN it also takes one from the copy's time to live (nf_dup_ipv6() from the hop limit). restore()
 * makes both good. 0x02 is the bit of locally administered addresses; the mark is in host byte order, as nft has it.
 */

import type { Hook } from "../../../ipvs/packets/packet.ts";
import * as checksum from "../../../net/checksum.ts";
import { familyAt } from "../../../net/ip-family.ts";
import { IPV4_OFFSET } from "../../../net/ipv4.ts";
import { IPV6_OFFSET } from "../../../net/ipv6.ts";
import { MAC_LENGTH } from "../../../net/mac-address.ts";
import { readUint16, writeUint16 } from "../../../net/words.ts";

/** How a packet reaches the lane, and the Ethernet destination that says so. */
export interface LaneWay {
  readonly hook: Hook;
  readonly dontFragment: boolean;
  /** The last part of the neighbour's address on the lane, of both families. */
  readonly neighbour: number;
  readonly code: number;
}

// biome-ignore format: a table
export const LANE_WAYS = {
  input:                { hook: "local-in",  dontFragment: false, neighbour: 2, code: 0x02 },
  inputDontFragment:    { hook: "local-in",  dontFragment: true,  neighbour: 3, code: 0x03 },
  forward:              { hook: "forward",   dontFragment: false, neighbour: 4, code: 0x04 },
  forwardDontFragment:  { hook: "forward",   dontFragment: true,  neighbour: 5, code: 0x05 },
  output:               { hook: "local-out", dontFragment: false, neighbour: 6, code: 0x06 },
  /** Not duplicated: the frame itself, as it arrived. */
  wire:                 { hook: "wire",      dontFragment: false, neighbour: 7, code: 0x07 },
} as const satisfies Readonly<Record<string, LaneWay>>;

const BY_CODE: readonly (LaneWay | undefined)[] = Array.from({ length: 0x100 }, (_, code) =>
  Object.values(LANE_WAYS).find((way) => way.code === code),
);

export const LANE_MAC_PREFIX = 0x02;
/** Of an Ethernet address on the lane. */
export const MARK_AT = 2;
const CODE_AT = 1;

const DONT_FRAGMENT = 0x4000;
/** "More fragments", and the offset. */
const FRAGMENT = 0x3fff;

/** The Ethernet address of a way's neighbour; the mark's place is filled when a packet goes there. */
export function laneMac({ code }: LaneWay): Uint8Array {
  return Uint8Array.of(LANE_MAC_PREFIX, code, 0, 0, 0, 0);
}

/** How the packet of the frame at `frame` came; undefined of a frame that the door did not send. */
export function wayOf(bytes: Uint8Array, frame: number): LaneWay | undefined {
  return bytes[frame] === LANE_MAC_PREFIX ? BY_CODE[bytes[frame + CODE_AT]!] : undefined;
}

export function markOf(view: DataView, frame: number): number {
  return view.getUint32(frame + MARK_AT, true);
}

/**
 * The index of the interface by which the packet came to the host, where a program at the lane writes it into the frame's
 * source address (at_lane() in bpf/director.bpf.c).
 */
export function arrivalOf(view: DataView, frame: number): number {
  return view.getUint32(frame + MAC_LENGTH, true);
}

/** Gives the IP packet at `start`, 20 bytes at least, back what the way into the lane took from it. */
export function restore(bytes: Uint8Array, start: number, way: LaneWay): void {
  if (way.hook === "local-out" || way.hook === "wire") return;
  if (way.hook === "local-in") addTimeToLive(bytes, start);
  if (familyAt(bytes, start) === "inet6") return;
  const fragment = readUint16(bytes, start + IPV4_OFFSET.fragment);
  // dup set the bit and made the checksum, then the bit was cleared. A fragment's checksum was made after that.
  const summed = fragment & FRAGMENT ? fragment : fragment | DONT_FRAGMENT;
  const right = way.dontFragment ? fragment | DONT_FRAGMENT : fragment;
  writeUint16(bytes, start + IPV4_OFFSET.fragment, right);
  correct(bytes, start, summed, right);
}

/** Adds one to the time to live, or to the hop limit. */
export function addTimeToLive(bytes: Uint8Array, start: number): void {
  if (familyAt(bytes, start) === "inet6") {
    bytes[start + IPV6_OFFSET.hopLimit] = (bytes[start + IPV6_OFFSET.hopLimit]! + 1) & 0xff;
    return;
  }
  const before = readUint16(bytes, start + IPV4_OFFSET.timeToLive);
  bytes[start + IPV4_OFFSET.timeToLive] = (bytes[start + IPV4_OFFSET.timeToLive]! + 1) & 0xff;
  correct(bytes, start, before, readUint16(bytes, start + IPV4_OFFSET.timeToLive));
}

/** Makes up in an IPv4 header's checksum for a word that changed. */
function correct(bytes: Uint8Array, start: number, before: number, after: number): void {
  const at = start + IPV4_OFFSET.checksum;
  writeUint16(bytes, at, checksum.update16(readUint16(bytes, at), before, after));
}
