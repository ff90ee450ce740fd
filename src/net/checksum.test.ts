import fc from "fast-check";
import { expect, test } from "vitest";
import { addressPair, payload, uint8, uint16, uint32 } from "../../test/arbitraries.ts";
import { bytes } from "../../test/bytes.ts";
import * as checksum from "./checksum.ts";
import { readUint32, writeUint16, writeUint32 } from "./words.ts";

/** RFC 1071 as it reads, with numbers that cannot overflow. */
function slowSum(data: Uint8Array): number {
  let total = 0n;
  for (let at = 0; at < data.length; at += 2) {
    total += BigInt((data[at]! << 8) | (data[at + 1] ?? 0));
  }
  while (total > 0xffffn) total = (total & 0xffffn) + (total >> 16n);
  return Number(total);
}

const sums: [why: string, data: string, sum: number][] = [
  ["RFC 1071 section 3's example", "0001 f203 f4f5 f6f7", 0xddf2],
  ["nothing", "", 0],
  ["an odd byte, which is a word's high one", "12", 0x1200],
  ["a carry that carries again", "ffff 0001 ffff", 0x0001],
  ["a right IPv4 header", "4500 0073 0000 4000 4011 b861 c0a8 0001 c0a8 00c7", 0xffff],
];

test.for(sums)("sum() of %s", ([, data, sum]) => {
  expect(checksum.sum(bytes(data), 0, bytes(data).length)).toBe(sum);
});

test("sum() agrees with the RFC's words, in any window", () => {
  fc.assert(
    fc.property(payload(300), uint8, uint8, (data, from, length) => {
      const start = Math.min(from, data.length);
      const end = Math.min(start + length, data.length);
      expect(checksum.sum(data, start, end)).toBe(slowSum(data.subarray(start, end)));
    }),
  );
});

test("sum() does not overflow over more than an IP packet", () => {
  const data = new Uint8Array(300_001).fill(0xff);
  expect(checksum.sum(data, 0, data.length)).toBe(slowSum(data));
});

test("the sum of parts is the sum of the whole", () => {
  fc.assert(
    fc.property(payload(), payload(), (one, other) => {
      const even = one.subarray(0, one.length & ~1);
      const whole = Uint8Array.from([...even, ...other]);
      const first = checksum.sum(even, 0, even.length);
      const second = checksum.sum(other, 0, other.length);
      expect(checksum.combine(first, second)).toBe(slowSum(whole));
      expect(checksum.sum(other, 0, other.length, first)).toBe(slowSum(whole));
    }),
  );
});

// A data set whose first word is the checksum, as in a header.
const header = fc.uint8Array({ minLength: 8, maxLength: 40 }).filter((data) => data[7] !== 0);

test("an incremental update is the full sum", () => {
  fc.assert(
    fc.property(header, uint16, uint32, (data, half, word) => {
      const full = () => {
        writeUint16(data, 0, 0);
        return checksum.complement(checksum.sum(data, 0, data.length));
      };
      const before = full();
      const oldWord = readUint32(data, 2);
      writeUint32(data, 2, word);
      const afterWord = full();
      expect(checksum.update32(before, oldWord, word)).toBe(afterWord);
      expect(checksum.update32(before, oldWord | 0, word | 0)).toBe(afterWord);
      const oldHalf = word >>> 16;
      writeUint16(data, 2, half);
      expect(checksum.update16(afterWord, oldHalf, half)).toBe(full());
    }),
  );
});

test("RFC 1624 section 4's example comes out as 0x0000, not as 0xffff", () => {
  expect(checksum.update16(0xdd2f, 0x5555, 0x3285)).toBe(0x0000);
});

test("both pseudo-header functions agree with RFC 768 and RFC 8200 as they read", () => {
  const anyPair = fc.oneof(addressPair("inet"), addressPair("inet6"));
  fc.assert(
    fc.property(anyPair, uint8, uint16, ({ source, destination }, protocol, length) => {
      const tail = new Uint8Array(8);
      writeUint32(tail, 0, length);
      tail[7] = protocol;
      const pseudo = Uint8Array.from([...source.bytes(), ...destination.bytes(), ...tail]);
      expect(checksum.pseudoHeader({ source, destination }, protocol, length)).toBe(
        slowSum(pseudo),
      );
      if (source.family === "inet6") return;
      const inet = checksum.pseudoHeaderInet(source.w3, destination.w3, protocol, length);
      expect(inet).toBe(slowSum(pseudo));
    }),
  );
});

test("completePartial() makes of a pseudo-header's sum a whole checksum", () => {
  fc.assert(
    fc.property(header, uint16, (data, pseudoHeader) => {
      writeUint16(data, 2, pseudoHeader);
      const expected = checksum.complement(checksum.sum(data, 0, data.length)) || 0xffff;
      checksum.completePartial(data, 0, 2, data.length);
      expect((data[2]! << 8) | data[3]!).toBe(expected);
    }),
  );
});

test("updatePartial32() follows an address in a pseudo-header's sum", () => {
  fc.assert(
    fc.property(addressPair("inet"), uint32, ({ source, destination }, word) => {
      const before = checksum.pseudoHeaderInet(source.w3, destination.w3, 6, 1000);
      const after = checksum.pseudoHeaderInet(source.w3, word, 6, 1000);
      expect(checksum.updatePartial32(before, destination.w3, word)).toBe(after);
    }),
  );
});
