/**
 * Ethernet II, with one IEEE 802.1Q tag at most.
 *
 *      0             6        12          14
 *     | destination | source | etherType | payload ...
 *      0             6        12       14    16          18
 *     | destination | source | 0x8100 | tag | etherType | payload ...
 */
import type { Family } from "./address.ts";
import { MAC_LENGTH, type MacAddress, readMac, writeMac } from "./mac-address.ts";
import { View } from "./view.ts";
import { fits, readUint16, writeUint16 } from "./words.ts";

export const ETHERNET_HEADER_LENGTH = 14;
export const VLAN_TAG_LENGTH = 4;

export const ETHERTYPE = { ipv4: 0x0800, arp: 0x0806, vlan: 0x8100, ipv6: 0x86dd } as const;

export const ETHERTYPE_OF: Readonly<Record<Family, number>> = {
  inet: ETHERTYPE.ipv4,
  inet6: ETHERTYPE.ipv6,
};

/** What a frame says, free of where it lies. */
export interface EthernetHeader {
  readonly destination: MacAddress;
  readonly source: MacAddress;
  /** What the payload is, behind the tag. */
  readonly etherType: number;
  /** Priority (3 bits), drop eligible (1) and VLAN (12), or undefined in an untagged frame. */
  readonly tag?: number | undefined;
}

/** Where the fields lie, for those who write a header without a view. */
export const ETHERNET_OFFSET = { destination: 0, source: 6, etherType: 12, tag: 14 } as const;
const at = ETHERNET_OFFSET;
const VLAN_MASK = 0x0fff;

/** An Ethernet frame where it lies: every read and write goes to the frame's own bytes. */
export class EthernetView extends View {
  #payloadStart = 0;

  /** Moves to the frame in [start, end), padding included, or stays when it ends inside its header. */
  moveTo(bytes: Uint8Array, start: number, end: number): "truncated" | undefined {
    if (!fits(bytes, start, end, ETHERNET_HEADER_LENGTH)) return "truncated";
    let headerLength = ETHERNET_HEADER_LENGTH;
    if (readUint16(bytes, start + at.etherType) === ETHERTYPE.vlan) headerLength += VLAN_TAG_LENGTH;
    if (end - start < headerLength) return "truncated";
    this.#payloadStart = start + headerLength;
    return this.place(bytes, start, end);
  }

  get payloadStart(): number {
    return this.#payloadStart;
  }

  get destination(): MacAddress {
    return readMac(this.bytes, this.start + at.destination);
  }

  get source(): MacAddress {
    return readMac(this.bytes, this.start + at.source);
  }

  /** What the payload is, behind the tag. A second tag is not looked into: it is etherType 0x8100 here. */
  get etherType(): number {
    return readUint16(this.bytes, this.#payloadStart - 2);
  }

  /** True for a group address, broadcast included. */
  get isMulticast(): boolean {
    return (this.bytes[this.start + at.destination]! & 1) !== 0;
  }

  get tag(): number | undefined {
    const isTagged = this.#payloadStart - this.start > ETHERNET_HEADER_LENGTH;
    return isTagged ? readUint16(this.bytes, this.start + at.tag) : undefined;
  }

  get vlan(): number | undefined {
    const { tag } = this;
    return tag === undefined ? undefined : tag & VLAN_MASK;
  }

  get payload(): Uint8Array {
    return this.bytes.subarray(this.#payloadStart, this.end);
  }

  get header(): EthernetHeader {
    const { destination, source, etherType, tag } = this;
    return { destination, source, etherType, tag };
  }

  /** True when the frame is addressed to the six bytes at `offset` of `mac`. Allocates nothing. */
  isTo(mac: Uint8Array, offset = 0): boolean {
    return sameMac(this.bytes, this.start + at.destination, mac, offset);
  }

  isFrom(mac: Uint8Array, offset = 0): boolean {
    return sameMac(this.bytes, this.start + at.source, mac, offset);
  }

  /** Copies six bytes from `offset` of `mac`. */
  setDestination(mac: Uint8Array, offset = 0): void {
    copyMac(mac, offset, this.bytes, this.start + at.destination);
  }

  setSource(mac: Uint8Array, offset = 0): void {
    copyMac(mac, offset, this.bytes, this.start + at.source);
  }
}

/** Copies a link-layer address of six bytes. Allocates nothing. */
function copyMac(from: Uint8Array, offset: number, to: Uint8Array, start: number): void {
  for (let index = 0; index < MAC_LENGTH; index++) to[start + index] = from[offset + index]!;
}

function sameMac(a: Uint8Array, offset: number, b: Uint8Array, start: number): boolean {
  for (let index = 0; index < MAC_LENGTH; index++) {
    if (a[offset + index] !== b[start + index]) return false;
  }
  return true;
}

/** How many bytes writeEthernetHeader() writes. */
export function ethernetHeaderLength({ tag }: Pick<EthernetHeader, "tag">): number {
  return ETHERNET_HEADER_LENGTH + (tag === undefined ? 0 : VLAN_TAG_LENGTH);
}

export function writeEthernetHeader(
  bytes: Uint8Array,
  start: number,
  { destination, source, etherType, tag }: EthernetHeader,
): void {
  writeMac(bytes, start + at.destination, destination);
  writeMac(bytes, start + at.source, source);
  let typeAt = start + at.etherType;
  if (tag !== undefined) {
    writeUint16(bytes, typeAt, ETHERTYPE.vlan);
    writeUint16(bytes, typeAt + 2, tag);
    typeAt += VLAN_TAG_LENGTH;
  }
  writeUint16(bytes, typeAt, etherType);
}

export function emitEthernet(header: EthernetHeader, payload: Uint8Array): Uint8Array {
  const headerLength = ethernetHeaderLength(header);
  const frame = new Uint8Array(headerLength + payload.length);
  writeEthernetHeader(frame, 0, header);
  frame.set(payload, headerLength);
  return frame;
}
