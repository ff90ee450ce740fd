/**
 * TCP, RFC 9293.
 *
 *      0        2             4          8                 12            13      14       16         18
 *     | source | destination | sequence | acknowledgement | data offset | flags | window | checksum | urgent |
 *      20
 *     | options ... | payload ...
 */
import type { AddressPair } from "./address.ts";
import * as checksum from "./checksum.ts";
import { IP_PROTOCOL } from "./ip-protocol.ts";
import type { Port } from "./port.ts";
import { View } from "./view.ts";
import { fits, readUint16, readUint32, writeUint16, writeUint32 } from "./words.ts";

export const TCP_HEADER_LENGTH = 20;
export const TCP_HEADER_LENGTH_MAX = 60;

export const TCP_FLAG = {
  fin: 0x01,
  syn: 0x02,
  rst: 0x04,
  psh: 0x08,
  ack: 0x10,
  urg: 0x20,
  ece: 0x40,
  cwr: 0x80,
} as const;

/** "bad-offset": the payload would begin inside the header or behind the packet. */
export type TcpFault = "truncated" | "bad-offset";

/** What a segment says, free of where it lies. */
export interface TcpHeader {
  readonly source: Port;
  readonly destination: Port;
  readonly sequence: number;
  readonly acknowledgement: number;
  /** A sum of TCP_FLAG's bits. */
  readonly flags: number;
  readonly window: number;
  readonly urgentPointer: number;
  /** Raw, padded to a multiple of 4 bytes, 40 at most. */
  readonly options: Uint8Array;
}

/** A header to be made; what is left out is 0 or none, and the window 65535. */
export type TcpFields = Pick<TcpHeader, "source" | "destination" | "flags"> & Partial<TcpHeader>;

/** Where the fields lie, for those who write a header without a view. */
export const TCP_OFFSET = {
  source: 0,
  destination: 2,
  sequence: 4,
  acknowledgement: 8,
  dataOffset: 12,
  flags: 13,
  window: 14,
  checksum: 16,
  urgentPointer: 18,
} as const;
const at = TCP_OFFSET;

const DEFAULT_WINDOW = 0xffff;

/** A TCP segment where it lies: every read and write goes to the packet's own bytes. */
export class TcpView extends View {
  /** Moves to the segment in [start, end), or says what is wrong with it and stays. */
  moveTo(bytes: Uint8Array, start: number, end: number): TcpFault | undefined {
    if (!fits(bytes, start, end, TCP_HEADER_LENGTH)) return "truncated";
    const headerLength = tcpHeaderLength(bytes, start);
    if (headerLength < TCP_HEADER_LENGTH || headerLength > end - start) return "bad-offset";
    return this.place(bytes, start, end);
  }

  /** Of header and payload, in bytes: the IP packet says it, TCP does not. */
  get length(): number {
    return this.end - this.start;
  }

  get payloadStart(): number {
    return this.start + this.dataOffset;
  }

  get source(): Port {
    return readUint16(this.bytes, this.start + at.source) as Port;
  }

  get destination(): Port {
    return readUint16(this.bytes, this.start + at.destination) as Port;
  }

  get sequence(): number {
    return readUint32(this.bytes, this.start + at.sequence);
  }

  get acknowledgement(): number {
    return readUint32(this.bytes, this.start + at.acknowledgement);
  }

  /** In bytes: the length of the header with its options. */
  get dataOffset(): number {
    return tcpHeaderLength(this.bytes, this.start);
  }

  /** A sum of TCP_FLAG's bits. */
  get flags(): number {
    return this.bytes[this.start + at.flags]!;
  }

  get window(): number {
    return readUint16(this.bytes, this.start + at.window);
  }

  get checksum(): number {
    return readUint16(this.bytes, this.start + at.checksum);
  }

  get urgentPointer(): number {
    return readUint16(this.bytes, this.start + at.urgentPointer);
  }

  get payload(): Uint8Array {
    return this.bytes.subarray(this.payloadStart, this.end);
  }

  /** The raw options, for `tcpOptions()`. */
  get options(): Uint8Array {
    return this.bytes.subarray(this.start + TCP_HEADER_LENGTH, this.payloadStart);
  }

  get header(): TcpHeader {
    return {
      source: this.source,
      destination: this.destination,
      sequence: this.sequence,
      acknowledgement: this.acknowledgement,
      flags: this.flags,
      window: this.window,
      urgentPointer: this.urgentPointer,
      options: this.options.slice(),
    };
  }

  /** Writes the port and keeps the checksum true. */
  setSource(port: Port): void {
    this.#setChecksum(checksum.update16(this.checksum, this.source, port));
    writeUint16(this.bytes, this.start + at.source, port);
  }

  setDestination(port: Port): void {
    this.#setChecksum(checksum.update16(this.checksum, this.destination, port));
    writeUint16(this.bytes, this.start + at.destination, port);
  }

  /** Keeps the checksum true when a word of an address changes. */
  adjustChecksum(beforeWord: number, afterWord: number): void {
    this.#setChecksum(checksum.update32(this.checksum, beforeWord, afterWord));
  }

  /** As adjustChecksum() where the field holds the pseudo-header's sum only, for the network card to finish. */
  adjustPartialChecksum(beforeWord: number, afterWord: number): void {
    this.#setChecksum(checksum.updatePartial32(this.checksum, beforeWord, afterWord));
  }

  isChecksumRight(pseudoHeader: number): boolean {
    return checksum.sum(this.bytes, this.start, this.end, pseudoHeader) === 0xffff;
  }

  /** Computes the checksum anew. */
  refreshChecksum(pseudoHeader: number): void {
    this.#setChecksum(0);
    const sum = checksum.sum(this.bytes, this.start, this.end, pseudoHeader);
    this.#setChecksum(checksum.complement(sum));
  }

  #setChecksum(value: number): void {
    writeUint16(this.bytes, this.start + at.checksum, value);
  }
}

/** In bytes, options included, of the segment at `start`. */
export function tcpHeaderLength(bytes: Uint8Array, start: number): number {
  return (bytes[start + at.dataOffset]! >>> 4) * 4;
}

/** A segment whose checksum is right between `addresses`. */
export function emitTcp(
  fields: TcpFields,
  payload: Uint8Array,
  addresses: AddressPair,
): Uint8Array {
  const optionsLength = fields.options?.length ?? 0;
  const headerLength = TCP_HEADER_LENGTH + optionsLength;
  if (optionsLength % 4 !== 0 || headerLength > TCP_HEADER_LENGTH_MAX) {
    throw new RangeError(
      `Cannot write ${optionsLength} bytes of TCP options: expected a multiple of 4, 40 at most`,
    );
  }
  const segment = new Uint8Array(headerLength + payload.length);
  writeUint16(segment, at.source, fields.source);
  writeUint16(segment, at.destination, fields.destination);
  writeUint32(segment, at.sequence, fields.sequence ?? 0);
  writeUint32(segment, at.acknowledgement, fields.acknowledgement ?? 0);
  segment[at.dataOffset] = (headerLength / 4) << 4;
  segment[at.flags] = fields.flags;
  writeUint16(segment, at.window, fields.window ?? DEFAULT_WINDOW);
  writeUint16(segment, at.urgentPointer, fields.urgentPointer ?? 0);
  if (fields.options !== undefined) segment.set(fields.options, TCP_HEADER_LENGTH);
  segment.set(payload, headerLength);
  const pseudoHeader = checksum.pseudoHeader(addresses, IP_PROTOCOL.tcp, segment.length);
  const sum = checksum.sum(segment, 0, segment.length, pseudoHeader);
  writeUint16(segment, at.checksum, checksum.complement(sum));
  return segment;
}
