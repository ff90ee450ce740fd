/** Where packets come from and whom they are to: what a host takes at all. */
import {
  arrives,
  BOTH,
  CONNECTIONS,
  counted,
  type HostCaseFile,
  type HostStep,
  hostCases,
  shell,
} from "../host-case.ts";
import { handshake, NAT, UDP_NAT } from "./services.ts";

const GROUP = "host, what it takes";

export const SOURCES: HostCaseFile = {
  features: {
    [GROUP]:
      "What the host takes from the wire: martian sources, rp_filter, accept_local, other hosts' frames, broadcasts",
  },
  cases: [
    ...hostCases(
      GROUP,
      "sources that are no client's",
      {},
      ...from([
        "V",
        "E",
        "D",
        "127.0.0.1",
        "255.255.255.255",
        "224.0.0.5",
        "10.8.0.255",
        "0.0.0.0",
      ]),
    ),
    ...hostCases(
      GROUP,
      "sources that are no client's",
      { families: ["inet6"] },
      ...from(["V", "E", "D", "::1", "ff02::5", "::"]),
    ),
    ...hostCases(
      GROUP,
      "accept_local, from another address of the director",
      { setup: ["sysctl -qw net.ipv4.conf.all.accept_local=1"] },
      NAT,
      arrives("wan", "D:1000 > V:80 S"),
      arrives("wan", "V:1000 > V:80 S"),
      CONNECTIONS,
    ),
    ...[0, 1, 2].flatMap((mode) =>
      hostCases(
        GROUP,
        `rp_filter ${mode}, clients on the wrong wire`,
        {
          setup: [`for of in all wan lan; do sysctl -qw net.ipv4.conf.$of.rp_filter=${mode}; done`],
        },
        NAT,
        arrives("lan", "C:1000 > V:80 S"),
        arrives("lan", "172.31.0.1:1000 > V:80 S"),
        ...handshake("R1", "C:1001"),
        arrives("wan", "R1:80 > C:1001 P. len 60"),
        CONNECTIONS,
      ),
    ),
    ...hostCases(
      GROUP,
      "the rpfilter match",
      { setup: ["$iptables -t raw -A PREROUTING -p tcp -m rpfilter --invert -j DROP"] },
      NAT,
      arrives("lan", "C:1000 > V:80 S"),
      arrives("wan", "C:1000 > V:80 S"),
      counted("raw", "PREROUTING"),
      CONNECTIONS,
    ),
    ...hostCases(
      GROUP,
      "another host's frame while an interface is promiscuous",
      { setup: ["ip link set wan promisc on"] },
      NAT,
      arrives("wan", "C:1000 > V:80 S", { to: "02:00:00:00:01:99" }),
      CONNECTIONS,
      arrives("wan", "C:1000 > V:80 S"),
    ),
    ...hostCases(
      GROUP,
      "frames to everybody",
      {},
      NAT,
      UDP_NAT,
      arrives("wan", "C:1000 > V:80 S", { to: "ff:ff:ff:ff:ff:ff" }),
      arrives("wan", "C:1000 > V:53 udp len 60", { to: "ff:ff:ff:ff:ff:ff" }),
      CONNECTIONS,
    ),
    ...hostCases(
      GROUP,
      "the VIP is asked for on the other wire",
      {},
      NAT,
      arrives("lan", "S1:1000 > V:80 S"),
      arrives("lan", "R2:80 > S1:1000 S."),
      CONNECTIONS,
    ),
    ...hostCases(
      GROUP,
      "the VIP comes and goes while connections live",
      { families: BOTH },
      NAT,
      ...handshake("R2"),
      shell("$ip address del $V/$host dev wan"),
      arrives("wan", "C:1000 > V:80 P. len 100"),
      arrives("lan", "R2:80 > C:1000 P. len 100"),
      arrives("wan", "C:1001 > V:80 S"),
      shell("$ip address add $V/$host dev wan $nodad"),
      arrives("wan", "C:1000 > V:80 P. len 100"),
      CONNECTIONS,
    ),
    ...hostCases(
      GROUP,
      "the VIP is a local route in another table",
      {
        families: BOTH,
        setup: [
          "$ip address del $V/$host dev wan",
          "$ip rule add to $V lookup 100",
          "$ip route add local $V dev lo table 100",
        ],
      },
      NAT,
      ...handshake("R2"),
      shell("$ip rule del to $V lookup 100"),
      arrives("wan", "C:1000 > V:80 P. len 100"),
      CONNECTIONS,
    ),
    ...hostCases(
      GROUP,
      "the VIP is local only for one interface",
      {
        setup: [
          "$ip address del $V/$host dev wan",
          "$ip rule add iif wan to $V lookup 100",
          "$ip route add local $V dev lo table 100",
        ],
      },
      NAT,
      arrives("wan", "C:1000 > V:80 S"),
      arrives("lan", "S1:1000 > V:80 S"),
      CONNECTIONS,
    ),
    ...hostCases(
      GROUP,
      "a blackhole for the client's network",
      { setup: ["$ip rule add from $C2 blackhole"] },
      NAT,
      arrives("wan", "C2:1000 > V:80 S"),
      arrives("wan", "C:1000 > V:80 S"),
      CONNECTIONS,
    ),
  ],
};

/** SYNs and datagrams that come from the wire with these sources. */
function from(sources: readonly string[]): HostStep[] {
  return [
    NAT,
    UDP_NAT,
    ...sources
      .map((source) => (source.includes(":") ? `[${source}]` : source))
      .flatMap((source) => [
        arrives("wan", `${source}:1000 > V:80 S`),
        arrives("wan", `${source}:1000 > V:53 udp len 60`),
      ]),
    CONNECTIONS,
  ];
}
