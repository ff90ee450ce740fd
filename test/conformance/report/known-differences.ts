/** Where Sluice differs on purpose: docs/differences.md explains each, under the same title. */
import type { Case } from "../case.ts";

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
  {
    title: "Thresholds follow Linux 6.12",
    group: "schedulers",
    name: /, thresholds changed midway$/,
  },
  {
    title: "A datagram that came in fragments leaves a tunnel whole",
    group: "on the wire",
    name: /^TUN .*, fragments$/,
  },
  {
    title: "ICMPv6 errors with a wrong checksum are dropped",
    group: "on the wire",
    name: /IPv6.*, ICMP from the client's side$/,
  },
  {
    title: "ICMPv6 errors of masqueraded servers reach the client",
    group: "on the wire",
    name: /^NAT, IPv6, ICMP from the server's side$/,
  },
  {
    title: "nat_icmp_send quotes the packet as it came",
    group: "on the wire",
    name: /nat_icmp_send$/,
  },
];

export function knownDifference({ group, name }: Case): string | undefined {
  return KNOWN.find((known) => known.group === group && known.name.test(name))?.title;
}
