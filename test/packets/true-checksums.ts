/** Checksums the slow way, bit by bit from their definitions, to hold the fast ones against. */

/** RFC 1071: the checksum over `parts`, each of an even length but the last. */
export function internetChecksum(...parts: readonly Uint8Array[]): number {
  let sum = 0;
  for (const part of parts) {
    for (let at = 0; at < part.length; at++) sum += part[at]! << (at % 2 === 0 ? 8 : 0);
  }
  while (sum > 0xffff) sum = (sum % 0x10000) + Math.floor(sum / 0x10000);
  return 0xffff - sum;
}

/** RFC 9260 appendix A. */
export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffff_ffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ ((crc & 1) === 1 ? 0x82f6_3b78 : 0);
  }
  return ~crc >>> 0;
}

const ZERO_MEANS_NONE = 17;
/** Where the transport protocols keep theirs. */
const FIELD: Readonly<Record<number, number>> = { 1: 2, 6: 16, 17: 6, 58: 2, 132: 8 };

/** Writes every checksum of a whole IP packet without extension headers. A UDP datagram without one keeps none. */
export function writeTrueChecksums(packet: Uint8Array, { alsoAbsent = false } = {}): void {
  const isInet = packet[0]! >>> 4 === 4;
  const start = isInet ? (packet[0]! & 0x0f) * 4 : 40;
  const protocol = packet[isInet ? 9 : 6]!;
  if (isInet) writeSum(packet, 10, (): number => internetChecksum(packet.subarray(0, start)));
  const field = FIELD[protocol];
  if (field === undefined) return;
  const at = start + field;
  const body = packet.subarray(start);
  if (protocol === 132) {
    packet.fill(0, at, at + 4);
    new DataView(packet.buffer, packet.byteOffset).setUint32(at, crc32c(body), true);
    return;
  }
  const isAbsent = packet[at] === 0 && packet[at + 1] === 0;
  if (protocol === ZERO_MEANS_NONE && isAbsent && !alsoAbsent) return;
  const pseudo = protocol === 1 ? new Uint8Array() : pseudoHeader(packet, start, protocol);
  writeSum(packet, at, () => {
    const sum = internetChecksum(pseudo, body);
    return protocol === ZERO_MEANS_NONE && sum === 0 ? 0xffff : sum;
  });
}

function writeSum(packet: Uint8Array, at: number, compute: () => number): void {
  packet[at] = packet[at + 1] = 0;
  const sum = compute();
  packet[at] = sum >>> 8;
  packet[at + 1] = sum & 0xff;
}

/** RFC 793's and RFC 8200's in one: the sums are the same. */
function pseudoHeader(packet: Uint8Array, start: number, protocol: number): Uint8Array {
  const addresses = packet.subarray(start === 40 && packet[0]! >>> 4 === 6 ? 8 : 12, start);
  const isInet = packet[0]! >>> 4 === 4;
  const used = isInet ? packet.subarray(12, 20) : addresses;
  const pseudo = new Uint8Array(used.length + 8);
  pseudo.set(used);
  const view = new DataView(pseudo.buffer);
  view.setUint32(used.length, packet.length - start);
  view.setUint32(used.length + 4, protocol);
  return pseudo;
}
