/**
 * ICMP for IPv4, RFC 792.
 *
 *      0      1      2          4                8
 *     | type | code | checksum | by type ...    | payload, or the packet that an error is about ...
 *
 *     echo:                     identifier (2), sequence (2)
 *     fragmentation needed:     unused (2), next-hop MTU (2)        RFC 1191
 */
import * as checksum from "./checksum.ts";
import { View } from "./view.ts";
import { fits, readUint16, readUint32, writeUint16, writeUint32 } from "./words.ts";

export const ICMP_HEADER_LENGTH = 8;

export const ICMP_TYPE = {
  echoReply: 0,
  destinationUnreachable: 3,
  sourceQuench: 4,
  redirect: 5,
  echoRequest: 8,
  timeExceeded: 11,
  parameterProblem: 12,
} as const;

/** Codes of destination unreachable. */
export const UNREACHABLE_CODE = {
  network: 0,
  host: 1,
  protocol: 2,
  port: 3,
  fragmentationNeeded: 4,
} as const;

/** Code of time exceeded: it ran out on the way. */
const TTL_EXCEEDED = 0;

/** RFC 1812 section 4.3.2.3: an error may be 576 bytes long, with its own IP header of 20 and ICMP's of 8. */
const QUOTE_LENGTH_MAX = 576 - 20 - ICMP_HEADER_LENGTH;

const at = { type: 0, code: 1, checksum: 2, rest: 4, identifier: 4, sequence: 6, mtu: 6 } as const;

/** An ICMP message where it lies: every read and write goes to the packet's own bytes. */
export class IcmpView extends View {
  /** Moves to the message in [start, end), or stays when it ends inside its header. */
  moveTo(bytes: Uint8Array, start: number, end: number): "truncated" | undefined {
    if (!fits(bytes, start, end, ICMP_HEADER_LENGTH)) return "truncated";
    return this.place(bytes, start, end);
  }

  /** Where an error's quoted packet begins, or an echo's data. */
  get payloadStart(): number {
    return this.start + ICMP_HEADER_LENGTH;
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

  /** Is about another packet, which it quotes. Nothing is ever answered to it with an error (RFC 1122 3.2.2). */
  get isError(): boolean {
    const { type } = this;
    return (
      type === ICMP_TYPE.destinationUnreachable ||
      type === ICMP_TYPE.timeExceeded ||
      type === ICMP_TYPE.parameterProblem ||
      type === ICMP_TYPE.sourceQuench ||
      type === ICMP_TYPE.redirect
    );
  }

  get isEcho(): boolean {
    return this.type === ICMP_TYPE.echoRequest || this.type === ICMP_TYPE.echoReply;
  }

  get identifier(): number {
    return readUint16(this.bytes, this.start + at.identifier);
  }

  get sequence(): number {
    return readUint16(this.bytes, this.start + at.sequence);
  }

  /** The next hop's, in "fragmentation needed". 0 from routers older than RFC 1191. */
  get mtu(): number {
    return readUint16(this.bytes, this.start + at.mtu);
  }

  get payload(): Uint8Array {
    return this.bytes.subarray(this.payloadStart, this.end);
  }

  isChecksumRight(): boolean {
    return checksum.sum(this.bytes, this.start, this.end) === 0xffff;
  }

  /** Keeps the checksum true. */
  setMtu(mtu: number): void {
    this.#setChecksum(checksum.update16(this.checksum, this.mtu, mtu));
    writeUint16(this.bytes, this.start + at.mtu, mtu);
  }

  /** Computes the checksum anew, after the quoted packet was rewritten. */
  refreshChecksum(): void {
    this.#setChecksum(0);
    const sum = checksum.sum(this.bytes, this.start, this.end);
    this.#setChecksum(checksum.complement(sum));
  }

  #setChecksum(value: number): void {
    writeUint16(this.bytes, this.start + at.checksum, value);
  }
}

/** A message with its checksum. `rest` is the header's second word. */
export function emitIcmp(
  header: { readonly type: number; readonly code: number; readonly rest: number },
  payload: Uint8Array,
): Uint8Array {
  const message = new Uint8Array(ICMP_HEADER_LENGTH + payload.length);
  message[at.type] = header.type;
  message[at.code] = header.code;
  writeUint32(message, at.rest, header.rest);
  message.set(payload, ICMP_HEADER_LENGTH);
  const sum = checksum.sum(message, 0, message.length);
  writeUint16(message, at.checksum, checksum.complement(sum));
  return message;
}

export function emitEcho(
  type: "request" | "reply",
  identifier: number,
  sequence: number,
  data: Uint8Array,
): Uint8Array {
  const kind = type === "request" ? ICMP_TYPE.echoRequest : ICMP_TYPE.echoReply;
  return emitIcmp({ type: kind, code: 0, rest: (identifier << 16) | sequence }, data);
}

/** The error about the IPv4 packet in [start, end), quoting as much of it as fits. To be sent to its source. */
export function destinationUnreachable(
  code: number,
  bytes: Uint8Array,
  start: number,
  end: number,
): Uint8Array {
  const header = { type: ICMP_TYPE.destinationUnreachable, code, rest: 0 };
  return emitIcmp(header, quote(bytes, start, end));
}

/** RFC 1191: the packet does not fit through `mtu` bytes and must not be fragmented. */
export function fragmentationNeeded(
  mtu: number,
  bytes: Uint8Array,
  start: number,
  end: number,
): Uint8Array {
  const code = UNREACHABLE_CODE.fragmentationNeeded;
  const header = { type: ICMP_TYPE.destinationUnreachable, code, rest: mtu & 0xffff };
  return emitIcmp(header, quote(bytes, start, end));
}

/** The packet's time to live ran out on the way. */
export function timeExceeded(bytes: Uint8Array, start: number, end: number): Uint8Array {
  const header = { type: ICMP_TYPE.timeExceeded, code: TTL_EXCEEDED, rest: 0 };
  return emitIcmp(header, quote(bytes, start, end));
}

function quote(bytes: Uint8Array, start: number, end: number): Uint8Array {
  return bytes.subarray(start, Math.min(end, start + QUOTE_LENGTH_MAX));
}
