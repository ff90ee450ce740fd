/** CRC-32C (Castagnoli), RFC 9260 appendix A: SCTP's checksum. */

/** The polynomial 0x1edc6f41, its bits reversed. */
const POLYNOMIAL = 0x82f63b78;

/** What eight shifts do to each byte. */
const TABLE = Int32Array.from({ length: 256 }, (_, byte) => {
  let remainder = byte;
  for (let bit = 0; bit < 8; bit++) {
    remainder = (remainder >>> 1) ^ (remainder & 1 ? POLYNOMIAL : 0);
  }
  return remainder;
});

/** The state before the first byte, for `extend`. */
export const CRC32C_START = -1;

/** The state after [start, end) too. A checksum over several windows goes through one state. */
export function extend(state: number, bytes: Uint8Array, start: number, end: number): number {
  for (let at = start; at < end; at++) {
    state = TABLE[(state ^ bytes[at]!) & 0xff]! ^ (state >>> 8);
  }
  return state;
}

/** The checksum that a state stands for, unsigned. */
export function finish(state: number): number {
  return ~state >>> 0;
}

export function crc32c(bytes: Uint8Array, start = 0, end = bytes.length): number {
  return finish(extend(CRC32C_START, bytes, start, end));
}
