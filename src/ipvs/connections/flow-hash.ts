/**
 * HalfSipHash-1-3 (Aumasson and Bernstein's SipHash in 32-bit words): what the kernel calls hsiphash.
 *
 * Clients choose their addresses and ports, so a hash that they can compute, or whose collisions do not depend on
 * the key, would let them put all their connections into one place of the table.
 */
export type HashKey = readonly [number, number];

/** Bytes hashed: both addresses, both ports, and the protocol. The length tells the families apart. */
const INET_BYTES = 13;
const INET6_BYTES = 37;
/** A persistence engine's at most. */
const DATA_BYTES = 255;

export class FlowHash {
  readonly #key0: number;
  readonly #key1: number;
  readonly #words = new Int32Array((DATA_BYTES >>> 2) + 1);

  constructor([key0, key1]: HashKey) {
    this.#key0 = key0 | 0;
    this.#key1 = key1 | 0;
  }

  /** The hash of an IPv4 flow between `a` and `b`. */
  inet(protocol: number, ports: number, a: number, b: number): number {
    const words = this.#words;
    words[0] = a;
    words[1] = b;
    words[2] = ports;
    words[3] = protocol | (INET_BYTES << 24);
    return this.#hash(3);
  }

  /** The hash of an IPv6 flow between `a` and `b`. */
  inet6(
    protocol: number,
    ports: number,
    a0: number,
    a1: number,
    a2: number,
    a3: number,
    b0: number,
    b1: number,
    b2: number,
    b3: number,
  ): number {
    const words = this.#words;
    words[0] = a0;
    words[1] = a1;
    words[2] = a2;
    words[3] = a3;
    words[4] = b0;
    words[5] = b1;
    words[6] = b2;
    words[7] = b3;
    words[8] = ports;
    words[9] = protocol | (INET6_BYTES << 24);
    return this.#hash(9);
  }

  /** The hash of 255 bytes at most. */
  data(bytes: Uint8Array, start: number, length: number): number {
    const words = this.#words;
    const last = length >>> 2;
    words.fill(0, 0, last);
    words[last] = length << 24;
    for (let index = 0; index < length; index++) {
      const word = index >>> 2;
      words[word] = words[word]! | (bytes[start + index]! << (8 * (index & 3)));
    }
    return this.#hash(last);
  }

  /** Hashes the words up to `last`, whose highest byte is the length. */
  #hash(last: number): number {
    const words = this.#words;
    let v0 = this.#key0;
    let v1 = this.#key1;
    let v2 = 0x6c796765 ^ this.#key0;
    let v3 = 0x74656462 ^ this.#key1;
    // One round for each word, then three to finish.
    for (let round = 0; round <= last + 3; round++) {
      const word = round <= last ? words[round]! : 0;
      if (round === last + 1) v2 ^= 0xff;
      v3 ^= word;
      v0 = (v0 + v1) | 0;
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
      v0 = (v0 << 16) | (v0 >>> 16);
      v2 = (v2 + v3) | 0;
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
      v0 = (v0 + v3) | 0;
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
      v2 = (v2 + v1) | 0;
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
      v2 = (v2 << 16) | (v2 >>> 16);
      v0 ^= word;
    }
    return v1 ^ v3;
  }
}
