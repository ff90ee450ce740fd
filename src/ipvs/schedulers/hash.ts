/** 2^32 divided by the golden ratio: GOLDEN_RATIO_32 of the kernel's include/linux/hash.h. */
const GOLDEN_RATIO = 0x61c88647;

/** The kernel's hash_32(): `value` (taken modulo 2^32) spread over `bits` bits. */
export function hash32(value: number, bits: number): number {
  return Math.imul(value, GOLDEN_RATIO) >>> (32 - bits);
}
