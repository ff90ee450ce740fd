/**
 * SipHash-1-3 of one 32-bit word, cut to 32 bits: the kernel's hsiphash_1u32() on 64-bit machines (lib/siphash.c).
 *
 * Its 64-bit arithmetic is done in halves: BigInt would allocate for every step.
 */

/** A 128-bit key as two 64-bit words, each of which is below 2^32. */
export type SipKey = readonly [first: number, second: number];

/** "somepseudorandomlygeneratedbytes", the state that every SipHash begins with: v0 to v3, low half first. */
const INITIAL = new Int32Array([
  0x70736575, 0x736f6d65, 0x6e646f6d, 0x646f7261, 0x6e657261, 0x6c796765, 0x79746573, 0x74656462,
]);

/** Where v0 to v3 lie in the state. */
const V0 = 0;
const V1 = 2;
const V2 = 4;
const V3 = 6;

/** Bytes that are hashed, in the last block's top byte. */
const LENGTH_BYTE = 4 << 24;

const state = new Int32Array(INITIAL.length);

/** An unsigned 32-bit number. `word` counts modulo 2^32. */
export function siphash(word: number, [first, second]: SipKey): number {
  state.set(INITIAL);
  flip(V0, first);
  flip(V1, second);
  flip(V2, first);
  flip(V3, second);

  // The only block is the last: the word, and its length.
  flip(V3, word);
  flip(V3 + 1, LENGTH_BYTE);
  round();
  flip(V0, word);
  flip(V0 + 1, LENGTH_BYTE);

  flip(V2, 0xff);
  round();
  round();
  round();
  return (state[V0]! ^ state[V1]! ^ state[V2]! ^ state[V3]!) >>> 0;
}

function round(): void {
  add(V0, V1);
  rotate(V1, 13);
  xor(V1, V0);
  rotate(V0, 32);
  add(V2, V3);
  rotate(V3, 16);
  xor(V3, V2);
  add(V0, V3);
  rotate(V3, 21);
  xor(V3, V0);
  add(V2, V1);
  rotate(V1, 17);
  xor(V1, V2);
  rotate(V2, 32);
}

function flip(half: number, bits: number): void {
  state[half]! ^= bits;
}

function xor(to: number, from: number): void {
  state[to]! ^= state[from]!;
  state[to + 1]! ^= state[from + 1]!;
}

function add(to: number, from: number): void {
  const low = (state[to]! >>> 0) + (state[from]! >>> 0);
  const carry = low > 0xffffffff ? 1 : 0;
  state[to] = low;
  state[to + 1] = state[to + 1]! + state[from + 1]! + carry;
}

/** To the left, by up to 32 bits. */
function rotate(at: number, bits: number): void {
  const low = state[at]!;
  const high = state[at + 1]!;
  if (bits === 32) {
    state[at] = high;
    state[at + 1] = low;
    return;
  }
  state[at] = (low << bits) | (high >>> (32 - bits));
  state[at + 1] = (high << bits) | (low >>> (32 - bits));
}
