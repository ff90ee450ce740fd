/**
 * GRE, RFC 2784 with RFC 2890's key and sequence number.
 *
 *      0                          2          4
 *     | C 0 K S, zeros, version 0 | protocol | checksum, zeros (if C) | key (if K) | sequence (if S) | payload ...
 *
 * Each optional field is 4 bytes long. The checksum covers header and payload.
 */
import * as checksum from "./checksum.ts";
import { View } from "./view.ts";
import { fits, readUint16, readUint32, writeUint16, writeUint32 } from "./words.ts";

export const GRE_HEADER_LENGTH = 4;

/** "unsupported": another version, or a bit set that RFC 2784 says makes the packet one to discard. */
export type GreFault = "truncated" | "unsupported";

/** What a header says, free of where it lies. */
export interface GreHeader {
  /** An ETHERTYPE. */
  readonly protocol: number;
  readonly hasChecksum: boolean;
  readonly key: number | undefined;
  readonly sequence: number | undefined;
}

/** A header to be made; what is left out is not there. */
export type GreFields = Pick<GreHeader, "protocol"> & Partial<GreHeader>;

/** Which of the optional fields are there. */
export const GRE_FLAG = { checksum: 0x8000, key: 0x2000, sequence: 0x1000 } as const;
/** RFC 2784 section 2.1: bits 1 to 5 must be zero but for those that RFC 2890 took; 13 to 15 are the version. */
const MUST_BE_ZERO = 0x4c07;
/** Of each of them. */
export const GRE_FIELD_LENGTH = 4;

/** Where the fields lie, for those who write a header without a view. */
export const GRE_OFFSET = { flags: 0, protocol: 2, optional: 4 } as const;
const at = GRE_OFFSET;

/** A GRE packet where it lies. */
export class GreView extends View {
  /** Moves to the packet in [start, end), or says what is wrong with it and stays. */
  moveTo(bytes: Uint8Array, start: number, end: number): GreFault | undefined {
    if (!fits(bytes, start, end, GRE_HEADER_LENGTH)) return "truncated";
    const flags = readUint16(bytes, start + at.flags);
    if ((flags & MUST_BE_ZERO) !== 0) return "unsupported";
    if (end - start < headerLength(flags)) return "truncated";
    return this.place(bytes, start, end);
  }

  get payloadStart(): number {
    return this.start + headerLength(this.#flags);
  }

  get #flags(): number {
    return readUint16(this.bytes, this.start + at.flags);
  }

  /** An ETHERTYPE. */
  get protocol(): number {
    return readUint16(this.bytes, this.start + at.protocol);
  }

  get hasChecksum(): boolean {
    return (this.#flags & GRE_FLAG.checksum) !== 0;
  }

  /** 0 when there is none. */
  get checksum(): number {
    return this.hasChecksum ? readUint16(this.bytes, this.start + at.optional) : 0;
  }

  get key(): number | undefined {
    const flags = this.#flags;
    if ((flags & GRE_FLAG.key) === 0) return undefined;
    return readUint32(this.bytes, this.start + headerLength(flags & GRE_FLAG.checksum));
  }

  get sequence(): number | undefined {
    const flags = this.#flags;
    if ((flags & GRE_FLAG.sequence) === 0) return undefined;
    return readUint32(
      this.bytes,
      this.start + headerLength(flags & (GRE_FLAG.checksum | GRE_FLAG.key)),
    );
  }

  get payload(): Uint8Array {
    return this.bytes.subarray(this.payloadStart, this.end);
  }

  get header(): GreHeader {
    const { protocol, hasChecksum, key, sequence } = this;
    return { protocol, hasChecksum, key, sequence };
  }

  /** True also for a packet without one. */
  isChecksumRight(): boolean {
    return !this.hasChecksum || checksum.sum(this.bytes, this.start, this.end) === 0xffff;
  }

  /** Computes the checksum anew, if there is a place for it. */
  refreshChecksum(): void {
    if (!this.hasChecksum) return;
    writeUint16(this.bytes, this.start + at.optional, 0);
    const sum = checksum.sum(this.bytes, this.start, this.end);
    writeUint16(this.bytes, this.start + at.optional, checksum.complement(sum));
  }
}

/** With the optional fields that `flags` announces. */
function headerLength(flags: number): number {
  let length = GRE_HEADER_LENGTH;
  if ((flags & GRE_FLAG.checksum) !== 0) length += GRE_FIELD_LENGTH;
  if ((flags & GRE_FLAG.key) !== 0) length += GRE_FIELD_LENGTH;
  if ((flags & GRE_FLAG.sequence) !== 0) length += GRE_FIELD_LENGTH;
  return length;
}

function flagsOf({ hasChecksum, key, sequence }: GreFields): number {
  return (
    (hasChecksum === true ? GRE_FLAG.checksum : 0) |
    (key === undefined ? 0 : GRE_FLAG.key) |
    (sequence === undefined ? 0 : GRE_FLAG.sequence)
  );
}

/** How many bytes writeGreHeader() writes. */
export function greHeaderLength(fields: GreFields): number {
  return headerLength(flagsOf(fields));
}

/** Writes a header whose checksum, if it has one, is 0: GreView.refreshChecksum() fills it over the payload. */
export function writeGreHeader(bytes: Uint8Array, start: number, fields: GreFields): void {
  writeUint16(bytes, start + at.flags, flagsOf(fields));
  writeUint16(bytes, start + at.protocol, fields.protocol);
  let offset = start + at.optional;
  if (fields.hasChecksum === true) {
    writeUint32(bytes, offset, 0);
    offset += GRE_FIELD_LENGTH;
  }
  if (fields.key !== undefined) {
    writeUint32(bytes, offset, fields.key);
    offset += GRE_FIELD_LENGTH;
  }
  if (fields.sequence !== undefined) writeUint32(bytes, offset, fields.sequence);
}

export function emitGre(fields: GreFields, payload: Uint8Array): Uint8Array {
  const payloadStart = greHeaderLength(fields);
  const packet = new Uint8Array(payloadStart + payload.length);
  writeGreHeader(packet, 0, fields);
  packet.set(payload, payloadStart);
  const view = GreView.unplaced();
  view.moveTo(packet, 0, packet.length);
  view.refreshChecksum();
  return packet;
}
