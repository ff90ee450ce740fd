/** Every case in which the host's settings matter. */
import type { HostCase, HostCaseFile } from "../host-case.ts";
import { DEVICES_FILE } from "./devices.ts";
import { FIREWALL } from "./firewall.ts";
import { FIREWALL_BEHIND } from "./firewall-behind.ts";
import { LIMITS } from "./limits.ts";
import { LOCAL } from "./local.ts";
import { MARKS } from "./marks.ts";
import { NEIGHBOURS } from "./neighbours.ts";
import { ROUTES_FILE } from "./routes.ts";
import { SIZES } from "./sizes.ts";
import { SOURCES } from "./sources.ts";

/** Those that wait come first: the others are done meanwhile. */
// biome-ignore format: a line each
const FILES: readonly HostCaseFile[] = [
  NEIGHBOURS,
  LIMITS,
  FIREWALL,
  FIREWALL_BEHIND,
  SOURCES,
  LOCAL,
  DEVICES_FILE,
  MARKS,
  ROUTES_FILE,
  SIZES,
];

export function allHostCases(): HostCase[] {
  return FILES.flatMap(({ cases }) => cases);
}

/** What a group is about; undefined when it is none of these. */
export function hostFeatureOf(group: string): string | undefined {
  return FILES.find(({ features }) => group in features)?.features[group];
}
