/**
 * The two families of IP, by name where people and kernels speak of them, by version where packets do.
 *
 * What is asked for every packet is compared as a number: names there cost a masqueraded packet 5 %.
 */
import type { Family } from "./address.ts";

export type IpVersion = 4 | 6;

export const IP_VERSION = { inet: 4, inet6: 6 } as const satisfies Record<Family, IpVersion>;

export const FAMILY_OF = { 4: "inet", 6: "inet6" } as const satisfies Record<IpVersion, Family>;

/** Of the IP packet at `start`: whatever does not say 6 is read as IPv4, and refused as such if it is none. */
export function versionAt(bytes: Uint8Array, start: number): IpVersion {
  return bytes[start]! >>> 4 === 6 ? 6 : 4;
}

export function familyAt(bytes: Uint8Array, start: number): Family {
  return FAMILY_OF[versionAt(bytes, start)];
}
