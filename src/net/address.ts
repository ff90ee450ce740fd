/**
 * IPv4 and IPv6 addresses in one type.
 *
 * Four signed 32-bit words in host order, as read big-endian from the wire. An IPv4 address has its bits in `w3` and
 * 0 in the others, so XORing the words folds either family as the kernel's schedulers do, and a hash table over
 * numbers needs no case distinction.
 */
import { formatInet, formatInet6, parseInet, parseInet6 } from "./address-text.ts";
import { readInt32, writeUint32 } from "./words.ts";

export type Family = "inet" | "inet6";

/** Bytes of an address on the wire. */
export const ADDRESS_LENGTH = { inet: 4, inet6: 16 } as const;

/** 255.255.255.255, signed. */
const BROADCAST_WORD = -1;

/** Who sends to whom: what a pseudo-header is made of. */
export interface AddressPair {
  readonly source: Address;
  readonly destination: Address;
}

export class Address {
  readonly family: Family;
  readonly w0: number;
  readonly w1: number;
  readonly w2: number;
  readonly w3: number;
  #text: string | undefined;

  private constructor(family: Family, w0: number, w1: number, w2: number, w3: number) {
    this.family = family;
    this.w0 = w0 | 0;
    this.w1 = w1 | 0;
    this.w2 = w2 | 0;
    this.w3 = w3 | 0;
  }

  static inet(word: number): Address {
    return new Address("inet", 0, 0, 0, word);
  }

  static inet6(w0: number, w1: number, w2: number, w3: number): Address {
    return new Address("inet6", w0, w1, w2, w3);
  }

  /** Either family, strictly: no octal, no short quads, no zone, no brackets. Undefined for anything else. */
  static parse(text: string): Address | undefined {
    if (!text.includes(":")) {
      const word = parseInet(text);
      return word === undefined ? undefined : Address.inet(word);
    }
    const words = parseInet6(text);
    return words === undefined ? undefined : Address.inet6(...words);
  }

  /** The address that lies at `start`. The caller has checked that it does. */
  static fromBytes(bytes: Uint8Array, start: number, family: Family): Address {
    if (family === "inet") return Address.inet(readInt32(bytes, start));
    return Address.inet6(
      readInt32(bytes, start),
      readInt32(bytes, start + 4),
      readInt32(bytes, start + 8),
      readInt32(bytes, start + 12),
    );
  }

  /** In network byte order: 4 bytes or 16. */
  bytes(): Uint8Array {
    const bytes = new Uint8Array(ADDRESS_LENGTH[this.family]);
    this.writeTo(bytes, 0);
    return bytes;
  }

  writeTo(bytes: Uint8Array, start: number): void {
    if (this.family === "inet") {
      writeUint32(bytes, start, this.w3);
      return;
    }
    writeUint32(bytes, start, this.w0);
    writeUint32(bytes, start + 4, this.w1);
    writeUint32(bytes, start + 8, this.w2);
    writeUint32(bytes, start + 12, this.w3);
  }

  equals(other: Address): boolean {
    return (
      this.w3 === other.w3 &&
      this.w2 === other.w2 &&
      this.w1 === other.w1 &&
      this.w0 === other.w0 &&
      this.family === other.family
    );
  }

  /** Orders IPv4 before IPv6, and within a family as numbers. */
  compare(other: Address): number {
    if (this.family !== other.family) return this.family === "inet" ? -1 : 1;
    return (
      compareUnsigned(this.w0, other.w0) ||
      compareUnsigned(this.w1, other.w1) ||
      compareUnsigned(this.w2, other.w2) ||
      compareUnsigned(this.w3, other.w3)
    );
  }

  /** The words XORed, signed: ip_vs_addr_fold() of the kernel's hashing schedulers. */
  get fold(): number {
    return this.w0 ^ this.w1 ^ this.w2 ^ this.w3;
  }

  /** A signed 32-bit hash: equal for equal addresses, well spread in every bit. */
  get hash(): number {
    let hash = this.family === "inet" ? 0 : 0x9e3779b9;
    hash = mix(hash ^ this.w3);
    if (this.family === "inet") return hash;
    return mix(mix(mix(hash ^ this.w2) ^ this.w1) ^ this.w0);
  }

  /** The network part: the first `length` bits kept, the others 0. */
  masked(length: number): Address {
    if (this.family === "inet") return Address.inet(this.w3 & maskWord(length));
    return Address.inet6(
      this.w0 & maskWord(length),
      this.w1 & maskWord(length - 32),
      this.w2 & maskWord(length - 64),
      this.w3 & maskWord(length - 96),
    );
  }

  /**
   * IPv4: neither 0/8, nor multicast 224/4, nor 255.255.255.255; reserved 240/4 is, as in Linux (inet_addr_type()).
   * IPv6: neither :: nor ff00::/8.
   */
  get isUnicast(): boolean {
    if (this.family === "inet") {
      return this.w3 >>> 24 !== 0 && !this.isMulticast && this.w3 !== BROADCAST_WORD;
    }
    return !this.isUnspecified && !this.isMulticast;
  }

  get isMulticast(): boolean {
    return this.family === "inet" ? this.w3 >>> 28 === 0xe : this.w0 >>> 24 === 0xff;
  }

  get isLoopback(): boolean {
    if (this.family === "inet") return this.w3 >>> 24 === 127;
    return this.w0 === 0 && this.w1 === 0 && this.w2 === 0 && this.w3 === 1;
  }

  /** 169.254/16 (RFC 3927), fe80::/10 (RFC 4291). */
  get isLinkLocal(): boolean {
    return this.family === "inet" ? this.w3 >>> 16 === 0xa9fe : this.w0 >>> 22 === 0x3fa;
  }

  get isUnspecified(): boolean {
    return this.w0 === 0 && this.w1 === 0 && this.w2 === 0 && this.w3 === 0;
  }

  /** Canonical: equal addresses have equal texts, and no other has. */
  toString(): string {
    this.#text ??=
      this.family === "inet"
        ? formatInet(this.w3)
        : formatInet6([this.w0, this.w1, this.w2, this.w3]);
    return this.#text;
  }

  toJSON(): string {
    return this.toString();
  }
}

/** A word whose first `length` bits are set; below 0 is none, above 32 is all. */
function maskWord(length: number): number {
  if (length <= 0) return 0;
  return length >= 32 ? -1 : ~(-1 >>> length);
}

function compareUnsigned(a: number, b: number): number {
  return Math.sign((a >>> 0) - (b >>> 0));
}

/** MurmurHash3's 32-bit finalizer. */
function mix(word: number): number {
  word = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
  word = Math.imul(word ^ (word >>> 13), 0xc2b2ae35);
  return word ^ (word >>> 16);
}
