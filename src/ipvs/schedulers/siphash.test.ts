import fc from "fast-check";
import { expect, test } from "vitest";
import { siphash } from "./siphash.ts";

const word = fc.integer({ min: 0, max: 2 ** 32 - 1 });

test("halves compute what 64-bit integers do", () => {
  fc.assert(
    fc.property(word, word, word, (value, first, second) => {
      expect(siphash(value, [first, second])).toBe(reference(value, first, second));
    }),
    { seed: 7, numRuns: 300 },
  );
});

/** SipHash-1-3 of four bytes as its paper defines it (Aumasson, Bernstein, "SipHash", section 2). */
function reference(value: number, first: number, second: number): number {
  const [k0, k1] = [BigInt(first), BigInt(second)];
  let [v0, v1, v2, v3] = [
    k0 ^ 0x736f6d6570736575n,
    k1 ^ 0x646f72616e646f6dn,
    k0 ^ 0x6c7967656e657261n,
    k1 ^ 0x7465646279746573n,
  ];
  const sum = (a: bigint, b: bigint) => BigInt.asUintN(64, a + b);
  const left = (a: bigint, bits: bigint) => BigInt.asUintN(64, a << bits) | (a >> (64n - bits));
  const round = () => {
    v0 = sum(v0, v1);
    v2 = sum(v2, v3);
    v1 = left(v1, 13n) ^ v0;
    v3 = left(v3, 16n) ^ v2;
    v0 = left(v0, 32n);
    v2 = sum(v2, v1);
    v0 = sum(v0, v3);
    v1 = left(v1, 17n) ^ v2;
    v3 = left(v3, 21n) ^ v0;
    v2 = left(v2, 32n);
  };
  const block = BigInt(value) | (4n << 56n);
  v3 ^= block;
  round();
  v0 ^= block;
  v2 ^= 0xffn;
  for (let count = 0; count < 3; count++) round();
  return Number(BigInt.asUintN(32, v0 ^ v1 ^ v2 ^ v3));
}
