/**
 * SCTP, RFC 9260.
 *
 *      0        2             4                  8          12
 *     | source | destination | verification tag | checksum | chunk | chunk ...
 *
 *     chunk:   | type | flags | length | value ... | padding to 4 |       length counts all but the padding
 *
 * The checksum is a CRC-32C over everything with zeros in its own place, stored with its lowest byte first.
 */
import { CRC32C_START, extend, finish } from "./crc32c.ts";
import type { Port } from "./port.ts";
import { View } from "./view.ts";
import { fits, readUint16, readUint32, writeUint16, writeUint32 } from "./words.ts";

export const SCTP_HEADER_LENGTH = 12;
export const SCTP_CHUNK_HEADER_LENGTH = 4;

export const SCTP_CHUNK = {
  data: 0,
  init: 1,
  initAck: 2,
  selectiveAck: 3,
  heartbeat: 4,
  heartbeatAck: 5,
  abort: 6,
  shutdown: 7,
  shutdownAck: 8,
  error: 9,
  cookieEcho: 10,
  cookieAck: 11,
  shutdownComplete: 14,
} as const;

/** What the common header says, free of where it lies. */
export interface SctpHeader {
  readonly source: Port;
  readonly destination: Port;
  readonly verificationTag: number;
}

export interface SctpChunk {
  readonly type: number;
  readonly flags: number;
  readonly value: Uint8Array;
}

const at = { source: 0, destination: 2, verificationTag: 4, checksum: 8 } as const;
/** Where a chunk has its fields. */
export const SCTP_CHUNK_OFFSET = { type: 0, flags: 1, length: 2 } as const;
const chunkAt = SCTP_CHUNK_OFFSET;

const ZEROS = new Uint8Array(4);

/** An SCTP packet where it lies: every read and write goes to the packet's own bytes. */
export class SctpView extends View {
  /** Moves to the packet in [start, end), or stays when it ends inside its common header. */
  moveTo(bytes: Uint8Array, start: number, end: number): "truncated" | undefined {
    if (!fits(bytes, start, end, SCTP_HEADER_LENGTH)) return "truncated";
    return this.place(bytes, start, end);
  }

  /** Where the chunks begin. */
  get payloadStart(): number {
    return this.start + SCTP_HEADER_LENGTH;
  }

  get source(): Port {
    return readUint16(this.bytes, this.start + at.source) as Port;
  }

  get destination(): Port {
    return readUint16(this.bytes, this.start + at.destination) as Port;
  }

  get verificationTag(): number {
    return readUint32(this.bytes, this.start + at.verificationTag);
  }

  /** As crc32c() gives it: the four bytes read with the lowest first. */
  get checksum(): number {
    const stored = readUint32(this.bytes, this.start + at.checksum);
    return swapBytes(stored);
  }

  get header(): SctpHeader {
    return {
      source: this.source,
      destination: this.destination,
      verificationTag: this.verificationTag,
    };
  }

  /** Where the first chunk begins, or -1 when there is no whole chunk. */
  get firstChunk(): number {
    return this.#chunkFrom(this.payloadStart);
  }

  /** Where the chunk behind the one at `chunk` begins, or -1. */
  chunkAfter(chunk: number): number {
    return this.#chunkFrom(chunk + padded(readUint16(this.bytes, chunk + chunkAt.length)));
  }

  /** The type of the chunk at an offset that firstChunk or chunkAfter() gave. */
  chunkType(chunk: number): number {
    return this.bytes[chunk + chunkAt.type]!;
  }

  /** The whole chunks in their order, up to the first malformed one. */
  *chunks(): Generator<SctpChunk> {
    for (let chunk = this.firstChunk; chunk >= 0; chunk = this.chunkAfter(chunk)) {
      const end = chunk + readUint16(this.bytes, chunk + chunkAt.length);
      yield {
        type: this.chunkType(chunk),
        flags: this.bytes[chunk + chunkAt.flags]!,
        value: this.bytes.subarray(chunk + SCTP_CHUNK_HEADER_LENGTH, end),
      };
    }
  }

  #chunkFrom(offset: number): number {
    if (offset + SCTP_CHUNK_HEADER_LENGTH > this.end) return -1;
    const length = readUint16(this.bytes, offset + chunkAt.length);
    return length < SCTP_CHUNK_HEADER_LENGTH || offset + length > this.end ? -1 : offset;
  }

  /** Writes the port alone: a CRC cannot be adjusted cheaply, so refreshChecksum() follows the last change. */
  setSource(port: Port): void {
    writeUint16(this.bytes, this.start + at.source, port);
  }

  setDestination(port: Port): void {
    writeUint16(this.bytes, this.start + at.destination, port);
  }

  isChecksumRight(): boolean {
    return this.#computeChecksum() === this.checksum;
  }

  /** Computes the checksum anew. No address is in it. */
  refreshChecksum(): void {
    writeUint32(this.bytes, this.start + at.checksum, swapBytes(this.#computeChecksum()));
  }

  #computeChecksum(): number {
    const field = this.start + at.checksum;
    let state = extend(CRC32C_START, this.bytes, this.start, field);
    state = extend(state, ZEROS, 0, ZEROS.length);
    return finish(extend(state, this.bytes, field + ZEROS.length, this.end));
  }
}

function padded(length: number): number {
  return (length + 3) & ~3;
}

function swapBytes(word: number): number {
  const swapped = (word << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24);
  return swapped >>> 0;
}

/** A packet with its checksum. Chunks are padded as they must be. */
export function emitSctp(header: SctpHeader, chunks: readonly SctpChunk[]): Uint8Array {
  const lengths = chunks.map(({ value }) => SCTP_CHUNK_HEADER_LENGTH + value.length);
  const total = lengths.reduce((sum, length) => sum + padded(length), SCTP_HEADER_LENGTH);
  const packet = new Uint8Array(total);
  writeUint16(packet, at.source, header.source);
  writeUint16(packet, at.destination, header.destination);
  writeUint32(packet, at.verificationTag, header.verificationTag);
  let offset = SCTP_HEADER_LENGTH;
  for (const { type, flags, value } of chunks) {
    const length = SCTP_CHUNK_HEADER_LENGTH + value.length;
    packet[offset + chunkAt.type] = type;
    packet[offset + chunkAt.flags] = flags;
    writeUint16(packet, offset + chunkAt.length, length);
    packet.set(value, offset + SCTP_CHUNK_HEADER_LENGTH);
    offset += padded(length);
  }
  const view = SctpView.unplaced();
  view.moveTo(packet, 0, packet.length);
  view.refreshChecksum();
  return packet;
}
