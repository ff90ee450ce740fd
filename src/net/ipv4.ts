/**
 * IPv4, RFC 791.
 *
 *      0              1     2              4                 6                    8     9          10
 *     | version, IHL | TOS | total length | identification | flags, offset / 8 | TTL | protocol | checksum |
 *      12       16            20
 *     | source | destination | options ... | payload ...
 */
import { Address } from "./address.ts";
import * as checksum from "./checksum.ts";
import { View } from "./view.ts";
import { fits, readInt32, readUint16, writeUint16, writeUint32 } from "./words.ts";

export const IPV4_HEADER_LENGTH = 20;
export const IPV4_HEADER_LENGTH_MAX = 60;
export const IPV4_LENGTH_MAX = 0xffff;

/** "truncated": ends before its header or its total length does. "bad-length": its lengths contradict each other. */
export type Ipv4Fault = "truncated" | "bad-version" | "bad-length";

/** What a packet says, free of where it lies. */
export interface Ipv4Header {
  /** The whole octet: DSCP and ECN (RFC 2474, RFC 3168). */
  readonly tos: number;
  readonly identification: number;
  readonly dontFragment: boolean;
  readonly moreFragments: boolean;
  /** In bytes, a multiple of 8. */
  readonly fragmentOffset: number;
  readonly timeToLive: number;
  readonly protocol: number;
  readonly source: Address;
  readonly destination: Address;
  /** Raw, padded to a multiple of 4 bytes, 40 at most. */
  readonly options: Uint8Array;
}

/** A header to be made; what is left out is 0, false or none, and the time to live 64. */
export type Ipv4Fields = Pick<Ipv4Header, "protocol" | "source" | "destination"> &
  Partial<Ipv4Header>;

/** Where the fields lie, for those who write a header without a view. */
export const IPV4_OFFSET = {
  versionAndLength: 0,
  tos: 1,
  totalLength: 2,
  identification: 4,
  fragment: 6,
  timeToLive: 8,
  protocol: 9,
  checksum: 10,
  source: 12,
  destination: 16,
} as const;
const at = IPV4_OFFSET;

const DONT_FRAGMENT = 0x4000;
const MORE_FRAGMENTS = 0x2000;
const OFFSET_MASK = 0x1fff;
const DEFAULT_TIME_TO_LIVE = 64;

/** An IPv4 packet where it lies: every read and write goes to the packet's own bytes. */
export class Ipv4View extends View {
  /**
   * Moves to the packet at `start`, or says what is wrong with it and stays. What follows the packet's total length
   * (the padding of short Ethernet frames) is left out of the window. The header's checksum is not looked at.
   */
  moveTo(bytes: Uint8Array, start: number, end: number): Ipv4Fault | undefined {
    const fault = checkHeader(bytes, start, end);
    if (fault !== undefined) return fault;
    const totalLength = readUint16(bytes, start + at.totalLength);
    if (totalLength > end - start) return "truncated";
    return this.place(bytes, start, start + totalLength);
  }

  /** As moveTo() for a packet that an ICMP error quotes: only its header need be whole. */
  moveToQuote(bytes: Uint8Array, start: number, end: number): Ipv4Fault | undefined {
    const fault = checkHeader(bytes, start, end);
    if (fault !== undefined) return fault;
    const totalLength = readUint16(bytes, start + at.totalLength);
    return this.place(bytes, start, Math.min(end, start + totalLength));
  }

  get payloadStart(): number {
    return this.start + this.headerLength;
  }

  get headerLength(): number {
    return (this.bytes[this.start]! & 0x0f) * 4;
  }

  get hasOptions(): boolean {
    return this.headerLength > IPV4_HEADER_LENGTH;
  }

  get tos(): number {
    return this.bytes[this.start + at.tos]!;
  }

  get totalLength(): number {
    return readUint16(this.bytes, this.start + at.totalLength);
  }

  get identification(): number {
    return readUint16(this.bytes, this.start + at.identification);
  }

  get dontFragment(): boolean {
    return (this.#fragment & DONT_FRAGMENT) !== 0;
  }

  get moreFragments(): boolean {
    return (this.#fragment & MORE_FRAGMENTS) !== 0;
  }

  /** In bytes. */
  get fragmentOffset(): number {
    return (this.#fragment & OFFSET_MASK) * 8;
  }

  get isFragment(): boolean {
    return (this.#fragment & (MORE_FRAGMENTS | OFFSET_MASK)) !== 0;
  }

  get #fragment(): number {
    return readUint16(this.bytes, this.start + at.fragment);
  }

  get timeToLive(): number {
    return this.bytes[this.start + at.timeToLive]!;
  }

  get protocol(): number {
    return this.bytes[this.start + at.protocol]!;
  }

  get checksum(): number {
    return readUint16(this.bytes, this.start + at.checksum);
  }

  /** Signed, as Address.w3. */
  get sourceWord(): number {
    return readInt32(this.bytes, this.start + at.source);
  }

  get destinationWord(): number {
    return readInt32(this.bytes, this.start + at.destination);
  }

  get source(): Address {
    return Address.inet(this.sourceWord);
  }

  get destination(): Address {
    return Address.inet(this.destinationWord);
  }

  get payload(): Uint8Array {
    return this.bytes.subarray(this.payloadStart, this.end);
  }

  get header(): Ipv4Header {
    return {
      tos: this.tos,
      identification: this.identification,
      dontFragment: this.dontFragment,
      moreFragments: this.moreFragments,
      fragmentOffset: this.fragmentOffset,
      timeToLive: this.timeToLive,
      protocol: this.protocol,
      source: this.source,
      destination: this.destination,
      options: this.bytes.slice(this.start + IPV4_HEADER_LENGTH, this.payloadStart),
    };
  }

  isChecksumRight(): boolean {
    return checksum.sum(this.bytes, this.start, this.payloadStart) === 0xffff;
  }

  /** The pseudo-header's sum for this packet's transport header and payload, `length` bytes together. */
  pseudoHeader(length: number): number {
    return checksum.pseudoHeaderInet(this.sourceWord, this.destinationWord, this.protocol, length);
  }

  /** Takes one from the time to live, keeps the checksum true, and returns what is left. 0 stays 0. */
  decrementTimeToLive(): number {
    const { timeToLive } = this;
    if (timeToLive === 0) return 0;
    const word = (timeToLive << 8) | this.protocol;
    this.bytes[this.start + at.timeToLive] = timeToLive - 1;
    this.#setChecksum(checksum.update16(this.checksum, word, word - 0x100));
    return timeToLive - 1;
  }

  /** Writes the address and keeps the header's checksum true; the transport's is the caller's to adjust. */
  setSource(word: number): void {
    this.#setChecksum(checksum.update32(this.checksum, this.sourceWord, word));
    writeUint32(this.bytes, this.start + at.source, word);
  }

  setDestination(word: number): void {
    this.#setChecksum(checksum.update32(this.checksum, this.destinationWord, word));
    writeUint32(this.bytes, this.start + at.destination, word);
  }

  /** Computes the header's checksum anew. */
  refreshChecksum(): void {
    this.#setChecksum(0);
    const sum = checksum.sum(this.bytes, this.start, this.payloadStart);
    this.#setChecksum(checksum.complement(sum));
  }

  #setChecksum(value: number): void {
    writeUint16(this.bytes, this.start + at.checksum, value);
  }
}

function checkHeader(bytes: Uint8Array, start: number, end: number): Ipv4Fault | undefined {
  if (!fits(bytes, start, end, 1)) return "truncated";
  const versionAndLength = bytes[start]!;
  if (versionAndLength >>> 4 !== 4) return "bad-version";
  if (end - start < IPV4_HEADER_LENGTH) return "truncated";
  const headerLength = (versionAndLength & 0x0f) * 4;
  if (headerLength < IPV4_HEADER_LENGTH) return "bad-length";
  if (headerLength > readUint16(bytes, start + at.totalLength)) return "bad-length";
  return headerLength > end - start ? "truncated" : undefined;
}

/** Writes a header at `start`, for `payloadLength` bytes after it; checksum included, nothing allocated. */
export function writeIpv4Header(
  bytes: Uint8Array,
  start: number,
  fields: Ipv4Fields,
  payloadLength: number,
): void {
  const optionsLength = fields.options?.length ?? 0;
  const headerLength = IPV4_HEADER_LENGTH + optionsLength;
  if (optionsLength % 4 !== 0 || headerLength > IPV4_HEADER_LENGTH_MAX) {
    throw new RangeError(
      `Cannot write ${optionsLength} bytes of IPv4 options: expected a multiple of 4, 40 at most`,
    );
  }
  if (headerLength + payloadLength > IPV4_LENGTH_MAX) {
    throw new RangeError(
      `Cannot write an IPv4 packet with ${payloadLength} bytes of payload: expected ${IPV4_LENGTH_MAX - headerLength} at most`,
    );
  }
  bytes[start + at.versionAndLength] = 0x40 | (headerLength / 4);
  bytes[start + at.tos] = fields.tos ?? 0;
  writeUint16(bytes, start + at.totalLength, headerLength + payloadLength);
  writeUint16(bytes, start + at.identification, fields.identification ?? 0);
  const flags =
    (fields.dontFragment === true ? DONT_FRAGMENT : 0) |
    (fields.moreFragments === true ? MORE_FRAGMENTS : 0);
  writeUint16(bytes, start + at.fragment, flags | ((fields.fragmentOffset ?? 0) / 8));
  bytes[start + at.timeToLive] = fields.timeToLive ?? DEFAULT_TIME_TO_LIVE;
  bytes[start + at.protocol] = fields.protocol;
  writeUint16(bytes, start + at.checksum, 0);
  writeUint32(bytes, start + at.source, fields.source.w3);
  writeUint32(bytes, start + at.destination, fields.destination.w3);
  if (fields.options !== undefined) bytes.set(fields.options, start + IPV4_HEADER_LENGTH);
  const sum = checksum.sum(bytes, start, start + headerLength);
  writeUint16(bytes, start + at.checksum, checksum.complement(sum));
}

export function emitIpv4(fields: Ipv4Fields, payload: Uint8Array): Uint8Array {
  const headerLength = IPV4_HEADER_LENGTH + (fields.options?.length ?? 0);
  const packet = new Uint8Array(headerLength + payload.length);
  writeIpv4Header(packet, 0, fields, payload.length);
  packet.set(payload, headerLength);
  return packet;
}
