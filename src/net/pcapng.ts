/**
 * Captures in the pcapng format (draft-ietf-opsawg-pcapng), as Wireshark and tcpdump read them.
 *
 *     | block type | total length | body, padded to 4 | total length |
 *
 *     option in a body:   | code | length | value, padded to 4 |       code 0 ends them
 *
 * A capture is one section header, a description of every interface, then packets; just write the blocks one after the
 * other. Interfaces are numbered from 0 in the order of their descriptions.
 */
export const LINK_TYPE = { ethernet: 1, rawIp: 101 } as const;

export interface CaptureInterface {
  readonly linkType: number;
  readonly name: string;
  readonly resolution: "microseconds" | "nanoseconds";
}

export interface CapturedPacket {
  /** The interface's number in the section. */
  readonly interface: number;
  /** Since 1970, in units of the interface's resolution. */
  readonly timestamp: bigint;
  readonly data: Uint8Array;
  /** On the wire, in bytes; more than `data` holds when the capture cut it. */
  readonly originalLength: number;
  readonly direction: "in" | "out" | undefined;
  /** What Wireshark shows above the packet: why it was dropped, where it was sent. */
  readonly comment: string | undefined;
}

/** What is left out: the whole of `data` was captured, no direction and no comment. */
export type PacketFields = Pick<CapturedPacket, "interface" | "timestamp" | "data"> &
  Partial<CapturedPacket>;

export const BLOCK = {
  sectionHeader: 0x0a0d0d0a,
  interfaceDescription: 1,
  enhancedPacket: 6,
} as const;

export const OPTION = {
  end: 0,
  comment: 1,
  application: 4,
  interfaceName: 2,
  resolution: 9,
  packetFlags: 2,
} as const;

export const BYTE_ORDER_MAGIC = 0x1a2b3c4d;
/** Ten to the minus this is the unit of an interface's timestamps. */
export const RESOLUTION_EXPONENT = { microseconds: 6, nanoseconds: 9 } as const;
/** The lowest two bits of a packet's flags. */
export const DIRECTION_FLAG = { in: 1, out: 2 } as const;

const UNKNOWN_SECTION_LENGTH = -1n;

/** No packet is cut by the capture itself. */
const SNAP_LENGTH_UNLIMITED = 0;

const OPTION_LENGTH_MAX = 0xffff;

type Option = readonly [code: number, value: Uint8Array];

/** The block that begins a capture. */
export function sectionHeader(about: { application?: string; comment?: string } = {}): Uint8Array {
  const body = new DataView(new ArrayBuffer(16));
  body.setUint32(0, BYTE_ORDER_MAGIC, true);
  body.setUint16(4, 1, true);
  body.setUint16(6, 0, true);
  body.setBigInt64(8, UNKNOWN_SECTION_LENGTH, true);
  return block(BLOCK.sectionHeader, asBytes(body), [
    ...textOption(OPTION.comment, about.comment),
    ...textOption(OPTION.application, about.application),
  ]);
}

export function interfaceDescription(described: CaptureInterface): Uint8Array {
  const body = new DataView(new ArrayBuffer(8));
  body.setUint16(0, described.linkType, true);
  body.setUint32(4, SNAP_LENGTH_UNLIMITED, true);
  const exponent = RESOLUTION_EXPONENT[described.resolution];
  return block(BLOCK.interfaceDescription, asBytes(body), [
    ...textOption(OPTION.interfaceName, described.name),
    [OPTION.resolution, Uint8Array.of(exponent)],
  ]);
}

export function enhancedPacket(packet: PacketFields): Uint8Array {
  const { data, timestamp } = packet;
  const body = new Uint8Array(20 + padded(data.length));
  const view = new DataView(body.buffer);
  view.setUint32(0, packet.interface, true);
  view.setUint32(4, Number(BigInt.asUintN(32, timestamp >> 32n)), true);
  view.setUint32(8, Number(BigInt.asUintN(32, timestamp)), true);
  view.setUint32(12, data.length, true);
  view.setUint32(16, packet.originalLength ?? data.length, true);
  body.set(data, 20);
  const options = textOption(OPTION.comment, packet.comment);
  if (packet.direction !== undefined) {
    options.push([OPTION.packetFlags, Uint8Array.of(DIRECTION_FLAG[packet.direction], 0, 0, 0)]);
  }
  return block(BLOCK.enhancedPacket, body, options);
}

function textOption(code: number, text: string | undefined): Option[] {
  if (text === undefined) return [];
  const value = new TextEncoder().encode(text);
  if (value.length > OPTION_LENGTH_MAX) {
    throw new RangeError(
      `Cannot write a text of ${value.length} bytes into a capture: expected ${OPTION_LENGTH_MAX} at most`,
    );
  }
  return [[code, value]];
}

function block(type: number, body: Uint8Array, options: readonly Option[]): Uint8Array {
  const optionsLength = options.reduce((sum, [, value]) => sum + 4 + padded(value.length), 0);
  const endLength = options.length === 0 ? 0 : 4;
  const length = 12 + body.length + optionsLength + endLength;
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, type, true);
  view.setUint32(4, length, true);
  bytes.set(body, 8);
  let at = 8 + body.length;
  for (const [code, value] of options) {
    view.setUint16(at, code, true);
    view.setUint16(at + 2, value.length, true);
    bytes.set(value, at + 4);
    at += 4 + padded(value.length);
  }
  view.setUint32(length - 4, length, true);
  return bytes;
}

function asBytes(view: DataView): Uint8Array {
  return new Uint8Array(view.buffer);
}

/** Everything in a block begins at a multiple of 4. */
export function padded(length: number): number {
  return (length + 3) & ~3;
}
