/** Every case in which the host's settings matter. */
import type { HostCase, HostCaseFile } from "../host-case.ts";
import { FIREWALL } from "./firewall.ts";

const FILES: readonly HostCaseFile[] = [FIREWALL];

export function allHostCases(): HostCase[] {
  return FILES.flatMap(({ cases }) => cases);
}

/** What a group is about; undefined when it is none of these. */
export function hostFeatureOf(group: string): string | undefined {
  return FILES.find(({ features }) => group in features)?.features[group];
}
