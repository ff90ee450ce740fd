/**
 * UDP, RFC 768.
 *
 *      0       2             4        6
 *     | source | destination | length | checksum | payload ...
 */
import type { AddressPair } from "./address.ts";
import * as checksum from "./checksum.ts";
import { IP_PROTOCOL } from "./ip-protocol.ts";
import type { Port } from "./port.ts";
import { View } from "./view.ts";
import { fits, readUint16, writeUint16 } from "./words.ts";

export const UDP_HEADER_LENGTH = 8;

/** Why bytes are not a UDP datagram. A value, not an exception: the wire is hostile every day. */
export type UdpFault = "truncated" | "bad-length";

/** What a datagram says, free of where it lies. */
export interface UdpHeader {
  readonly source: Port;
  readonly destination: Port;
}

/** Where the fields lie, for those who write a header without a view. */
export const UDP_OFFSET = { source: 0, destination: 2, length: 4, checksum: 6 } as const;
const at = UDP_OFFSET;

/** A UDP datagram where it lies: every read and write goes to the packet's own bytes. */
export class UdpView extends View {
  /** Moves to the datagram at `start`, which ends by its own length, or says what is wrong with it and stays. */
  moveTo(bytes: Uint8Array, start: number, end: number): UdpFault | undefined {
    if (!fits(bytes, start, end, UDP_HEADER_LENGTH)) return "truncated";
    const length = readUint16(bytes, start + at.length);
    if (length < UDP_HEADER_LENGTH || length > end - start) return "bad-length";
    return this.place(bytes, start, start + length);
  }

  get payloadStart(): number {
    return this.start + UDP_HEADER_LENGTH;
  }

  get source(): Port {
    return readUint16(this.bytes, this.start + at.source) as Port;
  }

  get destination(): Port {
    return readUint16(this.bytes, this.start + at.destination) as Port;
  }

  /** Of header and payload, in bytes. */
  get length(): number {
    return readUint16(this.bytes, this.start + at.length);
  }

  get checksum(): number {
    return readUint16(this.bytes, this.start + at.checksum);
  }

  get payload(): Uint8Array {
    return this.bytes.subarray(this.payloadStart, this.end);
  }

  get header(): UdpHeader {
    return { source: this.source, destination: this.destination };
  }

  /** Writes the port and keeps the checksum true. */
  setSource(port: Port): void {
    this.#rewrite(checksum.update16(this.checksum, this.source, port));
    writeUint16(this.bytes, this.start + at.source, port);
  }

  setDestination(port: Port): void {
    this.#rewrite(checksum.update16(this.checksum, this.destination, port));
    writeUint16(this.bytes, this.start + at.destination, port);
  }

  /** Keeps the checksum true when a word of an address changes. */
  adjustChecksum(beforeWord: number, afterWord: number): void {
    this.#rewrite(checksum.update32(this.checksum, beforeWord, afterWord));
  }

  /** As adjustChecksum() where the field holds the pseudo-header's sum only, for the network card to finish. */
  adjustPartialChecksum(beforeWord: number, afterWord: number): void {
    this.#setChecksum(checksum.updatePartial32(this.checksum, beforeWord, afterWord));
  }

  /** True also for a datagram whose sender made none: RFC 768 allows that, over IPv6 only RFC 6935 does. */
  isChecksumRight(pseudoHeader: number): boolean {
    if (this.checksum === 0) return true;
    return checksum.sum(this.bytes, this.start, this.end, pseudoHeader) === 0xffff;
  }

  /** Computes the checksum anew, also where there was none. */
  refreshChecksum(pseudoHeader: number): void {
    this.#setChecksum(0);
    const sum = checksum.sum(this.bytes, this.start, this.end, pseudoHeader);
    this.#setChecksum(neverZero(checksum.complement(sum)));
  }

  #rewrite(updated: number): void {
    // RFC 768: zero says that the sender made no checksum, so there is none to keep true.
    if (this.checksum !== 0) this.#setChecksum(neverZero(updated));
  }

  #setChecksum(value: number): void {
    writeUint16(this.bytes, this.start + at.checksum, value);
  }
}

/** RFC 768: a checksum that comes out as zero is sent as all ones. */
function neverZero(value: number): number {
  return value || 0xffff;
}

/** Writes a header at `start`, for `payloadLength` bytes after it, without a checksum. Allocates nothing. */
export function writeUdpHeader(
  bytes: Uint8Array,
  start: number,
  header: UdpHeader,
  payloadLength: number,
): void {
  writeUint16(bytes, start + at.source, header.source);
  writeUint16(bytes, start + at.destination, header.destination);
  writeUint16(bytes, start + at.length, UDP_HEADER_LENGTH + payloadLength);
  writeUint16(bytes, start + at.checksum, 0);
}

/** A datagram; its checksum is right between `addresses`, or none when they are not given. */
export function emitUdp(
  header: UdpHeader,
  payload: Uint8Array,
  addresses?: AddressPair,
): Uint8Array {
  const datagram = new Uint8Array(UDP_HEADER_LENGTH + payload.length);
  writeUdpHeader(datagram, 0, header, payload.length);
  datagram.set(payload, UDP_HEADER_LENGTH);
  if (addresses !== undefined) {
    const pseudoHeader = checksum.pseudoHeader(addresses, IP_PROTOCOL.udp, datagram.length);
    const sum = checksum.sum(datagram, 0, datagram.length, pseudoHeader);
    writeUint16(datagram, at.checksum, neverZero(checksum.complement(sum)));
  }
  return datagram;
}
