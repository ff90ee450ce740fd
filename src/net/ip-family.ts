import type { Family } from "./address.ts";

/** Of the IP packet at `start`, by its version: whatever does not say 6 is read as IPv4, and refused as such if it is none. */
export function familyAt(bytes: Uint8Array, start: number): Family {
  return bytes[start]! >>> 4 === 6 ? "inet6" : "inet";
}
