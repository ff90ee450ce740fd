/**
 * Reads captures in the older format, as tcpdump writes them (draft-ietf-opsawg-pcap): a header for all, then a header and
 * the bytes of each packet. What is read is as readCapture() has it of pcapng.
 */
import type { CapturedPacket, CaptureInterface } from "./pcapng.ts";
import type { Capture, CaptureFault } from "./pcapng-reader.ts";

const FILE_HEADER_LENGTH = 24;
const PACKET_HEADER_LENGTH = 16;
/** What the first four bytes are, by the unit of a time's second half. */
const MAGIC = { 2712847316: "microseconds", 2712812621: "nanoseconds" } as const;
const PER_SECOND = { microseconds: 1_000_000n, nanoseconds: 1_000_000_000n } as const;
/** The upper bits tell of checksums at frames' ends. */
const LINK_TYPE_MASK = 0x0fff_ffff;

/** Whether the file says that it is one of these. */
export function isPcap(bytes: Uint8Array): boolean {
  return orderOf(bytes) !== undefined;
}

export function readPcap(bytes: Uint8Array): Capture | CaptureFault {
  const order = orderOf(bytes);
  if (order === undefined) return "malformed";
  if (bytes.length < FILE_HEADER_LENGTH) return "truncated";
  const { isLittle, resolution } = order;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const linkType = view.getUint32(20, isLittle) & LINK_TYPE_MASK;
  const packets: CapturedPacket[] = [];
  for (let at = FILE_HEADER_LENGTH; at < bytes.length; ) {
    const start = at + PACKET_HEADER_LENGTH;
    if (start > bytes.length) return "truncated";
    const length = view.getUint32(at + 8, isLittle);
    if (start + length > bytes.length) return "truncated";
    const seconds = BigInt(view.getUint32(at, isLittle));
    packets.push({
      interface: 0,
      timestamp: seconds * PER_SECOND[resolution] + BigInt(view.getUint32(at + 4, isLittle)),
      data: bytes.slice(start, start + length),
      originalLength: view.getUint32(at + 12, isLittle),
      direction: undefined,
      comment: undefined,
    });
    at = start + length;
  }
  return { interfaces: [{ linkType, name: "", resolution }], packets };
}

function orderOf(
  bytes: Uint8Array,
): { readonly isLittle: boolean; readonly resolution: CaptureInterface["resolution"] } | undefined {
  if (bytes.length < 4) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, 4);
  for (const isLittle of [true, false]) {
    const magic = view.getUint32(0, isLittle);
    if (magic in MAGIC) return { isLittle, resolution: MAGIC[magic as keyof typeof MAGIC] };
  }
  return undefined;
}
