import fc from "fast-check";
import { expect, test } from "vitest";
import { port, uint8, uint32 } from "../../test/arbitraries.ts";
import { bytes } from "../../test/bytes.ts";
import { crc32c } from "./crc32c.ts";
import { toPort } from "./port.ts";
import { emitSctp, SCTP_CHUNK, SctpView } from "./sctp.ts";

const known: [why: string, data: Uint8Array, crc: number][] = [
  ["the check value of the catalogue of CRCs", new TextEncoder().encode("123456789"), 0xe3069283],
  ["nothing", new Uint8Array(0), 0],
  // RFC 3720 appendix B.4.
  ["32 zeros", new Uint8Array(32), 0x8a9136aa],
  ["32 ones", new Uint8Array(32).fill(0xff), 0x62a8ab43],
  ["0 to 31", Uint8Array.from({ length: 32 }, (_, index) => index), 0x46dd794e],
  ["31 to 0", Uint8Array.from({ length: 32 }, (_, index) => 31 - index), 0x113fdb5c],
];

test.for(known)("crc32c() of %s", ([, data, crc]) => {
  expect(crc32c(data)).toBe(crc);
});

const HEADER = "2710 0bb8 0000 0007 0000 0000";

test("over() reads every field of a packet", () => {
  const sctp = SctpView.over(
    bytes(`${HEADER} 0a00 0006 abcd 0000 0003 0008 0102 0304`),
  ) as SctpView;
  expect(sctp.header).toEqual({ source: 10000, destination: 3000, verificationTag: 7 });
  expect(sctp.chunkType(sctp.firstChunk)).toBe(SCTP_CHUNK.cookieEcho);
  const second = sctp.chunkAfter(sctp.firstChunk);
  expect([second, sctp.chunkType(second), sctp.chunkAfter(second)]).toEqual([20, 0, -1]);
  expect([...sctp.chunks()]).toEqual([
    { type: SCTP_CHUNK.cookieEcho, flags: 0, value: bytes("abcd") },
    { type: SCTP_CHUNK.data, flags: 3, value: bytes("0102 0304") },
  ]);
});

const chunkLists: [why: string, chunks: string, types: number[]][] = [
  ["none", "", []],
  ["a cut header", "0100 00", []],
  ["a length below the header's", "0100 0003", []],
  ["a chunk that goes on outside", "0100 0008 0000", []],
  ["a whole one, then a cut one", "0600 0004 0100 0008", [6]],
  ["a last one without padding", "0600 0005 ff", [6]],
];

test.for(chunkLists)("chunks() of %s", ([, chunks, types]) => {
  const sctp = SctpView.over(bytes(`${HEADER} ${chunks}`)) as SctpView;
  expect([...sctp.chunks()].map(({ type }) => type)).toEqual(types);
});

test("over() refuses a packet that ends inside its header", () => {
  expect(SctpView.over(bytes(HEADER).subarray(0, 11))).toBe("truncated");
});

test("the checksum is stored with its lowest byte first", () => {
  const packet = emitSctp({ source: toPort(1), destination: toPort(2), verificationTag: 0 }, []);
  const crc = crc32c(bytes("0001 0002 0000 0000 0000 0000"));
  expect(new DataView(packet.buffer).getUint32(8, true)).toBe(crc);
  expect((SctpView.over(packet) as SctpView).checksum).toBe(crc);
});

const chunk = fc.record({ type: uint8, flags: uint8, value: fc.uint8Array({ maxLength: 30 }) });
const header = fc.record({ source: port, destination: port, verificationTag: uint32 });

test("what is emitted is what is read", () => {
  fc.assert(
    fc.property(header, fc.array(chunk, { maxLength: 4 }), (fields, chunks) => {
      const sctp = SctpView.over(emitSctp(fields, chunks)) as SctpView;
      expect(sctp.header).toEqual(fields);
      expect([...sctp.chunks()]).toEqual(chunks);
      expect(sctp.isChecksumRight()).toBe(true);
    }),
  );
});

test("a changed port makes the checksum wrong until it is refreshed", () => {
  const content = { source: toPort(1), destination: toPort(2), verificationTag: 3 };
  const sctp = SctpView.over(emitSctp(content, [])) as SctpView;
  sctp.setSource(toPort(4));
  sctp.setDestination(toPort(5));
  expect(sctp.isChecksumRight()).toBe(false);
  sctp.refreshChecksum();
  expect(sctp.isChecksumRight()).toBe(true);
  expect(sctp.header).toEqual({ source: 4, destination: 5, verificationTag: 3 });
});
