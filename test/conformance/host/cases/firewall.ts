/** Rules of the host's firewall before the director. */
import {
  arrives,
  BOTH,
  CONNECTIONS,
  counted,
  type HostCaseFile,
  type HostStep,
  hostCases,
  services,
  shell,
} from "../host-case.ts";
import { FRAGMENTS } from "./firewall-fragments.ts";
import { DROPS, FIREWALL_GROUP as GROUP, ICMP_PASSES } from "./firewall-rules.ts";
import { handshake, NAT, UDP_NAT } from "./services.ts";

// biome-ignore format: a table
const HOOKS = [
  ["raw",    "PREROUTING"],
  ["mangle", "PREROUTING"],
  ["mangle", "INPUT"],
  ["filter", "INPUT"],
  ["mangle", "FORWARD"],
  ["filter", "FORWARD"],
] as const;
const COUNTING = HOOKS.map(([table, chain]) => `$iptables -t ${table} -A ${chain} -p tcp`);
const COUNTED = HOOKS.map(([table, chain]) => counted(table, chain));

const TOO_BIG = "C > V too-big mtu 1400 about V:80 > C:1000 . len 1500 df";
const UNREACHABLE = "R1 > C unreachable-port about C:1000 > R1:53 udp len 100";

export const FIREWALL: HostCaseFile = {
  features: {
    [GROUP]:
      "The host's firewall before the director: iptables in raw, mangle, nat and filter, conntrack's states, limits",
  },
  cases: [
    ...hostCases(
      GROUP,
      "input drops the client or the port",
      { families: BOTH },
      NAT,
      ...held("filter", "INPUT", "-s $C -j DROP"),
      ...held("filter", "INPUT", "-p tcp --dport 80 -j DROP"),
      ...held("filter", "INPUT", "-i wan -j DROP"),
      CONNECTIONS,
      ...handshake("R2"),
      CONNECTIONS,
    ),
    ...hostCases(
      GROUP,
      "mangle and raw drop the client",
      {},
      NAT,
      ...held("mangle", "INPUT", "-s $C -j DROP"),
      ...held("mangle", "PREROUTING", "-s $C -j DROP"),
      ...held("raw", "PREROUTING", "-s $C -j DROP"),
      CONNECTIONS,
      ...handshake("R2"),
    ),
    ...hostCases(
      GROUP,
      "input drops in mid-connection",
      {},
      NAT,
      ...handshake("R2"),
      ...held("filter", "INPUT", "-s $C -j DROP", "C:1000 > V:80 P. len 100"),
      arrives("wan", "C:1000 > V:80 P. len 100"),
    ),
    ...hostCases(
      GROUP,
      "input rejects",
      {},
      NAT,
      ...held("filter", "INPUT", "-s $C -j REJECT"),
      ...held("filter", "INPUT", "-p tcp -s $C -j REJECT --reject-with tcp-reset"),
      CONNECTIONS,
    ),
    ...hostCases(
      GROUP,
      "input drops by default",
      { families: BOTH, setup: [ICMP_PASSES, DROPS] },
      NAT,
      arrives("wan", "C:1000 > V:80 S"),
      CONNECTIONS,
      shell("$iptables -A INPUT -p tcp --dport 80 -j ACCEPT"),
      ...handshake("R2"),
      arrives("wan", "C:1000 > V:81 S"),
      counted("filter", "INPUT"),
      CONNECTIONS,
    ),
    ...hostCases(
      GROUP,
      "conntrack's states",
      {
        families: BOTH,
        setup: [
          ICMP_PASSES,
          "$iptables -A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT",
          "$iptables -A INPUT -m conntrack --ctstate INVALID -j DROP",
          "$iptables -A INPUT -p tcp --dport 80 --syn -m conntrack --ctstate NEW -j ACCEPT",
          "$iptables -A INPUT -m conntrack --ctstate NEW",
          DROPS,
        ],
      },
      NAT,
      ...handshake("R2"),
      arrives("wan", "C:1000 > V:80 P. len 100"),
      counted("filter", "INPUT"),
      CONNECTIONS,
    ),
    ...hostCases(
      GROUP,
      "untracked packets",
      {
        setup: [
          ICMP_PASSES,
          "$iptables -t raw -A PREROUTING -p tcp --dport 80 -j CT --notrack",
          "$iptables -A INPUT -m conntrack --ctstate UNTRACKED -j ACCEPT",
          DROPS,
        ],
      },
      NAT,
      ...handshake("R2"),
      counted("filter", "INPUT"),
    ),
    ...hostCases(
      GROUP,
      "conntrack's states of replies",
      {
        setup: [
          "$iptables -A FORWARD -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT",
          "$iptables -A FORWARD -m conntrack --ctstate INVALID -j DROP",
        ],
      },
      NAT,
      ...handshake("R2"),
      arrives("lan", "R2:80 > C:1000 P. len 100"),
      counted("filter", "FORWARD"),
    ),
    ...hostCases(
      GROUP,
      "limits",
      {
        setup: [
          "$iptables -A INPUT -p tcp --syn --dport 80 -m limit --limit 1/hour --limit-burst 2 -j ACCEPT",
          "$iptables -A INPUT -p tcp --syn --dport 80 -j DROP",
          "$iptables -A INPUT -p tcp --syn --dport 81 -m hashlimit --hashlimit-name syn --hashlimit-mode srcip --hashlimit-above 1/hour --hashlimit-burst 1 -j DROP",
        ],
      },
      NAT,
      services("-A -t V:81 -s rr", "-a -t V:81 -r R1:81 -m"),
      ...[1000, 1001, 1002, 1003].map((port) => arrives("wan", `C:${port} > V:80 S`)),
      ...["C:1000", "C:1001", "C2:1000", "C2:1001"].map((from) =>
        arrives("wan", `${from} > V:81 S`),
      ),
      counted("filter", "INPUT"),
      CONNECTIONS,
    ),
    ...hostCases(
      GROUP,
      "what rules count on a connection's way",
      { setup: COUNTING },
      NAT,
      services("-A -t V:81 -s rr", "-a -t V:81 -r R1:81 -g"),
      ...handshake("R2"),
      arrives("wan", "C:1001 > V:81 S"),
      arrives("wan", "C:1001 > V:81 ."),
      ...COUNTED,
    ),
    ...hostCases(
      GROUP,
      "forward drops the replies",
      { families: BOTH, setup: ["$iptables -A FORWARD -s $R2 -j DROP"] },
      NAT,
      arrives("wan", "C:1000 > V:80 S"),
      arrives("lan", "R2:80 > C:1000 S."),
      counted("filter", "FORWARD"),
      CONNECTIONS,
      shell("$iptables -F FORWARD", "$iptables -P FORWARD DROP"),
      arrives("lan", "R2:80 > C:1000 S."),
      shell("$iptables -A FORWARD -i lan -o wan -p tcp --sport 80 -j ACCEPT"),
      arrives("lan", "R2:80 > C:1000 S."),
      counted("filter", "FORWARD"),
    ),
    ...hostCases(
      GROUP,
      "DNAT and REDIRECT to a service",
      {
        setup: [
          "$ip address add $B/$host dev lo",
          "$iptables -t nat -A PREROUTING -d $B -p tcp --dport 8080 -j DNAT --to-destination $at_V:80",
          "$iptables -t nat -A PREROUTING -p tcp --dport 8080 -j REDIRECT --to-ports 81",
        ],
      },
      NAT,
      services("-A -t E:81 -s rr", "-a -t E:81 -r R1:80 -m"),
      arrives("wan", "C:1000 > B:8080 S"),
      arrives("lan", "R2:80 > C:1000 S."),
      arrives("wan", "C:1000 > B:8080 ."),
      arrives("wan", "C:1001 > V:8080 S"),
      arrives("lan", "R1:80 > C:1001 S."),
      counted("nat", "PREROUTING"),
      CONNECTIONS,
    ),
    ...hostCases(
      GROUP,
      "ICMP errors are dropped",
      {
        setup: [
          "$iptables -A INPUT -p $icmp -s $C -j DROP",
          "$iptables -A FORWARD -p $icmp -s $R1 -j DROP",
        ],
      },
      NAT,
      UDP_NAT,
      ...handshake("R2"),
      arrives("wan", "C:1000 > V:53 udp len 100"),
      arrives("wan", TOO_BIG),
      arrives("lan", UNREACHABLE),
      counted("filter", "INPUT"),
      counted("filter", "FORWARD"),
      shell("$iptables -F INPUT", "$iptables -F FORWARD"),
      arrives("wan", TOO_BIG),
      arrives("lan", UNREACHABLE),
    ),
    ...hostCases(
      GROUP,
      "mangle writes time to live and class of service",
      {
        setup: [
          "$iptables -t mangle -A PREROUTING -i wan -j TTL --ttl-set 10",
          "$iptables -t mangle -A PREROUTING -i wan -j DSCP --set-dscp 10",
          "$iptables -t mangle -A FORWARD -o wan -j DSCP --set-dscp 12",
        ],
      },
      NAT,
      services("-A -t V:81 -s rr", "-a -t V:81 -r R1:81 -g"),
      ...handshake("R2"),
      arrives("wan", "C:1001 > V:81 S"),
    ),
    ...FRAGMENTS,
  ],
};

/** A rule that keeps a packet away, what it counts, and its end. */
function held(table: string, chain: string, rule: string, packet = "C:1000 > V:80 S"): HostStep[] {
  return [
    shell(`$iptables -t ${table} -A ${chain} ${rule}`),
    arrives("wan", packet),
    counted(table, chain),
    shell(`$iptables -t ${table} -F ${chain}`),
  ];
}
