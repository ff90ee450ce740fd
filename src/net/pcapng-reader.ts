/** Reads captures: as much of pcapng as pcapng.ts writes, from either byte order, skipping what it does not know. */
import {
  BLOCK,
  BYTE_ORDER_MAGIC,
  type CapturedPacket,
  type CaptureInterface,
  DIRECTION_FLAG,
  OPTION,
  padded,
  RESOLUTION_EXPONENT,
} from "./pcapng.ts";

export interface Capture {
  readonly interfaces: readonly CaptureInterface[];
  readonly packets: readonly CapturedPacket[];
}

/**
 * "truncated": ends inside a block. "malformed": lengths contradict each other, or no section header begins it.
 * "unsupported": timestamps in other units than micro- or nanoseconds.
 */
export type CaptureFault = "truncated" | "malformed" | "unsupported";

const BLOCK_LENGTH_MIN = 12;
const SECTION_LENGTH_MIN = 28;

interface Block {
  readonly type: number;
  readonly body: DataView;
}

/** All sections of `bytes` as one capture: an interface's number counts within its own section. */
export function readCapture(bytes: Uint8Array): Capture | CaptureFault {
  const interfaces: CaptureInterface[] = [];
  const packets: CapturedPacket[] = [];
  let littleEndian: boolean | undefined;
  let sectionStart = 0;
  for (let at = 0; at < bytes.length; ) {
    littleEndian = byteOrderAt(bytes, at) ?? littleEndian;
    if (littleEndian === undefined) return "malformed";
    const read = readBlock(bytes, at, littleEndian);
    if (typeof read === "string") return read;
    const { type, body } = read;
    at += body.byteLength + BLOCK_LENGTH_MIN;
    if (type === BLOCK.sectionHeader) {
      if (body.byteLength < SECTION_LENGTH_MIN - BLOCK_LENGTH_MIN) return "malformed";
      sectionStart = interfaces.length;
    } else if (type === BLOCK.interfaceDescription) {
      if (body.byteLength < 8) return "malformed";
      const described = readInterface(body, littleEndian);
      if (described === undefined) return "unsupported";
      interfaces.push(described);
    } else if (type === BLOCK.enhancedPacket) {
      const packet = readPacket(body, littleEndian, sectionStart);
      if (packet === undefined) return "malformed";
      packets.push(packet);
    }
  }
  return { interfaces, packets };
}

/** True for little endian, when a section begins here: its type reads the same in both orders. */
function byteOrderAt(bytes: Uint8Array, at: number): boolean | undefined {
  if (at + BLOCK_LENGTH_MIN > bytes.length) return undefined;
  const view = viewOf(bytes, at, BLOCK_LENGTH_MIN);
  if (view.getUint32(0) !== BLOCK.sectionHeader) return undefined;
  if (view.getUint32(8, true) === BYTE_ORDER_MAGIC) return true;
  return view.getUint32(8) === BYTE_ORDER_MAGIC ? false : undefined;
}

function readBlock(bytes: Uint8Array, at: number, littleEndian: boolean): Block | CaptureFault {
  if (at + BLOCK_LENGTH_MIN > bytes.length) return "truncated";
  const head = viewOf(bytes, at, BLOCK_LENGTH_MIN);
  const length = head.getUint32(4, littleEndian);
  if (length < BLOCK_LENGTH_MIN || length % 4 !== 0) return "malformed";
  if (at + length > bytes.length) return "truncated";
  const again = viewOf(bytes, at + length - 4, 4).getUint32(0, littleEndian);
  if (again !== length) return "malformed";
  const body = viewOf(bytes, at + 8, length - BLOCK_LENGTH_MIN);
  return { type: head.getUint32(0, littleEndian), body };
}

function readInterface(body: DataView, littleEndian: boolean): CaptureInterface | undefined {
  const options = readOptions(body, 8, littleEndian);
  const resolution = resolutionOf(options.get(OPTION.resolution)?.[0]);
  if (resolution === undefined) return undefined;
  return {
    resolution,
    linkType: body.getUint16(0, littleEndian),
    name: text(options.get(OPTION.interfaceName)) ?? "",
  };
}

/** An interface that does not say counts microseconds. */
function resolutionOf(exponent: number | undefined): CaptureInterface["resolution"] | undefined {
  if (exponent === RESOLUTION_EXPONENT.nanoseconds) return "nanoseconds";
  if (exponent === undefined || exponent === RESOLUTION_EXPONENT.microseconds) {
    return "microseconds";
  }
  return undefined;
}

function readPacket(
  body: DataView,
  littleEndian: boolean,
  sectionStart: number,
): CapturedPacket | undefined {
  if (body.byteLength < 20) return undefined;
  const length = body.getUint32(12, littleEndian);
  if (length > body.byteLength - 20) return undefined;
  const high = BigInt(body.getUint32(4, littleEndian));
  const low = BigInt(body.getUint32(8, littleEndian));
  const options = readOptions(body, 20 + padded(length), littleEndian);
  return {
    interface: sectionStart + body.getUint32(0, littleEndian),
    timestamp: (high << 32n) | low,
    data: new Uint8Array(body.buffer, body.byteOffset + 20, length).slice(),
    originalLength: body.getUint32(16, littleEndian),
    direction: directionOf(options.get(OPTION.packetFlags), littleEndian),
    comment: text(options.get(OPTION.comment)),
  };
}

function directionOf(
  flags: Uint8Array | undefined,
  littleEndian: boolean,
): CapturedPacket["direction"] {
  const lowest = flags?.[littleEndian ? 0 : 3] ?? 0;
  if ((lowest & 3) === DIRECTION_FLAG.in) return "in";
  return (lowest & 3) === DIRECTION_FLAG.out ? "out" : undefined;
}

/** The options from `at` on; of those that come twice, the last. */
function readOptions(body: DataView, at: number, littleEndian: boolean): Map<number, Uint8Array> {
  const options = new Map<number, Uint8Array>();
  while (at + 4 <= body.byteLength) {
    const code = body.getUint16(at, littleEndian);
    const length = body.getUint16(at + 2, littleEndian);
    if (code === OPTION.end || at + 4 + length > body.byteLength) break;
    options.set(code, new Uint8Array(body.buffer, body.byteOffset + at + 4, length));
    at += 4 + padded(length);
  }
  return options;
}

function text(value: Uint8Array | undefined): string | undefined {
  return value === undefined ? undefined : new TextDecoder().decode(value);
}

function viewOf(bytes: Uint8Array, at: number, length: number): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset + at, length);
}
