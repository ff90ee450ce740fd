import { expect, it } from "vitest";
import { isStateLargerThanBuffer } from "./xstate.ts";

/** getauxval(3)'s entries, as /proc/self/auxv has them. */
function auxiliaryVector(...entries: readonly (readonly [key: number, value: number])[]): Buffer {
  const bytes = Buffer.alloc(entries.length * 16);
  entries.forEach(([key, value], index) => {
    bytes.writeBigUInt64LE(BigInt(key), index * 16);
    bytes.writeBigUInt64LE(BigInt(value), index * 16 + 8);
  });
  return bytes;
}

it.each([
  ["AVX", 1776, false],
  ["AVX-512 and protection keys", 3632, false],
  ["AMX", 11_952, true],
])("%s", (_, signalStack, isLarger) => {
  const vector = auxiliaryVector([33, 0x7fff_0000], [51, signalStack], [0, 0]);
  expect(isStateLargerThanBuffer(vector)).toBe(isLarger);
});

it("takes a kernel that does not say for one without AMX", () => {
  expect(isStateLargerThanBuffer(auxiliaryVector([16, 99_999], [0, 0]))).toBe(false);
});
