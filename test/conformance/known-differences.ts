/** Where Sluice differs on purpose: docs/differences.md explains each, under the same title. */
import type { Case } from "./case.ts";

interface KnownDifference {
  /** The title in docs/differences.md. */
  readonly title: string;
  readonly group: string;
  readonly name: RegExp;
}

const KNOWN: readonly KnownDifference[] = [
  {
    title: "No connection synchronisation",
    group: "ipvsadm",
    name: /^--start-daemon[ =](master|backup)/,
  },
  { title: "No service without a scheduler", group: "ipvsadm", name: / -s none$/ },
  {
    title: "Thresholds follow Linux 6.12",
    group: "schedulers",
    name: /, thresholds changed midway$/,
  },
];

export function knownDifference({ group, name }: Case): string | undefined {
  return KNOWN.find((known) => known.group === group && known.name.test(name))?.title;
}
