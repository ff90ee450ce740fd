/** Fragments and the host's firewall. */
import {
  arrives,
  BOTH,
  CONNECTIONS,
  counted,
  type HostCase,
  hostCases,
  services,
} from "../host-case.ts";
import { DROPS, FIREWALL_GROUP as GROUP, ICMP_PASSES } from "./firewall-rules.ts";
import { UDP_NAT } from "./services.ts";

const PIECES = { pieces: 1300 } as const;

export const FRAGMENTS: readonly HostCase[] = [
  ...hostCases(
    GROUP,
    "fragments, where input accepts a port and drops by default",
    {
      families: BOTH,
      setup: [ICMP_PASSES, "$iptables -A INPUT -p udp --dport 53 -j ACCEPT", DROPS],
    },
    UDP_NAT,
    arrives("wan", "C:1000 > V:53 udp len 1800", PIECES),
    counted("filter", "INPUT"),
    CONNECTIONS,
  ),
  ...hostCases(
    GROUP,
    "fragments to a DR service, input drops by default",
    { setup: [ICMP_PASSES, "$iptables -A INPUT -p udp --dport 53 -j ACCEPT", DROPS] },
    services("-A -u V:53 -s rr", "-a -u V:53 -r R1:53 -g"),
    arrives("wan", "C:1000 > V:53 udp len 1800", PIECES),
    counted("filter", "INPUT"),
    CONNECTIONS,
  ),
  ...hostCases(
    GROUP,
    "fragments that conntrack puts together first",
    {
      setup: [
        ICMP_PASSES,
        "$iptables -A INPUT -p udp --dport 53 -m conntrack --ctstate NEW -j ACCEPT",
        DROPS,
      ],
    },
    UDP_NAT,
    arrives("wan", "C:1000 > V:53 udp len 1800", PIECES),
    counted("filter", "INPUT"),
  ),
  ...hostCases(
    GROUP,
    "replies in fragments",
    {
      setup: ["$iptables -A FORWARD -p udp --sport 53", "$iptables -A FORWARD -p udp"],
    },
    UDP_NAT,
    arrives("wan", "C:1000 > V:53 udp len 100"),
    arrives("lan", "R1:53 > C:1000 udp len 1800", PIECES),
    counted("filter", "FORWARD"),
  ),
];
