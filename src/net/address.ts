/**
 * IPv4 and IPv6 addresses in one type.
 *
 * Four signed 32-bit words in host order, as read big-endian from the wire. An IPv4 address has its bits in `w3` and
 * 0 in the others, so XORing the words folds either family as the kernel's schedulers do, and a hash table over
 * numbers needs no case distinction.
 */
export type Family = "inet" | "inet6";

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
}
