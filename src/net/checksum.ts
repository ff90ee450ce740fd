/**
 * The Internet checksum, RFC 1071: the complement of the ones' complement sum of 16-bit words.
 *
 * A "sum" here is folded to 16 bits and not complemented: sums of parts add up with `combine`, as long as every part
 * but the last has an even length. What stands in a packet is a sum's `complement`.
 */
import type { AddressPair } from "./address.ts";
import { writeUint16 } from "./words.ts";

/** Words that can be added up before a sum must be folded: 2^15 words of 0xffff fit in 31 bits. */
const CHUNK_BYTES = 0x8000;

/** The sum over [start, end), added to the sum `initial`. An odd last byte is followed by a zero. */
export function sum(bytes: Uint8Array, start: number, end: number, initial = 0): number {
  let total = initial;
  let at = start;
  while (end - at > 1) {
    const stop = Math.min(at + CHUNK_BYTES, end - 1);
    for (; at < stop; at += 2) total += (bytes[at]! << 8) | bytes[at + 1]!;
    total = fold(total);
  }
  return at < end ? fold(total + (bytes[at]! << 8)) : total;
}

/** A total of words, below 2^32, as a 16-bit sum. */
export function fold(total: number): number {
  total = (total & 0xffff) + (total >>> 16);
  return (total & 0xffff) + (total >>> 16);
}

/** From a sum to what stands in the packet, and back. */
export function complement(sum16: number): number {
  return ~sum16 & 0xffff;
}

export function combine(one: number, other: number): number {
  return fold(one + other);
}

/** The sum of a 32-bit word, signed or unsigned. */
export function sumOfWord(word: number): number {
  return fold((word >>> 16) + (word & 0xffff));
}

/**
 * The checksum after one 16-bit word changes from `before` to `after`.
 *
 * RFC 1624 equation 3. RFC 1141's equation gives 0xffff where a full sum gives 0x0000.
 */
export function update16(checksum: number, before: number, after: number): number {
  return complement(fold(complement(checksum) + complement(before) + after));
}

/** As update16() for a 32-bit word, signed or unsigned. */
export function update32(checksum: number, before: number, after: number): number {
  const total =
    complement(checksum) +
    complement(before >>> 16) +
    complement(before & 0xffff) +
    (after >>> 16) +
    (after & 0xffff);
  return complement(fold(total));
}

/**
 * What a partial checksum becomes when a word of the pseudo-header changes.
 *
 * Where the network card shall finish the checksum, the field holds the pseudo-header's sum, not complemented
 * (Linux CHECKSUM_PARTIAL).
 */
export function updatePartial32(partial: number, before: number, after: number): number {
  return complement(update32(complement(partial), before, after));
}

/** RFC 793/768's pseudo-header over IPv4. `length` is the transport header's with its payload. */
export function pseudoHeaderInet(
  source: number,
  destination: number,
  protocol: number,
  length: number,
): number {
  return fold(
    (source >>> 16) +
      (source & 0xffff) +
      (destination >>> 16) +
      (destination & 0xffff) +
      protocol +
      sumOfWord(length),
  );
}

/** RFC 8200 section 8.1's pseudo-header. IPv4's has the same words in the sum, so this serves both families. */
export function pseudoHeader(
  { source, destination }: AddressPair,
  protocol: number,
  length: number,
): number {
  return fold(
    sumOfWord(source.w0) +
      sumOfWord(source.w1) +
      sumOfWord(source.w2) +
      pseudoHeaderInet(source.w3, destination.w3, protocol, length) +
      sumOfWord(destination.w0) +
      sumOfWord(destination.w1) +
      sumOfWord(destination.w2),
  );
}

/**
 * Finishes a partial checksum as a network card would: the sum over [start, end), in which the field at `field` holds
 * the pseudo-header's sum, is written to that field. A result of 0 is written as all ones, which means the same to every
 * protocol but UDP, where 0 would mean "none" (the kernel's skb_checksum_help()).
 */
export function completePartial(
  bytes: Uint8Array,
  start: number,
  field: number,
  end: number,
): void {
  writeUint16(bytes, field, complement(sum(bytes, start, end)) || 0xffff);
}
