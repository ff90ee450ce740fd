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
    title: "ICMPv6 errors of masqueraded servers reach the client",
    group: "on the wire, rare headers",
    name: /^NAT, IPv6, (quotes cut short|extension headers, ICMP errors)$/,
  },
  {
    title: "A datagram that came in fragments leaves a tunnel whole",
    group: "on the wire, rare headers",
    name: /^TUN .*, fragments( that make a long datagram)?$/,
  },
  {
    title: "IPv6 datagrams that came in fragments are cut anew",
    group: "on the wire, rare headers",
    name: /^(NAT|DR), IPv6, fragments$/,
  },
  {
    title: "TCP's state behind IPv6 extension headers",
    group: "on the wire, rare headers",
    name: / extension headers, TCP$/,
  },
  {
    title: "No IPsec",
    group: "on the wire, rare headers",
    name: /, AH and ESP$/,
  },
  {
    title: "Errors about tunnels tell what fits",
    group: "errors about tunnels",
    name: /^TUN (ipip|gue|gue csum|gue remcsum|gre|gre csum), a narrow path$/,
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
