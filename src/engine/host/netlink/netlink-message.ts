/**
 * Netlink messages as bytes: netlink(7), include/uapi/linux/netlink.h.
 *
 *      0        4      6       8          12     16
 *     | length | type | flags | sequence | port | a struct of the type's own, then attributes ...
 *
 *      0        2      4
 *     | length | type | value, filled up to 4 bytes
 *
 * Host byte order, which is little-endian on every machine that Sluice runs on.
 */

export const MESSAGE = { noop: 1, error: 2, done: 3 } as const;

/** NLM_F_*. `dump` is ROOT | MATCH. `interrupted`: what was listed changed meanwhile. */
export const FLAG = {
  request: 0x1,
  ack: 0x4,
  interrupted: 0x10,
  dump: 0x300,
  replace: 0x100,
  exclusive: 0x200,
  create: 0x400,
} as const;

const MESSAGE_HEADER_LENGTH = 16;
const ATTRIBUTE_HEADER_LENGTH = 4;
const NESTED = 0x8000;
const TYPE_MASK = 0x3fff;

const at = { length: 0, type: 4, flags: 6, sequence: 8 } as const;

/** An attribute to send: its type, and bytes, a 32-bit number, a zero-terminated text, or attributes inside. */
export type Attribute = readonly [
  type: number,
  value: Uint8Array | number | string | readonly Attribute[],
];

export interface Message {
  readonly type: number;
  readonly flags: number;
  /** Of the request that it answers. */
  readonly sequence: number;
  /** What follows the header. */
  readonly body: Uint8Array;
}

/** The attributes of a message or of an attribute, by type. Of several of one type the last counts. */
export type Attributes = ReadonlyMap<number, Uint8Array>;

export function emitMessage(
  type: number,
  flags: number,
  sequence: number,
  fixed: Uint8Array,
  attributes: readonly Attribute[] = [],
): Uint8Array {
  const tail = emitAttributes(attributes);
  const bytes = new Uint8Array(MESSAGE_HEADER_LENGTH + aligned(fixed.length) + tail.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(at.length, bytes.length, true);
  view.setUint16(at.type, type, true);
  view.setUint16(at.flags, flags, true);
  view.setUint32(at.sequence, sequence, true);
  bytes.set(fixed, MESSAGE_HEADER_LENGTH);
  bytes.set(tail, MESSAGE_HEADER_LENGTH + aligned(fixed.length));
  return bytes;
}

export function emitAttributes(attributes: readonly Attribute[]): Uint8Array {
  const parts = attributes.map(([type, value]) => {
    const isNested = typeof value === "object" && !(value instanceof Uint8Array);
    const payload = isNested ? emitAttributes(value) : scalar(value);
    const part = new Uint8Array(ATTRIBUTE_HEADER_LENGTH + aligned(payload.length));
    const view = new DataView(part.buffer);
    view.setUint16(0, ATTRIBUTE_HEADER_LENGTH + payload.length, true);
    view.setUint16(2, isNested ? type | NESTED : type, true);
    part.set(payload, ATTRIBUTE_HEADER_LENGTH);
    return part;
  });
  return new Uint8Array(Buffer.concat(parts));
}

/** The messages of one datagram. What is cut short is left out. */
export function* messagesIn(datagram: Uint8Array): Generator<Message> {
  const view = viewOf(datagram);
  for (let start = 0; start + MESSAGE_HEADER_LENGTH <= datagram.length; ) {
    const length = view.getUint32(start + at.length, true);
    if (length < MESSAGE_HEADER_LENGTH || start + length > datagram.length) return;
    yield {
      type: view.getUint16(start + at.type, true),
      flags: view.getUint16(start + at.flags, true),
      sequence: view.getUint32(start + at.sequence, true),
      body: datagram.subarray(start + MESSAGE_HEADER_LENGTH, start + length),
    };
    start += aligned(length);
  }
}

/** The attributes from `start` on. */
export function attributesIn(bytes: Uint8Array, start = 0): Attributes {
  const attributes = new Map<number, Uint8Array>();
  const view = viewOf(bytes);
  while (start + ATTRIBUTE_HEADER_LENGTH <= bytes.length) {
    const length = view.getUint16(start, true);
    if (length < ATTRIBUTE_HEADER_LENGTH || start + length > bytes.length) break;
    const type = view.getUint16(start + 2, true) & TYPE_MASK;
    attributes.set(type, bytes.subarray(start + ATTRIBUTE_HEADER_LENGTH, start + length));
    start += aligned(length);
  }
  return attributes;
}

/** The attributes of one that is a list, which are all of one type; of none where there is no such attribute. */
export function* listIn(bytes: Uint8Array | undefined): Generator<Uint8Array> {
  if (bytes === undefined) return;
  const view = viewOf(bytes);
  for (let start = 0; start + ATTRIBUTE_HEADER_LENGTH <= bytes.length; ) {
    const length = view.getUint16(start, true);
    if (length < ATTRIBUTE_HEADER_LENGTH || start + length > bytes.length) return;
    yield bytes.subarray(start + ATTRIBUTE_HEADER_LENGTH, start + length);
    start += aligned(length);
  }
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** A 32-bit attribute, or undefined when it is absent or too short. */
export function numberIn(attributes: Attributes, type: number): number | undefined {
  const value = attributes.get(type);
  if (value === undefined || value.length < 4) return undefined;
  return viewOf(value).getInt32(0, true);
}

/** A text attribute without its zero, or undefined when it is absent. */
export function textIn(attributes: Attributes, type: number): string | undefined {
  const value = attributes.get(type);
  if (value === undefined) return undefined;
  const end = value.indexOf(0);
  return Buffer.from(end < 0 ? value : value.subarray(0, end)).toString("utf8");
}

function scalar(value: Uint8Array | number | string): Uint8Array {
  if (typeof value === "number") return new Uint8Array(new Int32Array([value]).buffer);
  return typeof value === "string" ? new Uint8Array(Buffer.from(`${value}\0`)) : value;
}

function aligned(length: number): number {
  return (length + 3) & ~3;
}
