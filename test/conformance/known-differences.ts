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
    name: /^--start-daemon (master|backup)/,
  },
];

export function knownDifference({ group, name }: Case): string | undefined {
  return KNOWN.find((known) => known.group === group && known.name.test(name))?.title;
}
