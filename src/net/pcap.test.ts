import { expect, test } from "vitest";
import { isPcap, readPcap } from "./pcap.ts";

function capture(isLittle: boolean, magic: number, linkType = 1): Uint8Array {
  const bytes = new Uint8Array(24 + 16 + 3);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, magic, isLittle);
  view.setUint32(20, linkType, isLittle);
  view.setUint32(24, 7, isLittle);
  view.setUint32(28, 5, isLittle);
  view.setUint32(32, 3, isLittle);
  view.setUint32(36, 60, isLittle);
  bytes.set([1, 2, 3], 40);
  return bytes;
}

// biome-ignore format: a table
const kinds: [isLittle: boolean, magic: number, resolution: string, timestamp: bigint][] = [
  [true,  0xa1b2c3d4, "microseconds", 7_000_005n],
  [false, 0xa1b2c3d4, "microseconds", 7_000_005n],
  [true,  0xa1b23c4d, "nanoseconds",  7_000_000_005n],
];

test.for(kinds)("little endian: %j, %d: %s", ([isLittle, magic, resolution, timestamp]) => {
  const bytes = capture(isLittle, magic);
  expect(isPcap(bytes)).toBe(true);
  expect(readPcap(bytes)).toEqual({
    interfaces: [{ linkType: 1, name: "", resolution }],
    packets: [
      {
        interface: 0,
        timestamp,
        data: Uint8Array.of(1, 2, 3),
        originalLength: 60,
        direction: undefined,
        comment: undefined,
      },
    ],
  });
  for (let length = 25; length < bytes.length; length++) {
    expect(readPcap(bytes.subarray(0, length))).toBe("truncated");
  }
});

test("what is no capture is none", () => {
  expect(isPcap(new Uint8Array(2))).toBe(false);
  expect(readPcap(Uint8Array.of(1, 2, 3, 4, 5))).toBe("malformed");
});
