import fc from "fast-check";
import { expect, test } from "vitest";
import { payload, uint16 } from "../../test/arbitraries.ts";
import { bytes } from "../../test/bytes.ts";
import { enhancedPacket, interfaceDescription, LINK_TYPE, sectionHeader } from "./pcapng.ts";
import { type Capture, type CaptureFault, readCapture } from "./pcapng-reader.ts";

const SECTION = "0a0d0d0a 1c000000 4d3c2b1a 0100 0000 ffffffffffffffff 1c000000";

const blocks: [why: string, block: Uint8Array, wire: string][] = [
  ["a section header", sectionHeader(), SECTION],
  [
    "a section header that says who wrote it",
    sectionHeader({ application: "Sluice" }),
    "0a0d0d0a 2c000000 4d3c2b1a 0100 0000 ffffffffffffffff 0400 0600 536c75696365 0000 0000 0000 2c000000",
  ],
  [
    "an Ethernet interface with nanoseconds",
    interfaceDescription({ linkType: LINK_TYPE.ethernet, name: "eth0", resolution: "nanoseconds" }),
    "01000000 28000000 0100 0000 00000000 0200 0400 65746830 0900 0100 09 000000 0000 0000 28000000",
  ],
  [
    "a packet",
    enhancedPacket({ interface: 1, timestamp: 0x1_0000_0002n, data: bytes("aabbcc") }),
    "06000000 24000000 01000000 01000000 02000000 03000000 03000000 aabbcc00 24000000",
  ],
  [
    "a packet that came in and why it was dropped",
    enhancedPacket({
      interface: 0,
      timestamp: 0n,
      data: bytes("aa"),
      direction: "in",
      comment: "no",
    }),
    "06000000 38000000 00000000 00000000 00000000 01000000 01000000 aa000000 " +
      "0100 0200 6e6f 0000 0200 0400 01000000 0000 0000 38000000",
  ],
];

test.for(blocks)("%s", ([, block, wire]) => {
  expect(block).toEqual(bytes(wire));
});

test("what is written is what is read", () => {
  const interfaces = [
    { linkType: LINK_TYPE.ethernet, name: "eth0", resolution: "microseconds" as const },
    { linkType: LINK_TYPE.rawIp, name: "tunl0", resolution: "nanoseconds" as const },
  ];
  const packet = fc.record({
    interface: fc.nat({ max: 1 }),
    timestamp: fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
    data: payload(),
    originalLength: uint16,
    direction: fc.constantFrom("in" as const, "out" as const, undefined),
    comment: fc.option(fc.string({ unit: "grapheme" }), { nil: undefined }),
  });
  fc.assert(
    fc.property(fc.array(packet, { maxLength: 5 }), (packets) => {
      const capture = Buffer.concat([
        sectionHeader({ application: "Sluice", comment: "test" }),
        ...interfaces.map(interfaceDescription),
        ...packets.map(enhancedPacket),
      ]);
      expect(readCapture(capture)).toEqual({ interfaces, packets });
    }),
  );
});

test("a big-endian capture is read too, and unknown blocks are skipped", () => {
  const capture = bytes(
    "0a0d0d0a 0000001c 1a2b3c4d 0001 0000 ffffffffffffffff 0000001c" +
      "00000bad 00000010 01020304 00000010" +
      "00000001 00000014 0065 0000 00000000 00000014" +
      "00000006 0000002c 00000000 00000001 00000002 00000001 00000002 aa000000 0002 0004 00000002 0000002c",
  );
  const { interfaces, packets } = readCapture(capture) as Capture;
  expect(interfaces).toEqual([{ linkType: 101, name: "", resolution: "microseconds" }]);
  expect(packets).toEqual([
    {
      interface: 0,
      timestamp: 0x1_0000_0002n,
      data: bytes("aa"),
      originalLength: 2,
      direction: "out",
      comment: undefined,
    },
  ]);
});

test("interfaces of a second section are numbered on", () => {
  const described = { linkType: 1, name: "a", resolution: "nanoseconds" as const };
  const section = [sectionHeader(), interfaceDescription(described)];
  const packet = enhancedPacket({ interface: 0, timestamp: 0n, data: new Uint8Array(0) });
  const { packets } = readCapture(
    Buffer.concat([...section, packet, ...section, packet]),
  ) as Capture;
  expect(packets.map((it) => it.interface)).toEqual([0, 1]);
});

const faults: [why: string, capture: string, fault: CaptureFault][] = [
  ["begins with no section", "01000000 14000000 0100 0000 00000000 14000000", "malformed"],
  ["ends inside a block's head", `${SECTION} 0100`, "truncated"],
  ["ends inside a block", `${SECTION} 01000000 14000000 0100 0000`, "truncated"],
  ["says a length of 8", `${SECTION} 01000000 08000000 01000000`, "malformed"],
  ["says another length at a block's end", SECTION.replace(/1c000000$/, "1d000000"), "malformed"],
  [
    "has a packet that goes on outside its block",
    `${SECTION} 06000000 20000000 00000000 00000000 00000000 01000000 01000000 20000000`,
    "malformed",
  ],
  [
    "counts time in units of its own",
    `${SECTION} 01000000 1c000000 0100 0000 00000000 0900 0100 03 000000 1c000000`,
    "unsupported",
  ],
];

test.for(faults)("readCapture() refuses a capture that %s", ([, capture, fault]) => {
  expect(readCapture(bytes(capture))).toBe(fault);
});

test("refuses a comment that its length field cannot say", () => {
  const packet = {
    interface: 0,
    timestamp: 0n,
    data: new Uint8Array(0),
    comment: "x".repeat(65536),
  };
  expect(() => enhancedPacket(packet)).toThrow(RangeError);
});
