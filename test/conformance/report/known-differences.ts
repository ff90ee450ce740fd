/** Where Sluice differs on purpose: docs/differences.md explains each, under the same title. */
import type { Case } from "../case.ts";
import { isSince, type Kernel } from "../machines/machine.ts";

interface KnownDifference {
  /** The title in docs/differences.md. */
  readonly title: string;
  readonly group: string;
  readonly name: RegExp;
  /** A version of Linux that was seen to do as Sluice does: from there on it is no difference. */
  readonly before?: string;
  /** A version of Linux that was seen to do otherwise, where older ones do as Sluice does. */
  readonly since?: string;
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
    before: "6.1.192",
  },
  {
    title: "A datagram that came in fragments leaves a tunnel whole",
    group: "on the wire",
    name: /^TUN .*, fragments$/,
  },
  {
    title: "ICMP errors with a wrong checksum are dropped",
    group: "on the wire",
    name: /IPv6.*, ICMP from the client's side$/,
    before: "6.1.192",
  },
  {
    title: "ICMP errors with a wrong checksum are dropped",
    group: "on the wire",
    name: /^(DR|TUN).*, ICMP from the client's side$/,
    since: "6.1.192",
  },
  {
    title: "ICMPv6 errors of masqueraded servers reach the client",
    group: "on the wire",
    name: /^NAT, IPv6, ICMP from the server's side$/,
    before: "6.1.192",
  },
  {
    title: "nat_icmp_send quotes the packet as it came",
    group: "on the wire",
    name: /nat_icmp_send$/,
  },
];

export function knownDifference({ group, name }: Case, { version }: Kernel): string | undefined {
  return KNOWN.find(
    (known) =>
      known.group === group &&
      known.name.test(name) &&
      (known.before === undefined || !isSince(version, known.before)) &&
      (known.since === undefined || isSince(version, known.since)),
  )?.title;
}
