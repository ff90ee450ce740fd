/**
 * Where Sluice differs on purpose: docs/differences.md explains each, under the same title. Each names the steps that
 * may differ, and what it makes of the kernel's lines: whatever else differs in the same case is an error.
 */
import { isSince, type Kernel } from "../machines/machine.ts";
import type { Difference } from "./compare.ts";
import {
  areAllFor,
  isOneFrameOf,
  isReassembled,
  isSameButCounts,
  isSameButQuotedTimeToLive,
  isSameButState,
  isServersAlone,
  nothing,
  withoutLines,
} from "./explanations.ts";
import { KNOWN_OF_HOSTS } from "./known-host-differences.ts";
import { KNOWN_OF_WIRE } from "./known-wire-differences.ts";
import type { Column, Described } from "./outcome.ts";

export interface KnownDifference {
  /** The title in docs/differences.md. */
  readonly title: string;
  readonly group: string;
  readonly name: RegExp;
  /** Which steps, by their text. */
  readonly step: RegExp;
  /** Whether ours is what this difference makes of the kernel's lines. */
  readonly explains: (theirs: readonly string[], ours: readonly string[]) => boolean;
  /** The only engine that differs so. */
  readonly engine?: Column;
  /** A version of Linux that was seen to do as Sluice does: from there on it is no difference. */
  readonly before?: string;
  /** A version of Linux that was seen to do otherwise, where older ones do as Sluice does. */
  readonly since?: string;
}

const NO_SYNCHRONISATION = {
  title: "No connection synchronisation",
  group: "ipvsadm",
  name: /^--start-daemon[ =](master|backup)/,
} as const;

const MASQUERADED_ICMPV6 = {
  title: "ICMPv6 errors of masqueraded servers reach the client",
  group: "on the wire",
  name: /^NAT, IPv6, ICMP from the server's side$/,
  before: "6.1.192",
} as const;

const WRONG_CHECKSUM = {
  step: /^icmp .* checksum=wrong /,
  explains: (theirs: readonly string[], ours: readonly string[]): boolean =>
    isOneFrameOf("lan", theirs) && nothing(ours),
} as const;

const RARE = "on the wire, rare headers";

const THRESHOLDS = {
  title: "Thresholds follow Linux 6.12",
  group: "schedulers",
  name: /, thresholds changed midway$/,
  before: "6.1.192",
} as const;

export const KNOWN: readonly KnownDifference[] = [
  {
    ...NO_SYNCHRONISATION,
    step: /^ipvsadm --start-daemon/,
    explains: (theirs, ours) =>
      ["exit code 0", "exit code 255,stderr|No such device"].includes(theirs.join()) &&
      ours.join() === "exit code 255,stderr|Connection synchronisation is not part of Sluice",
  },
  {
    ...NO_SYNCHRONISATION,
    step: /^ipvsadm -L --daemon$/,
    explains: (theirs, ours) =>
      withoutLines(theirs, /^stdout\|(master|backup) sync daemon \(/).join() === ours.join(),
  },
  {
    ...NO_SYNCHRONISATION,
    step: /^ipvsadm --stop-daemon/,
    explains: (theirs, ours) =>
      theirs.join() === "exit code 0" &&
      ours.join() === "exit code 255,stderr|No daemon is running",
  },
  // Where the next connection goes after the last edit, and how many each server has in the end.
  {
    ...THRESHOLDS,
    step: /^tcp 10\.9\.0\.1:204[0-7] > /,
    explains: (theirs, ours) => isServersAlone(theirs) && isServersAlone(ours),
  },
  { ...THRESHOLDS, step: /^services$/, explains: isSameButCounts },
  {
    title: "A datagram that came in fragments leaves a tunnel whole",
    group: "on the wire",
    name: /^TUN .*, fragments$/,
    step: / fragment=/,
    explains: isReassembled,
  },
  {
    title: "ICMP errors with a wrong checksum are dropped",
    group: "on the wire",
    name: /IPv6.*, ICMP from the client's side$/,
    before: "6.1.192",
    ...WRONG_CHECKSUM,
  },
  {
    title: "ICMP errors with a wrong checksum are dropped",
    group: "on the wire",
    name: /^(DR|TUN).*, ICMP from the client's side$/,
    since: "6.1.192",
    ...WRONG_CHECKSUM,
  },
  {
    ...MASQUERADED_ICMPV6,
    step: /^icmp \S+ > CLIENT6 (?!.*checksum=).* about /,
    explains: (theirs, ours) => nothing(theirs) && isOneFrameOf("wan", ours),
  },
  {
    ...MASQUERADED_ICMPV6,
    step: /^icmp \S+ > CLIENT6 .* checksum=plain about /,
    explains: (theirs, ours) => isOneFrameOf("wan", theirs) && nothing(ours),
  },
  {
    title: MASQUERADED_ICMPV6.title,
    group: RARE,
    name: /^NAT, IPv6, (quotes cut short|extension headers, ICMP errors)$/,
    step: /^icmp \S+ > CLIENT6 .*checksum=plain /,
    explains: (theirs, ours) => isOneFrameOf("wan", theirs) && nothing(ours),
  },
  {
    title: "A datagram that came in fragments leaves a tunnel whole",
    group: RARE,
    name: /^TUN .*, fragments( that make a long datagram)?$/,
    step: / fragment=/,
    explains: areAllFor,
  },
  {
    title: "IPv6 datagrams that came in fragments are cut anew",
    group: RARE,
    name: /^(NAT|DR), IPv6, fragments( that make a long datagram)?$/,
    step: / fragment=/,
    explains: areAllFor,
  },
  {
    title: "TCP's state behind IPv6 extension headers",
    group: RARE,
    name: / extension headers, TCP$/,
    step: /^connections$/,
    explains: isSameButState,
  },
  {
    title: "No IPsec",
    group: RARE,
    name: /, AH and ESP$/,
    step: /^ip \S+ > \S+ 5[01] /,
    explains: (theirs, ours) => theirs.length === 1 && ours.length <= 1,
  },
  {
    title: "Errors about tunnels tell what fits",
    group: "errors about tunnels",
    name: /^TUN (ipip|gue|gue csum|gue remcsum|gre|gre csum), a narrow path$/,
    step: /^icmp \S+ > \S+ 3\/4 /,
    explains: (theirs, ours) => isOneFrameOf("wan", theirs) && isOneFrameOf("wan", ours),
  },
  {
    title: "nat_icmp_send quotes the packet as it came",
    group: "on the wire",
    name: /nat_icmp_send$/,
    step: /^tcp /,
    explains: isSameButQuotedTimeToLive,
    engine: "director",
  },
  ...KNOWN_OF_HOSTS,
  ...KNOWN_OF_WIRE,
];

/** The known difference that this one of a case is, if it is any. */
export function knownDifference(
  of: Described,
  { what, theirs, ours }: Difference,
  engine: Column,
  kernel: Kernel,
): KnownDifference | undefined {
  return KNOWN.find(
    (known) =>
      mayOccur(known, of, engine, kernel) && known.step.test(what) && known.explains(theirs, ours),
  );
}

/** Whether it can be expected at all. */
export function mayOccur(
  { group, name, engine: only, before, since }: KnownDifference,
  of: Described,
  engine: Column,
  { version }: Kernel,
): boolean {
  return (
    group === of.group &&
    name.test(of.name) &&
    (only === undefined || only === engine) &&
    (before === undefined || !isSince(version, before)) &&
    (since === undefined || isSince(version, since))
  );
}
