/** GRE and GUE: the bytes that the kernel's IPVS puts on the wire, and every combination of options. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { payload, uint8, uint16, uint32 } from "../../test/arbitraries.ts";
import { bytes } from "../../test/bytes.ts";
import { emitGre, type GreFault, type GreFields, GreView, greHeaderLength } from "./gre.ts";
import { emitGue, type GueFault, type GueFields, GueView, gueHeaderLength } from "./gue.ts";

const greHeaders: [why: string, header: string, fields: GreFields][] = [
  ["plain, IPv4 inside", "0000 0800", { protocol: 0x0800 }],
  ["plain, IPv6 inside", "0000 86dd", { protocol: 0x86dd }],
  ["with a checksum", "8000 0800 77ff 0000", { protocol: 0x0800, hasChecksum: true }],
  ["with a key", "2000 0800 0000 0007", { protocol: 0x0800, key: 7 }],
  ["with a sequence number", "1000 0800 0000 0009", { protocol: 0x0800, sequence: 9 }],
  [
    "with all",
    "b000 0800 47ef 0000 0000 0007 0000 0009",
    { protocol: 0x0800, hasChecksum: true, key: 7, sequence: 9 },
  ],
];

test.for(greHeaders)("GRE %s", ([, header, fields]) => {
  expect(emitGre(fields, new Uint8Array(0))).toEqual(bytes(header));
  expect(greHeaderLength(fields)).toBe(bytes(header).length);
});

const greFaults: [why: string, packet: string, fault: GreFault][] = [
  ["ends inside its first word", "0000 08", "truncated"],
  ["ends inside a field", "b000 0800 0000 0000 0000 0007 0000", "truncated"],
  ["is of version 1, PPTP's", "2001 880b 0000 0000", "unsupported"],
  ["has source routes", "4000 0800 0000 0000", "unsupported"],
];

test.for(greFaults)("over() refuses a GRE packet that %s", ([, packet, fault]) => {
  expect(GreView.over(bytes(packet))).toBe(fault);
});

const greFields = fc.record({
  protocol: uint16,
  hasChecksum: fc.boolean(),
  key: fc.option(uint32, { nil: undefined }),
  sequence: fc.option(uint32, { nil: undefined }),
});

test("what is emitted as GRE is what is read", () => {
  fc.assert(
    fc.property(greFields, payload(), (fields, content) => {
      const packet = emitGre(fields, content);
      const gre = GreView.over(packet) as GreView;
      expect(gre.header).toEqual(fields);
      expect(gre.payload).toEqual(content);
      expect(gre.isChecksumRight()).toBe(true);
      packet[packet.length - 1]! ^= 1;
      if (content.length > 0) expect(gre.isChecksumRight()).toBe(!fields.hasChecksum);
    }),
  );
});

const gueHeaders: [why: string, header: string, fields: GueFields][] = [
  ["plain, IPv4 inside", "0004 0000", { protocol: 4 }],
  ["plain, IPv6 inside", "0029 0000", { protocol: 41 }],
  ["for the tunnel itself", "2000 0000", { protocol: 0, isControl: true }],
  [
    "with a checksum for the receiver to finish",
    "0204 0001 8000 0000 0014 0024",
    { protocol: 4, remoteChecksum: { start: 20, field: 36 } },
  ],
];

test.for(gueHeaders)("GUE %s", ([, header, fields]) => {
  expect(emitGue(fields, new Uint8Array(0))).toEqual(bytes(header));
  expect(gueHeaderLength(fields)).toBe(bytes(header).length);
});

const gueFaults: [why: string, packet: string, fault: GueFault][] = [
  ["ends inside its first word", "0004 00", "truncated"],
  ["ends inside its options", "0204 0001 8000 0000", "truncated"],
  ["is of version 1, IP without a header", "4500 0014", "bad-version"],
  ["has a flag nobody knows", "0004 8000", "unknown-flag"],
  ["has a private flag nobody knows", "0104 0001 4000 0000", "unknown-flag"],
  ["has no room for its private flags", "0004 0001", "bad-length"],
  ["has no room for its remote checksum", "0104 0001 8000 0000", "bad-length"],
];

test.for(gueFaults)("over() refuses a GUE packet that %s", ([, packet, fault]) => {
  expect(GueView.over(bytes(packet))).toBe(fault);
});

test("GUE's private data that no flag announces is skipped", () => {
  const gue = GueView.over(bytes("0204 0001 0000 0000 dead beef 4500")) as GueView;
  expect([gue.payloadStart, gue.remoteChecksum]).toEqual([12, undefined]);
});

const remoteChecksum = fc.option(fc.record({ start: uint16, field: uint16 }), { nil: undefined });
const gueFields = fc.record({ isControl: fc.boolean(), protocol: uint8, remoteChecksum });

test("what is emitted as GUE is what is read", () => {
  fc.assert(
    fc.property(gueFields, payload(), (fields, content) => {
      const gue = GueView.over(emitGue(fields, content)) as GueView;
      expect(gue.header).toEqual(fields);
      expect(gue.payload).toEqual(content);
    }),
  );
});
