/** The IPv6 VIPs of cases: addresses of the director's host. */

import type { PlacedCase } from "./case.ts";
import { Place } from "./place.ts";

/**
 * Lines for `ip -batch`, for the cases at these places. A local route is not enough: errors come from the VIP only where
 * it is an address of an interface.
 */
export function vip6Lines(cases: readonly PlacedCase[]): string[] {
  return cases
    .filter(({ each }) => JSON.stringify(each.steps).includes("VIP6"))
    .map(({ index }) => `address add ${new Place(index).vip6}/128 dev lo nodad`);
}
