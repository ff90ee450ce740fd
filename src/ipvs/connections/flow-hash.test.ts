import { expect, test } from "vitest";
import { FlowHash } from "./flow-hash.ts";

/** The key and the message 00 01 02 03 ... of the reference vectors (the kernel's lib/tests/siphash_kunit.c). */
const hash = new FlowHash([0x03020100, 0x07060504]);

function word(index: number): number {
  return Array.from({ length: 4 }, (_, byte) => (index * 4 + byte) << (byte * 8)).reduce(
    (sum, part) => sum | part,
  );
}

test("13 bytes hash to the reference vector", () => {
  expect(hash.inet(0x0c, word(2), word(0), word(1)) >>> 0).toBe(0x66dd9cd6);
});

test("37 bytes hash to the reference vector", () => {
  const [w0, w1, w2, w3, w4, w5, w6, w7, ports] = Array.from({ length: 9 }, (_, i) => word(i));
  expect(hash.inet6(0x24, ports!, w0!, w1!, w2!, w3!, w4!, w5!, w6!, w7!) >>> 0).toBe(0x732ba8cb);
});

test("bytes hash to the reference vectors of their lengths", () => {
  const message = Uint8Array.from({ length: 256 }, (_, index) => index - 1);
  expect(hash.data(message, 1, 13) >>> 0).toBe(0x66dd9cd6);
  expect(hash.data(message, 1, 37) >>> 0).toBe(0x732ba8cb);
  expect(hash.data(message, 1, 255)).not.toBe(hash.data(message, 1, 254));
});

test("another key gives other hashes", () => {
  const other = new FlowHash([0x03020100, 0x07060505]);
  expect(other.inet(6, 1, 2, 3)).not.toBe(hash.inet(6, 1, 2, 3));
});
