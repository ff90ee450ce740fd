/**
 * Generic UDP Encapsulation, version 0: draft-ietf-intarea-gue, with the private flags of the kernel's fou driver
 * (include/net/gue.h).
 *
 *      0                            1          2       4
 *     | version (2), C, length / 4 | protocol | flags | private flags (if bit 0) | start, field (if remote checksum) |
 *
 * Remote checksum offload: the inner transport checksum holds only the pseudo-header's sum, and the receiver finishes
 * it from `start` on. The sender then needs to sum the payload once, for the outer UDP checksum.
 */
import { View } from "./view.ts";
import { fits, readUint16, readUint32, writeUint16, writeUint32 } from "./words.ts";

export const GUE_HEADER_LENGTH = 4;

/**
 * "bad-length": its flags announce more than its length holds. "unknown-flag": a flag, and with it fields, that this
 * does not know; the kernel drops such packets too.
 */
export type GueFault = "truncated" | "bad-version" | "bad-length" | "unknown-flag";

/** Which checksum the receiver is to finish; both in bytes from the beginning of the payload. */
export interface RemoteChecksum {
  /** Where the sum begins: the inner transport header. */
  readonly start: number;
  /** Where the checksum field lies. */
  readonly field: number;
}

/** What a header says, free of where it lies. */
export interface GueHeader {
  readonly isControl: boolean;
  /** An IP protocol number, or a control message's type. */
  readonly protocol: number;
  readonly remoteChecksum: RemoteChecksum | undefined;
}

/** A header to be made; what is left out is false or none. */
export type GueFields = Pick<GueHeader, "protocol"> & Partial<GueHeader>;

const CONTROL = 0x20;
/** Of the first byte: the length of the optional fields, in words. */
const LENGTH_MASK = 0x1f;
const FLAG_PRIVATE = 0x0001;
const PRIVATE_LENGTH = 4;
const PRIVATE_REMOTE_CHECKSUM = 0x8000_0000;
const REMOTE_CHECKSUM_LENGTH = 4;

/** Where the fields lie, for those who write a header without a view. */
export const GUE_OFFSET = {
  first: 0,
  protocol: 1,
  flags: 2,
  private: 4,
  start: 8,
  field: 10,
} as const;
const at = GUE_OFFSET;

/** A GUE packet where it lies: what a UDP datagram to a GUE port carries. */
export class GueView extends View {
  /** Moves to the packet in [start, end), or says what is wrong with it and stays. */
  moveTo(bytes: Uint8Array, start: number, end: number): GueFault | undefined {
    if (!fits(bytes, start, end, GUE_HEADER_LENGTH)) return "truncated";
    if (bytes[start]! >>> 6 !== 0) return "bad-version";
    const headerLength = gueHeaderLengthAt(bytes, start);
    if (headerLength > end - start) return "truncated";
    const fault = checkFlags(bytes, start, headerLength - GUE_HEADER_LENGTH);
    if (fault !== undefined) return fault;
    return this.place(bytes, start, end);
  }

  get headerLength(): number {
    return gueHeaderLengthAt(this.bytes, this.start);
  }

  get payloadStart(): number {
    return this.start + this.headerLength;
  }

  /** A message for the tunnel's other end rather than a packet to unwrap. */
  get isControl(): boolean {
    return (this.bytes[this.start]! & CONTROL) !== 0;
  }

  /** An IP protocol number, or a control message's type. */
  get protocol(): number {
    return this.bytes[this.start + at.protocol]!;
  }

  get hasRemoteChecksum(): boolean {
    const flags = readUint16(this.bytes, this.start + at.flags);
    return (flags & FLAG_PRIVATE) !== 0 && readUint32(this.bytes, this.start + at.private) !== 0;
  }

  get remoteChecksum(): RemoteChecksum | undefined {
    if (!this.hasRemoteChecksum) return undefined;
    return {
      start: readUint16(this.bytes, this.start + at.start),
      field: readUint16(this.bytes, this.start + at.field),
    };
  }

  get payload(): Uint8Array {
    return this.bytes.subarray(this.payloadStart, this.end);
  }

  get header(): GueHeader {
    const { isControl, protocol, remoteChecksum } = this;
    return { isControl, protocol, remoteChecksum };
  }
}

function checkFlags(bytes: Uint8Array, start: number, optionsLength: number): GueFault | undefined {
  const flags = readUint16(bytes, start + at.flags);
  if ((flags & ~FLAG_PRIVATE) !== 0) return "unknown-flag";
  if (flags === 0) return undefined;
  if (optionsLength < PRIVATE_LENGTH) return "bad-length";
  const privateFlags = readUint32(bytes, start + at.private);
  if (privateFlags === 0) return undefined;
  if (privateFlags !== PRIVATE_REMOTE_CHECKSUM) return "unknown-flag";
  return optionsLength < PRIVATE_LENGTH + REMOTE_CHECKSUM_LENGTH ? "bad-length" : undefined;
}

/** In bytes, optional fields included, of the header at `start`. */
export function gueHeaderLengthAt(bytes: Uint8Array, start: number): number {
  return GUE_HEADER_LENGTH + (bytes[start + at.first]! & LENGTH_MASK) * 4;
}

/** How many bytes writeGueHeader() writes. */
export function gueHeaderLength({ remoteChecksum }: Pick<GueFields, "remoteChecksum">): number {
  if (remoteChecksum === undefined) return GUE_HEADER_LENGTH;
  return GUE_HEADER_LENGTH + PRIVATE_LENGTH + REMOTE_CHECKSUM_LENGTH;
}

export function writeGueHeader(bytes: Uint8Array, start: number, fields: GueFields): void {
  const { isControl, protocol, remoteChecksum } = fields;
  const optionsLength = gueHeaderLength(fields) - GUE_HEADER_LENGTH;
  bytes[start + at.first] = (isControl === true ? CONTROL : 0) | (optionsLength / 4);
  bytes[start + at.protocol] = protocol;
  writeUint16(bytes, start + at.flags, remoteChecksum === undefined ? 0 : FLAG_PRIVATE);
  if (remoteChecksum === undefined) return;
  writeUint32(bytes, start + at.private, PRIVATE_REMOTE_CHECKSUM);
  writeUint16(bytes, start + at.start, remoteChecksum.start);
  writeUint16(bytes, start + at.field, remoteChecksum.field);
}

export function emitGue(fields: GueFields, payload: Uint8Array): Uint8Array {
  const payloadStart = gueHeaderLength(fields);
  const packet = new Uint8Array(payloadStart + payload.length);
  writeGueHeader(packet, 0, fields);
  packet.set(payload, payloadStart);
  return packet;
}
