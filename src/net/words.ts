/**
 * Numbers in network byte order, straight from and to bytes.
 *
 * No bounds checks: a view checks its window once, and reads inside it only. A DataView would do the same, but costs an
 * allocation for every packet that a view is moved to.
 */

/** Where a view lies that has not been moved anywhere yet. */
export const NOWHERE: Uint8Array = new Uint8Array(0);

export function readUint16(bytes: Uint8Array, offset: number): number {
  return (bytes[offset]! << 8) | bytes[offset + 1]!;
}

/** As an `Address` keeps its words: signed, so that bit operations need no conversion. */
export function readInt32(bytes: Uint8Array, offset: number): number {
  return (
    (bytes[offset]! << 24) |
    (bytes[offset + 1]! << 16) |
    (bytes[offset + 2]! << 8) |
    bytes[offset + 3]!
  );
}

export function readUint32(bytes: Uint8Array, offset: number): number {
  return readInt32(bytes, offset) >>> 0;
}

export function writeUint16(bytes: Uint8Array, offset: number, value: number): void {
  bytes[offset] = value >>> 8;
  bytes[offset + 1] = value;
}

/** Takes signed and unsigned words alike. */
export function writeUint32(bytes: Uint8Array, offset: number, value: number): void {
  bytes[offset] = value >>> 24;
  bytes[offset + 1] = value >>> 16;
  bytes[offset + 2] = value >>> 8;
  bytes[offset + 3] = value;
}

/** True when [start, end) lies in `bytes` and holds at least `length` bytes. */
export function fits(bytes: Uint8Array, start: number, end: number, length: number): boolean {
  return start >= 0 && end <= bytes.length && end - start >= length;
}
