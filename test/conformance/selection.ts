/** Which cases a run has: by name, and by what its kernel has. */
import type { Case } from "./case.ts";
import type { HostCase } from "./host/host-case.ts";
import type { KeepalivedCase } from "./keepalived/case.ts";
import { isSince, type Machine } from "./machines/machine.ts";

/** Under emulation, without a filter: what User Mode Linux lacks, what newer kernels do otherwise, and what clients notice. */
const EMULATED_GROUPS: readonly string[] = [
  "TCP states",
  "what time does",
  "schedulers",
  "twos",
  "thresholds, edited",
  "overhead of inactive connections",
  "ICMP errors that are cut or malformed",
];

/** The cases whose "group: name" holds the filter and whose needs the machine's kernel meets. */
export function selectCases(cases: readonly Case[], filter: string, machine: Machine): Case[] {
  const isWhole = filter !== "" || machine.kernel.name === "uml";
  return cases.filter(
    (each) =>
      `${each.group}: ${each.name}`.includes(filter) &&
      (isWhole || EMULATED_GROUPS.includes(each.group)) &&
      isMet(each, machine),
  );
}

/** Cases of the host's settings; under emulation by a filter alone. */
export function selectHostCases(
  cases: readonly HostCase[],
  filter: string,
  { kernel }: Machine,
): HostCase[] {
  if (filter === "" && kernel.name !== "uml") return [];
  return cases.filter((each) => `${each.group}: ${each.name}`.includes(filter));
}

/** Beside keepalived: without a filter a few of them, unless all are to be written down; under emulation by a filter alone. */
export function selectKeepalivedCases(
  cases: readonly KeepalivedCase[],
  filter: string,
  { kernel }: Machine,
  isWhole: boolean,
): KeepalivedCase[] {
  if (filter === "" && kernel.name !== "uml") return [];
  return cases.filter((each) =>
    filter === "" ? isWhole || each.isShort : `${each.group}: ${each.name}`.includes(filter),
  );
}

function isMet({ needs: { since, module } = {} }: Case, { kernel, modules }: Machine): boolean {
  return (
    (since === undefined || isSince(kernel.version, since)) &&
    (module === undefined || modules.has(module))
  );
}
