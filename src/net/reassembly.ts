/**
 * Reassembly of IP fragments: RFC 791 section 3.2, RFC 8200 section 4.5, RFC 5722.
 *
 * Time does not run by itself here: whoever owns the reassembler calls `expire` when it has time to spare.
 */
import type { Instant } from "../base/clock.ts";
import { type Fragment, markCongestion, type Piece, pieceOf, wholeOf } from "./fragment-piece.ts";
import type { Ipv4View } from "./ipv4.ts";
import type { Ipv6View } from "./ipv6.ts";

export interface ReassemblyLimits {
  /** Datagrams in the making. Fragments of further ones are refused, as the kernel does: old ones time out soon. */
  readonly datagramsMax: number;
  /** Payload bytes of one datagram; 65535 is all that IP can say. */
  readonly bytesPerDatagramMax: number;
  /** A whole datagram at the smallest IPv4 MTU in use, 576, has 119. */
  readonly fragmentsPerDatagramMax: number;
  /** Of all datagrams in the making, with what keeping each fragment costs: the kernel's ipfrag_high_thresh. */
  readonly bytesMax: number;
  /** From the first fragment to arrive. The kernel's ipfrag_time is 30 s; RFC 8200 says 60 s. */
  readonly timeoutMs: number;
}

export const DEFAULT_REASSEMBLY_LIMITS: ReassemblyLimits = {
  datagramsMax: 1024,
  bytesPerDatagramMax: 0xffff,
  fragmentsPerDatagramMax: 256,
  bytesMax: 4 * 1024 * 1024,
  timeoutMs: 30_000,
};

/** What a fragment takes beyond its payload: two objects and an entry. */
const COST_OF_FRAGMENT = 256;

/** Fragment offsets count these. */
const UNIT = 8;

/** What became of fragments and datagrams, since the beginning. */
export interface ReassemblyCounts {
  /** Datagrams made whole. */
  reassembled: number;
  /** Datagrams given up because a fragment did not come in time. */
  timedOut: number;
  /** Datagrams given up because two fragments say different things about the same bytes, or about the end. */
  overlapping: number;
  /** Datagrams given up because of bytesPerDatagramMax or fragmentsPerDatagramMax. */
  tooLarge: number;
  /** Fragments that came again. */
  duplicates: number;
  /** Fragments refused because of datagramsMax or bytesMax. */
  refused: number;
  /** Fragments that no fragmentation makes: a length that is no multiple of 8 before the end, or nothing in it. */
  malformed: number;
}

interface Datagram {
  readonly expiresAt: Instant;
  /** By offset; never overlapping. */
  readonly fragments: Fragment[];
  bytes: number;
  /** The longest fragment as a packet of its own, in bytes. */
  longest: number;
  /** Known when the last fragment is there. */
  length: number | undefined;
  /** The first fragment's headers, made the whole datagram's. */
  header: Uint8Array | undefined;
  /** A fragment met congestion on its way: RFC 3168 section 5.3 wants the whole to say so. */
  metCongestion: boolean;
  /** The first fragment's. */
  mark: number;
}

/** Puts fragments together; what it returns and keeps are copies, so the caller may reuse its buffers. */
export class Reassembler {
  readonly counts: ReassemblyCounts = {
    reassembled: 0,
    timedOut: 0,
    overlapping: 0,
    tooLarge: 0,
    duplicates: 0,
    refused: 0,
    malformed: 0,
  };
  readonly #limits: ReassemblyLimits;
  /** The oldest first: a Map keeps the order of insertion, and all have the same timeout. */
  readonly #datagrams = new Map<string, Datagram>();
  /** That fragments take, of all datagrams. */
  #bytes = 0;
  #longestFragment = 0;
  #mark = 0;

  constructor(limits: Partial<ReassemblyLimits> = {}) {
    this.#limits = { ...DEFAULT_REASSEMBLY_LIMITS, ...limits };
  }

  /** Datagrams in the making. */
  get size(): number {
    return this.#datagrams.size;
  }

  /**
   * Bytes of the longest fragment, as a packet, of what add() made whole last: no piece of it should be longer when it
   * is fragmented again (the kernel's frag_max_size).
   */
  get longestFragment(): number {
    return this.#longestFragment;
  }

  /** The mark of the fragment that begins what add() made whole last: as the kernel's skb_morph() has it. */
  get mark(): number {
    return this.#mark;
  }

  /** When expire() will have something to do next. */
  get nextDeadline(): Instant | undefined {
    for (const { expiresAt } of this.#datagrams.values()) return expiresAt;
    return undefined;
  }

  /**
   * The whole packet when `packet`, a fragment, was the last that it lacked. What is no fragment, or is all of a
   * datagram with a fragment header (RFC 6946), is whole by itself. `mark` is what somebody before said of it.
   */
  add(packet: Ipv4View | Ipv6View, now: Instant, mark = 0): Uint8Array | undefined {
    this.expire(now);
    this.#mark = mark;
    if (!packet.isFragment) return packet.bytes.slice(packet.start, packet.end);
    const piece = pieceOf(packet);
    const { key, offset, payload, moreFragments } = piece;
    if (payload.length === 0 || (moreFragments && payload.length % UNIT !== 0)) {
      this.counts.malformed++;
      return undefined;
    }
    if (offset === 0 && !moreFragments) {
      this.#longestFragment = piece.packetLength;
      return this.#finish(packet, piece.header(), [piece], payload.length);
    }
    if (this.#bytes + payload.length + COST_OF_FRAGMENT > this.#limits.bytesMax) {
      this.counts.refused++;
      return undefined;
    }
    const datagram = this.#datagrams.get(key) ?? this.#begin(key, now);
    if (datagram === undefined) return undefined;

    const fault = this.#insert(datagram, piece);
    if (fault === "duplicates") {
      this.counts.duplicates++;
      return undefined;
    }
    if (fault !== undefined) return this.#giveUp(key, datagram, fault);
    this.#bytes += payload.length + COST_OF_FRAGMENT;
    if (offset === 0) {
      datagram.header = piece.header();
      datagram.mark = mark;
    }
    datagram.metCongestion ||= piece.metCongestion;
    datagram.longest = Math.max(datagram.longest, piece.packetLength);
    if (datagram.bytes !== datagram.length || datagram.header === undefined) return undefined;

    this.#forget(key, datagram);
    this.#longestFragment = datagram.longest;
    this.#mark = datagram.mark;
    if (datagram.metCongestion) markCongestion(datagram.header);
    return this.#finish(packet, datagram.header, datagram.fragments, datagram.length);
  }

  #finish(
    packet: Ipv4View | Ipv6View,
    header: Uint8Array,
    fragments: readonly Fragment[],
    length: number,
  ): Uint8Array | undefined {
    const bytes = wholeOf(packet, header, fragments, length);
    if (bytes === undefined) this.counts.tooLarge++;
    else this.counts.reassembled++;
    return bytes;
  }

  /** Gives up datagrams whose time is over; looks at no others but one. Returns how many. */
  expire(now: Instant): number {
    let expired = 0;
    for (const [key, datagram] of this.#datagrams) {
      if (datagram.expiresAt > now) break;
      this.#forget(key, datagram);
      expired++;
    }
    this.counts.timedOut += expired;
    return expired;
  }

  #begin(key: string, now: Instant): Datagram | undefined {
    if (this.#datagrams.size >= this.#limits.datagramsMax) {
      this.counts.refused++;
      return undefined;
    }
    const datagram: Datagram = {
      expiresAt: (now + this.#limits.timeoutMs) as Instant,
      fragments: [],
      bytes: 0,
      longest: 0,
      length: undefined,
      header: undefined,
      metCongestion: false,
      mark: 0,
    };
    this.#datagrams.set(key, datagram);
    return datagram;
  }

  #giveUp(key: string, datagram: Datagram, reason: "overlapping" | "tooLarge"): undefined {
    this.#forget(key, datagram);
    this.counts[reason]++;
  }

  #forget(key: string, { bytes, fragments }: Datagram): void {
    this.#datagrams.delete(key);
    this.#bytes -= bytes + fragments.length * COST_OF_FRAGMENT;
  }

  #insert(
    datagram: Datagram,
    { offset, payload, moreFragments }: Piece,
  ): "duplicates" | "overlapping" | "tooLarge" | undefined {
    const { fragments } = datagram;
    const end = offset + payload.length;
    // Fragments mostly come in order: look for the place from the end.
    let index = fragments.length;
    while (index > 0 && fragments[index - 1]!.offset >= offset) index--;
    const next = fragments[index];
    if (next?.offset === offset && next.payload.length === payload.length) return "duplicates";
    const previous = fragments[index - 1];
    const overlapsPrevious = previous !== undefined && endOf(previous) > offset;
    const overlapsNext = next !== undefined && next.offset < end;
    if (overlapsPrevious || overlapsNext) return "overlapping";

    const isBehindEnd = datagram.length !== undefined && end > datagram.length;
    const last = fragments.at(-1);
    const isSecondEnd = !moreFragments && last !== undefined && endOf(last) > end;
    if (isBehindEnd || isSecondEnd) return "overlapping";

    if (end > this.#limits.bytesPerDatagramMax) return "tooLarge";
    if (fragments.length >= this.#limits.fragmentsPerDatagramMax) return "tooLarge";
    if (!moreFragments) datagram.length = end;
    fragments.splice(index, 0, { offset, payload: payload.slice() });
    datagram.bytes += payload.length;
    return undefined;
  }
}

function endOf({ offset, payload }: Fragment): number {
  return offset + payload.length;
}
