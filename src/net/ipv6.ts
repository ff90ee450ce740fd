/**
 * IPv6, RFC 8200.
 *
 *      0                                   4                6             7           8        24
 *     | version, traffic class, flow label | payload length | next header | hop limit | source | destination |
 *      40
 *     | extension headers ... | upper-layer header ...
 */
import { Address } from "./address.ts";
import * as checksum from "./checksum.ts";
import { findUpperLayer, type UpperLayer } from "./ipv6-extension.ts";
import { View } from "./view.ts";
import { fits, readInt32, readUint16, readUint32, writeUint16, writeUint32 } from "./words.ts";

export const IPV6_HEADER_LENGTH = 40;
export const IPV6_PAYLOAD_LENGTH_MAX = 0xffff;

/**
 * "truncated": ends before its header, its payload length or an extension header does; a jumbogram (RFC 2675) is
 * truncated too, because its payload length is 0. "too-many-headers": the walk over extension headers was given up.
 */
export type Ipv6Fault = "truncated" | "bad-version" | "too-many-headers";

/** What the fixed header says, free of where it lies. */
export interface Ipv6Header {
  readonly trafficClass: number;
  readonly flowLabel: number;
  readonly hopLimit: number;
  /** The upper layer's number; with `extensions`, the first extension header's. */
  readonly nextHeader: number;
  readonly source: Address;
  readonly destination: Address;
}

/** A header to be made; what is left out is 0, and the hop limit 64. */
export type Ipv6Fields = Pick<Ipv6Header, "nextHeader" | "source" | "destination"> &
  Partial<Ipv6Header>;

/** Where the fields lie, for those who write a header without a view. */
export const IPV6_OFFSET = {
  first: 0,
  payloadLength: 4,
  nextHeader: 6,
  hopLimit: 7,
  source: 8,
  destination: 24,
} as const;
const at = IPV6_OFFSET;

const FRAGMENT_OFFSET_MASK = 0xfff8;
const DEFAULT_HOP_LIMIT = 64;

/** An IPv6 packet where it lies: every read and write goes to the packet's own bytes. */
export class Ipv6View extends View {
  readonly #upper: UpperLayer = {
    protocol: 0,
    start: 0,
    fragmentStart: -1,
    fragmentAnnouncedAt: -1,
  };

  /**
   * Moves to the packet at `start` and walks to its upper layer, or says what is wrong and stays. What follows the
   * packet's payload length is left out of the window.
   */
  moveTo(bytes: Uint8Array, start: number, end: number): Ipv6Fault | undefined {
    const fault = checkHeader(bytes, start, end);
    if (fault !== undefined) return fault;
    const stop = start + IPV6_HEADER_LENGTH + readUint16(bytes, start + at.payloadLength);
    return stop > end ? "truncated" : this.#walk(bytes, start, stop);
  }

  /** As moveTo() for a packet that an ICMP error quotes: only its headers need be whole. */
  moveToQuote(bytes: Uint8Array, start: number, end: number): Ipv6Fault | undefined {
    const fault = checkHeader(bytes, start, end);
    if (fault !== undefined) return fault;
    const stop = start + IPV6_HEADER_LENGTH + readUint16(bytes, start + at.payloadLength);
    return this.#walk(bytes, start, Math.min(stop, end));
  }

  #walk(bytes: Uint8Array, start: number, end: number): Ipv6Fault | undefined {
    const first = bytes[start + at.nextHeader]!;
    const fault = findUpperLayer(bytes, start + IPV6_HEADER_LENGTH, end, first, this.#upper);
    if (fault !== undefined) return fault;
    return this.place(bytes, start, end);
  }

  /** Where the upper-layer header begins, behind the extension headers. */
  get payloadStart(): number {
    return this.#upper.start;
  }

  /** The upper layer's protocol, behind the extension headers. */
  get protocol(): number {
    return this.#upper.protocol;
  }

  get hasExtensions(): boolean {
    return this.#upper.start > this.start + IPV6_HEADER_LENGTH;
  }

  /** What the fixed header says comes next: an extension header or the upper layer. */
  get nextHeader(): number {
    return this.bytes[this.start + at.nextHeader]!;
  }

  get trafficClass(): number {
    return (readUint16(this.bytes, this.start) >>> 4) & 0xff;
  }

  get flowLabel(): number {
    return readUint32(this.bytes, this.start) & 0xfffff;
  }

  /** Of everything behind the fixed header, extension headers included. */
  get payloadLength(): number {
    return readUint16(this.bytes, this.start + at.payloadLength);
  }

  get hopLimit(): number {
    return this.bytes[this.start + at.hopLimit]!;
  }

  /** Word `index`, 0 to 3, of the source: signed, as in Address. */
  sourceWord(index: number): number {
    return readInt32(this.bytes, this.start + at.source + 4 * index);
  }

  destinationWord(index: number): number {
    return readInt32(this.bytes, this.start + at.destination + 4 * index);
  }

  get source(): Address {
    return Address.fromBytes(this.bytes, this.start + at.source, "inet6");
  }

  get destination(): Address {
    return Address.fromBytes(this.bytes, this.start + at.destination, "inet6");
  }

  /** Has a fragment header, though perhaps everything is in it (an atomic fragment, RFC 6946). */
  get isFragment(): boolean {
    return this.#upper.fragmentStart >= 0;
  }

  /** True for a fragment that begins with the upper-layer header. */
  get isFirstFragment(): boolean {
    return this.isFragment && this.fragmentOffset === 0;
  }

  /** In bytes; 0 without a fragment header. */
  get fragmentOffset(): number {
    return this.#fragmentWord & FRAGMENT_OFFSET_MASK;
  }

  get moreFragments(): boolean {
    return (this.#fragmentWord & 1) !== 0;
  }

  /** 0 without a fragment header. */
  get identification(): number {
    return this.isFragment ? readUint32(this.bytes, this.#upper.fragmentStart + 4) : 0;
  }

  /** Where the fragment header begins, or -1. */
  get fragmentStart(): number {
    return this.#upper.fragmentStart;
  }

  /** Which byte says that the fragment header comes next; -1 without one. */
  get fragmentAnnouncedAt(): number {
    if (!this.isFragment) return -1;
    const { fragmentAnnouncedAt } = this.#upper;
    return fragmentAnnouncedAt < 0 ? this.start + at.nextHeader : fragmentAnnouncedAt;
  }

  get #fragmentWord(): number {
    return this.isFragment ? readUint16(this.bytes, this.#upper.fragmentStart + 2) : 0;
  }

  get payload(): Uint8Array {
    return this.bytes.subarray(this.payloadStart, this.end);
  }

  get header(): Ipv6Header {
    return {
      trafficClass: this.trafficClass,
      flowLabel: this.flowLabel,
      hopLimit: this.hopLimit,
      nextHeader: this.nextHeader,
      source: this.source,
      destination: this.destination,
    };
  }

  /**
   * The pseudo-header's sum for this packet's transport header and payload, `length` bytes together. With a routing
   * header whose segments are not used up, the sum is right only at the final destination (RFC 8200 section 8.1).
   */
  pseudoHeader(length: number): number {
    const addresses = this.start + at.source;
    const sum = checksum.sum(this.bytes, addresses, this.start + IPV6_HEADER_LENGTH);
    return checksum.fold(sum + this.protocol + checksum.sumOfWord(length));
  }

  /** Takes one from the hop limit and returns what is left. 0 stays 0. */
  decrementHopLimit(): number {
    const { hopLimit } = this;
    if (hopLimit === 0) return 0;
    this.bytes[this.start + at.hopLimit] = hopLimit - 1;
    return hopLimit - 1;
  }

  /** Writes the address; the transport's checksum is the caller's to adjust, word by word. */
  setSource(w0: number, w1: number, w2: number, w3: number): void {
    this.#setAddress(this.start + at.source, w0, w1, w2, w3);
  }

  setDestination(w0: number, w1: number, w2: number, w3: number): void {
    this.#setAddress(this.start + at.destination, w0, w1, w2, w3);
  }

  #setAddress(start: number, w0: number, w1: number, w2: number, w3: number): void {
    writeUint32(this.bytes, start, w0);
    writeUint32(this.bytes, start + 4, w1);
    writeUint32(this.bytes, start + 8, w2);
    writeUint32(this.bytes, start + 12, w3);
  }
}

function checkHeader(bytes: Uint8Array, start: number, end: number): Ipv6Fault | undefined {
  if (!fits(bytes, start, end, 1)) return "truncated";
  if (bytes[start]! >>> 4 !== 6) return "bad-version";
  return end - start < IPV6_HEADER_LENGTH ? "truncated" : undefined;
}

/** Writes the fixed header at `start`, for `payloadLength` bytes after it. Allocates nothing. */
export function writeIpv6Header(
  bytes: Uint8Array,
  start: number,
  fields: Ipv6Fields,
  payloadLength: number,
): void {
  if (payloadLength > IPV6_PAYLOAD_LENGTH_MAX) {
    throw new RangeError(
      `Cannot write an IPv6 packet with ${payloadLength} bytes of payload: expected ${IPV6_PAYLOAD_LENGTH_MAX} at most`,
    );
  }
  const trafficClass = fields.trafficClass ?? 0;
  writeUint32(bytes, start, (6 << 28) | (trafficClass << 20) | (fields.flowLabel ?? 0));
  writeUint16(bytes, start + at.payloadLength, payloadLength);
  bytes[start + at.nextHeader] = fields.nextHeader;
  bytes[start + at.hopLimit] = fields.hopLimit ?? DEFAULT_HOP_LIMIT;
  fields.source.writeTo(bytes, start + at.source);
  fields.destination.writeTo(bytes, start + at.destination);
}

/** `payload` begins with what `nextHeader` names: extension headers, if any, are part of it. */
export function emitIpv6(fields: Ipv6Fields, payload: Uint8Array): Uint8Array {
  const packet = new Uint8Array(IPV6_HEADER_LENGTH + payload.length);
  writeIpv6Header(packet, 0, fields, payload.length);
  packet.set(payload, IPV6_HEADER_LENGTH);
  return packet;
}
