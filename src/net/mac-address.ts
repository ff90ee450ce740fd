import type { Branded } from "../base/brand.ts";

/** A link-layer address as text: `02:00:00:00:00:01`, in lower case. */
export type MacAddress = Branded<string, "MacAddress">;

export const MAC_LENGTH = 6;
export const BROADCAST_MAC = "ff:ff:ff:ff:ff:ff" as MacAddress;
/** What ARP asks with where it does not know. */
export const ZERO_MAC = "00:00:00:00:00:00" as MacAddress;

const MAC = /^[0-9a-f]{2}(?::[0-9a-f]{2}){5}$/;

/** Six pairs of hex digits between colons; undefined for anything else. */
export function parseMac(text: string): MacAddress | undefined {
  const lower = text.toLowerCase();
  return MAC.test(lower) ? (lower as MacAddress) : undefined;
}

/** The address that lies at `start`. */
export function readMac(bytes: Uint8Array, start: number): MacAddress {
  const pairs = [...bytes.subarray(start, start + MAC_LENGTH)];
  return pairs.map((byte) => byte.toString(16).padStart(2, "0")).join(":") as MacAddress;
}

export function writeMac(bytes: Uint8Array, start: number, mac: MacAddress): void {
  for (let index = 0; index < MAC_LENGTH; index++) {
    bytes[start + index] = Number.parseInt(mac.slice(3 * index, 3 * index + 2), 16);
  }
}

/** For the packet path, which copies bytes rather than text. */
export function macBytes(mac: MacAddress): Uint8Array {
  const bytes = new Uint8Array(MAC_LENGTH);
  writeMac(bytes, 0, mac);
  return bytes;
}
