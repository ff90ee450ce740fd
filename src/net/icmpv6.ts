/**
 * ICMP for IPv6, RFC 4443.
 *
 *      0      1      2          4                8
 *     | type | code | checksum | by type ...    | payload, or the packet that an error is about ...
 *
 *     echo:                     identifier (2), sequence (2)
 *     packet too big:           MTU (4)
 *
 * Unlike IPv4's, its checksum covers a pseudo-header.
 */
import type { AddressPair } from "./address.ts";
import * as checksum from "./checksum.ts";
import { IP_PROTOCOL } from "./ip-protocol.ts";
import { View } from "./view.ts";
import { fits, readUint16, readUint32, writeUint16, writeUint32 } from "./words.ts";

export const ICMPV6_HEADER_LENGTH = 8;

export const ICMPV6_TYPE = {
  destinationUnreachable: 1,
  packetTooBig: 2,
  timeExceeded: 3,
  parameterProblem: 4,
  echoRequest: 128,
  echoReply: 129,
  routerSolicitation: 133,
  routerAdvertisement: 134,
  neighbourSolicitation: 135,
  neighbourAdvertisement: 136,
  redirect: 137,
} as const;

/** Codes of destination unreachable. */
export const UNREACHABLE_CODE_V6 = { noRoute: 0, prohibited: 1, address: 3, port: 4 } as const;

/** Code of time exceeded: it ran out on the way. */
const HOP_LIMIT_EXCEEDED = 0;

/** RFC 4443 section 2.4 (c): an error stays within the minimum MTU, 1280, with its headers of 40 and 8. */
const QUOTE_LENGTH_MAX = 1280 - 40 - ICMPV6_HEADER_LENGTH;

/** RFC 4443 section 2.1: types with the high bit clear are errors. */
const INFORMATIONAL = 0x80;

const at = { type: 0, code: 1, checksum: 2, rest: 4, identifier: 4, sequence: 6, mtu: 4 } as const;

/** An ICMPv6 message where it lies: every read and write goes to the packet's own bytes. */
export class Icmpv6View extends View {
  /** Moves to the message in [start, end), or stays when it ends inside its header. */
  moveTo(bytes: Uint8Array, start: number, end: number): "truncated" | undefined {
    if (!fits(bytes, start, end, ICMPV6_HEADER_LENGTH)) return "truncated";
    return this.place(bytes, start, end);
  }

  /** In bytes: what the pseudo-header counts. */
  get length(): number {
    return this.end - this.start;
  }

  /** Where an error's quoted packet begins, or an echo's data. */
  get payloadStart(): number {
    return this.start + ICMPV6_HEADER_LENGTH;
  }

  get type(): number {
    return this.bytes[this.start + at.type]!;
  }

  get code(): number {
    return this.bytes[this.start + at.code]!;
  }

  get checksum(): number {
    return readUint16(this.bytes, this.start + at.checksum);
  }

  /** The four bytes whose meaning the type decides. */
  get rest(): number {
    return readUint32(this.bytes, this.start + at.rest);
  }

  /** Is about another packet, which it quotes. A redirect is not (but nothing is answered to it either). */
  get isError(): boolean {
    return (this.type & INFORMATIONAL) === 0;
  }

  get isEcho(): boolean {
    return this.type === ICMPV6_TYPE.echoRequest || this.type === ICMPV6_TYPE.echoReply;
  }

  get identifier(): number {
    return readUint16(this.bytes, this.start + at.identifier);
  }

  get sequence(): number {
    return readUint16(this.bytes, this.start + at.sequence);
  }

  /** The next hop's, in "packet too big". */
  get mtu(): number {
    return readUint32(this.bytes, this.start + at.mtu);
  }

  get payload(): Uint8Array {
    return this.bytes.subarray(this.payloadStart, this.end);
  }

  isChecksumRight(pseudoHeader: number): boolean {
    return checksum.sum(this.bytes, this.start, this.end, pseudoHeader) === 0xffff;
  }

  /** Keeps the checksum true. */
  setMtu(mtu: number): void {
    this.#setChecksum(checksum.update32(this.checksum, this.mtu, mtu));
    writeUint32(this.bytes, this.start + at.mtu, mtu);
  }

  /** Keeps the checksum true when a word of an address changes. */
  adjustChecksum(beforeWord: number, afterWord: number): void {
    this.#setChecksum(checksum.update32(this.checksum, beforeWord, afterWord));
  }

  /** Computes the checksum anew, after the quoted packet was rewritten. */
  refreshChecksum(pseudoHeader: number): void {
    this.#setChecksum(0);
    const sum = checksum.sum(this.bytes, this.start, this.end, pseudoHeader);
    this.#setChecksum(checksum.complement(sum));
  }

  #setChecksum(value: number): void {
    writeUint16(this.bytes, this.start + at.checksum, value);
  }
}

/** A message whose checksum is right between `addresses`. `rest` is the header's second word. */
export function emitIcmpv6(
  header: { readonly type: number; readonly code: number; readonly rest: number },
  payload: Uint8Array,
  addresses: AddressPair,
): Uint8Array {
  const message = new Uint8Array(ICMPV6_HEADER_LENGTH + payload.length);
  message[at.type] = header.type;
  message[at.code] = header.code;
  writeUint32(message, at.rest, header.rest);
  message.set(payload, ICMPV6_HEADER_LENGTH);
  const pseudoHeader = checksum.pseudoHeader(addresses, IP_PROTOCOL.icmpv6, message.length);
  const sum = checksum.sum(message, 0, message.length, pseudoHeader);
  writeUint16(message, at.checksum, checksum.complement(sum));
  return message;
}

export function emitEchoV6(
  type: "request" | "reply",
  identifier: number,
  sequence: number,
  data: Uint8Array,
  addresses: AddressPair,
): Uint8Array {
  const kind = type === "request" ? ICMPV6_TYPE.echoRequest : ICMPV6_TYPE.echoReply;
  const rest = (identifier << 16) | sequence;
  return emitIcmpv6({ type: kind, code: 0, rest }, data, addresses);
}

/**
 * The error about the IPv6 packet in [start, end), quoting as much of it as fits. `addresses` are those that the error
 * itself will travel between.
 */
export function destinationUnreachableV6(
  code: number,
  bytes: Uint8Array,
  start: number,
  end: number,
  addresses: AddressPair,
): Uint8Array {
  const header = { type: ICMPV6_TYPE.destinationUnreachable, code, rest: 0 };
  return emitIcmpv6(header, quote(bytes, start, end), addresses);
}

/** The packet does not fit through `mtu` bytes. */
export function packetTooBig(
  mtu: number,
  bytes: Uint8Array,
  start: number,
  end: number,
  addresses: AddressPair,
): Uint8Array {
  const header = { type: ICMPV6_TYPE.packetTooBig, code: 0, rest: mtu };
  return emitIcmpv6(header, quote(bytes, start, end), addresses);
}

/** The packet's hop limit ran out on the way. */
export function timeExceededV6(
  bytes: Uint8Array,
  start: number,
  end: number,
  addresses: AddressPair,
): Uint8Array {
  const header = { type: ICMPV6_TYPE.timeExceeded, code: HOP_LIMIT_EXCEEDED, rest: 0 };
  return emitIcmpv6(header, quote(bytes, start, end), addresses);
}

function quote(bytes: Uint8Array, start: number, end: number): Uint8Array {
  return bytes.subarray(start, Math.min(end, start + QUOTE_LENGTH_MAX));
}
