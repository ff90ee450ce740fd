/** Rules of the host's firewall, before the director and behind it. */
import {
  arrives,
  CONNECTIONS,
  counted,
  type HostCase,
  type HostCaseFile,
  hostCases,
  services,
  shell,
} from "../host-case.ts";
import { DIRECT, handshake, NAT, UDP_NAT } from "./services.ts";

const GROUP = "host, firewall";
const BEHIND = "host, rules behind the director";

const HOOKS = [
  ["raw", "PREROUTING"],
  ["mangle", "PREROUTING"],
  ["mangle", "INPUT"],
  ["filter", "INPUT"],
  ["mangle", "FORWARD"],
  ["filter", "FORWARD"],
] as const;
const COUNTING = HOOKS.map(([table, chain]) => `$iptables -t ${table} -A ${chain} -p tcp`);
const COUNTED = HOOKS.map(([table, chain]) => counted(table, chain));

export const FIREWALL: HostCaseFile = {
  features: {
    [GROUP]:
      "The host's firewall before the director: iptables in raw, mangle, nat and filter, conntrack's states, limits",
    [BEHIND]: "The host's firewall behind the director: OUTPUT, POSTROUTING",
  },
  cases: [
    ...dropped("input drops the client", "filter", "INPUT", "-s $C -j DROP"),
    ...dropped("input drops the port", "filter", "INPUT", "-p tcp --dport 80 -j DROP"),
    ...dropped("mangle drops the client in input", "mangle", "INPUT", "-s $C -j DROP"),
    ...dropped("mangle drops the client in prerouting", "mangle", "PREROUTING", "-s $C -j DROP"),
    ...dropped("raw drops the client in prerouting", "raw", "PREROUTING", "-s $C -j DROP"),
    ...dropped("input drops the interface", "filter", "INPUT", "-i wan -j DROP"),
    ...dropped("input rejects", "filter", "INPUT", "-s $C -j REJECT"),
    ...dropped("input resets", "filter", "INPUT", "-p tcp -s $C -j REJECT --reject-with tcp-reset"),
    ...hostCases(
      GROUP,
      "input drops by default",
      { setup: ["$iptables -A INPUT -p $icmp -j ACCEPT", "$iptables -P INPUT DROP"] },
      NAT,
      arrives("wan", "C:1000 > V:80 S"),
      CONNECTIONS,
      shell("$iptables -A INPUT -p tcp --dport 80 -j ACCEPT"),
      ...handshake("R2"),
      counted("filter", "INPUT"),
      CONNECTIONS,
    ),
    ...hostCases(
      GROUP,
      "only the client's address is accepted",
      {
        setup: [
          "$iptables -A INPUT -p $icmp -j ACCEPT",
          "$iptables -A INPUT -s $C -j ACCEPT",
          "$iptables -P INPUT DROP",
        ],
      },
      NAT,
      arrives("wan", "C2:1000 > V:80 S"),
      ...handshake("R2"),
      counted("filter", "INPUT"),
      CONNECTIONS,
    ),
    ...hostCases(
      GROUP,
      "conntrack's states",
      {
        setup: [
          "$iptables -A INPUT -p $icmp -j ACCEPT",
          "$iptables -A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT",
          "$iptables -A INPUT -m conntrack --ctstate INVALID -j DROP",
          "$iptables -A INPUT -p tcp --dport 80 --syn -m conntrack --ctstate NEW -j ACCEPT",
          "$iptables -A INPUT -m conntrack --ctstate NEW",
          "$iptables -P INPUT DROP",
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
          "$iptables -A INPUT -p $icmp -j ACCEPT",
          "$iptables -t raw -A PREROUTING -p tcp --dport 80 -j CT --notrack",
          "$iptables -A INPUT -m conntrack --ctstate UNTRACKED -j ACCEPT",
          "$iptables -P INPUT DROP",
        ],
      },
      NAT,
      ...handshake("R2"),
      counted("filter", "INPUT"),
    ),
    ...hostCases(
      GROUP,
      "replies are in no state that conntrack knows",
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
      "a limit of two an hour",
      {
        setup: [
          "$iptables -A INPUT -p tcp --syn -m limit --limit 1/hour --limit-burst 2 -j ACCEPT",
          "$iptables -A INPUT -p tcp --syn -j DROP",
        ],
      },
      NAT,
      ...[1000, 1001, 1002, 1003].map((port) => arrives("wan", `C:${port} > V:80 S`)),
      counted("filter", "INPUT"),
      CONNECTIONS,
    ),
    ...hostCases(
      GROUP,
      "a limit for each client",
      {
        setup: [
          "$iptables -A INPUT -p tcp --syn -m hashlimit --hashlimit-name syn --hashlimit-mode srcip --hashlimit-above 1/hour --hashlimit-burst 1 -j DROP",
        ],
      },
      NAT,
      ...["C:1000", "C:1001", "C2:1000", "C2:1001"].map((from) =>
        arrives("wan", `${from} > V:80 S`),
      ),
      counted("filter", "INPUT"),
      CONNECTIONS,
    ),
    ...hostCases(
      GROUP,
      "what rules count on a connection's way, NAT",
      { setup: COUNTING },
      NAT,
      ...handshake("R2"),
      ...COUNTED,
    ),
    ...hostCases(
      GROUP,
      "what rules count on a connection's way, DR",
      { setup: COUNTING },
      DIRECT,
      arrives("wan", "C:1000 > V:80 S"),
      arrives("wan", "C:1000 > V:80 ."),
      ...COUNTED,
    ),
    ...hostCases(
      GROUP,
      "forward drops the replies",
      { setup: ["$iptables -A FORWARD -s $R2 -j DROP"] },
      NAT,
      arrives("wan", "C:1000 > V:80 S"),
      arrives("lan", "R2:80 > C:1000 S."),
      counted("filter", "FORWARD"),
      CONNECTIONS,
      shell("$iptables -F FORWARD"),
      arrives("lan", "R2:80 > C:1000 S."),
      CONNECTIONS,
    ),
    ...hostCases(
      GROUP,
      "forward drops by default",
      { setup: ["$iptables -P FORWARD DROP"] },
      NAT,
      arrives("wan", "C:1000 > V:80 S"),
      arrives("lan", "R2:80 > C:1000 S."),
      shell("$iptables -A FORWARD -i lan -o wan -p tcp --sport 80 -j ACCEPT"),
      arrives("lan", "R2:80 > C:1000 S."),
      counted("filter", "FORWARD"),
    ),
    ...hostCases(
      GROUP,
      "DNAT to the VIP",
      {
        setup: [
          "$ip address add $B/$host dev lo",
          "$iptables -t nat -A PREROUTING -d $B -p tcp --dport 8080 -j DNAT --to-destination $at_V:80",
        ],
      },
      NAT,
      arrives("wan", "C:1000 > B:8080 S"),
      arrives("lan", "R2:80 > C:1000 S."),
      arrives("wan", "C:1000 > B:8080 ."),
      counted("nat", "PREROUTING"),
      CONNECTIONS,
    ),
    ...hostCases(
      GROUP,
      "REDIRECT to a service",
      {
        families: ["inet"],
        setup: ["$iptables -t nat -A PREROUTING -p tcp --dport 8080 -j REDIRECT --to-ports 80"],
      },
      services("-A -t E:80 -s rr", "-a -t E:80 -r R1:80 -m"),
      arrives("wan", "C:1000 > V:8080 S"),
      arrives("lan", "R1:80 > C:1000 S."),
      counted("nat", "PREROUTING"),
      CONNECTIONS,
    ),
    ...hostCases(
      GROUP,
      "the client's ICMP errors are dropped",
      { setup: ["$iptables -A INPUT -p $icmp -s $C -j DROP"] },
      NAT,
      ...handshake("R2"),
      arrives("wan", "C > V too-big mtu 1400 about V:80 > C:1000 . len 1500 df"),
      counted("filter", "INPUT"),
      shell("$iptables -F INPUT"),
      arrives("wan", "C > V too-big mtu 1400 about V:80 > C:1000 . len 1500 df"),
    ),
    ...hostCases(
      GROUP,
      "the servers' ICMP errors are dropped",
      { setup: ["$iptables -A FORWARD -p $icmp -s $R1 -j DROP"] },
      UDP_NAT,
      arrives("wan", "C:1000 > V:53 udp len 100"),
      arrives("lan", "R1 > C unreachable-port about C:1000 > R1:53 udp len 100"),
      counted("filter", "FORWARD"),
      shell("$iptables -F FORWARD"),
      arrives("lan", "R1 > C unreachable-port about C:1000 > R1:53 udp len 100"),
    ),
    ...hostCases(
      GROUP,
      "fragments, where input accepts a port and drops by default",
      {
        setup: [
          "$iptables -A INPUT -p $icmp -j ACCEPT",
          "$iptables -A INPUT -p udp --dport 53 -j ACCEPT",
          "$iptables -P INPUT DROP",
        ],
      },
      UDP_NAT,
      arrives("wan", "C:1000 > V:53 udp len 1800", { pieces: 1300 }),
      counted("filter", "INPUT"),
      CONNECTIONS,
    ),
    ...hostCases(
      GROUP,
      "fragments that conntrack puts together first",
      {
        setup: [
          "$iptables -A INPUT -p $icmp -j ACCEPT",
          "$iptables -A INPUT -p udp --dport 53 -m conntrack --ctstate NEW -j ACCEPT",
          "$iptables -P INPUT DROP",
        ],
      },
      UDP_NAT,
      arrives("wan", "C:1000 > V:53 udp len 1800", { pieces: 1300 }),
      counted("filter", "INPUT"),
      CONNECTIONS,
    ),
    ...hostCases(
      GROUP,
      "replies in fragments",
      { setup: ["$iptables -A FORWARD -p udp --sport 53", "$iptables -A FORWARD -p udp"] },
      UDP_NAT,
      arrives("wan", "C:1000 > V:53 udp len 100"),
      arrives("lan", "R1:53 > C:1000 udp len 1800", { pieces: 1300 }),
      counted("filter", "FORWARD"),
    ),
    ...hostCases(
      GROUP,
      "mangle writes the time to live",
      {
        families: ["inet"],
        setup: ["$iptables -t mangle -A PREROUTING -i wan -j TTL --ttl-set 10"],
      },
      DIRECT,
      arrives("wan", "C:1000 > V:80 S"),
    ),
    ...hostCases(
      GROUP,
      "mangle writes the class of service",
      { setup: ["$iptables -t mangle -A PREROUTING -i wan -j DSCP --set-dscp 10"] },
      DIRECT,
      arrives("wan", "C:1000 > V:80 S"),
    ),
    ...hostCases(
      GROUP,
      "mangle writes the replies' class of service",
      { setup: ["$iptables -t mangle -A FORWARD -o wan -j DSCP --set-dscp 10"] },
      NAT,
      ...handshake("R2"),
    ),
    ...hostCases(
      BEHIND,
      "output drops the server",
      { setup: ["$iptables -A OUTPUT -d $R2 -p tcp -j DROP"] },
      NAT,
      arrives("wan", "C:1000 > V:80 S"),
      counted("filter", "OUTPUT"),
      CONNECTIONS,
    ),
    ...hostCases(
      BEHIND,
      "postrouting counts and drops",
      {
        setup: [
          "$iptables -t mangle -A POSTROUTING -o lan -p tcp",
          "$iptables -t mangle -A POSTROUTING -s $V -o wan -p tcp -j DROP",
        ],
      },
      NAT,
      arrives("wan", "C:1000 > V:80 S"),
      arrives("lan", "R2:80 > C:1000 S."),
      counted("mangle", "POSTROUTING"),
    ),
    ...hostCases(
      BEHIND,
      "full NAT: conntrack=1 and MASQUERADE",
      {
        setup: [
          "$iptables -t nat -A POSTROUTING -o lan -p tcp -m ipvs --vaddr $V --vport 80 -j MASQUERADE",
        ],
      },
      shell("vs-sysctl -q -w net.ipv4.vs.conntrack=1"),
      NAT,
      arrives("wan", "C:1000 > V:80 S"),
      arrives("lan", "R2:80 > D:1000 S."),
      CONNECTIONS,
    ),
  ],
};

/** A rule that keeps a client away, and what is when it is gone. */
function dropped(name: string, table: string, chain: string, rule: string): HostCase[] {
  return hostCases(
    GROUP,
    name,
    { setup: [`$iptables -t ${table} -A ${chain} ${rule}`] },
    NAT,
    arrives("wan", "C:1000 > V:80 S"),
    arrives("wan", "C:1000 > V:80 S"),
    counted(table, chain),
    CONNECTIONS,
    shell(`$iptables -t ${table} -F ${chain}`),
    ...handshake("R2"),
    CONNECTIONS,
  );
}
