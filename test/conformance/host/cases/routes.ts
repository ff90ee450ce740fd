/** The way out: routing rules, tables, metrics, nexthops, routes that refuse, forwarding. */
import {
  arrives,
  CONNECTIONS,
  type HostCase,
  type HostCaseFile,
  hostCases,
  services,
  shell,
} from "../host-case.ts";
import { DIRECT, handshake, NAT, ONE_DIRECT, ONE_NAT } from "./services.ts";

const RULES = "host, routing rules";
const ROUTES = "host, routes";

/** V2 belongs to the second uplink: what comes from it leaves by it, all else by the first. */
const SECOND_UPLINK = [
  "$ip address add $V2/$host dev up $nodad",
  "$ip route add default via $X",
  "$ip route add default via $X2 table 100",
  "$ip rule add from $V2 lookup 100",
];

const AT_V2 = services("-A -t V2:80 -s rr", "-a -t V2:80 -r R1:80 -m");
const FAR_SERVER = services("-A -t V:80 -s rr", "-a -t V:80 -r S1:80 -m");

export const ROUTES_FILE: HostCaseFile = {
  features: {
    [RULES]: "Routing rules: by source (a second uplink), by mark, by interface; snat_reroute",
    [ROUTES]:
      "Routes: blackholes, metrics, nexthop groups, changes in mid-connection, interfaces that go and come, forwarding",
  },
  cases: [
    ...([1, 0] as const).flatMap((value) =>
      hostCases(
        RULES,
        `the VIP of a second uplink, snat_reroute=${value}`,
        { wires: ["up"], setup: SECOND_UPLINK },
        shell(`vs-sysctl -q -w net.ipv4.vs.snat_reroute=${value}`),
        AT_V2,
        ONE_NAT,
        arrives("up", "C3:1000 > V2:80 S"),
        arrives("lan", "R1:80 > C3:1000 S."),
        arrives("wan", "C3:1001 > V:80 S"),
        arrives("lan", "R1:80 > C3:1001 S."),
        CONNECTIONS,
      ),
    ),
    ...([1, 0] as const).flatMap((value) =>
      hostCases(
        RULES,
        `replies by mark, snat_reroute=${value}`,
        {
          wires: ["up"],
          setup: [
            "$iptables -t mangle -A PREROUTING -i lan -s $R2 -j MARK --set-mark 5",
            "$ip rule add fwmark 5 lookup 100",
            "$ip route add default via $X2 table 100",
          ],
        },
        shell(`vs-sysctl -q -w net.ipv4.vs.snat_reroute=${value}`),
        NAT,
        arrives("wan", "C:1000 > V:80 S"),
        arrives("lan", "R2:80 > C:1000 S."),
        arrives("wan", "C:1001 > V:80 S"),
        arrives("lan", "R1:80 > C:1001 S."),
      ),
    ),
    ...hostCases(
      RULES,
      "requests by mark",
      {
        setup: [
          "$iptables -t mangle -A PREROUTING -i wan -p tcp -j MARK --set-mark 5",
          "$ip rule add fwmark 5 to $S1 lookup 100",
          "$ip route add $S1 via $Y2 table 100",
        ],
      },
      FAR_SERVER,
      arrives("wan", "C:1000 > V:80 S"),
    ),
    ...hostCases(
      RULES,
      "requests by interface",
      {
        setup: ["$ip rule add iif wan to $S1 lookup 100", "$ip route add $S1 via $Y2 table 100"],
      },
      FAR_SERVER,
      arrives("wan", "C:1000 > V:80 S"),
    ),
    ...hostCases(
      RULES,
      "requests by the director's address",
      {
        setup: ["$ip rule add from $D to $S1 lookup 100", "$ip route add $S1 via $Y2 table 100"],
      },
      FAR_SERVER,
      arrives("wan", "C:1000 > V:80 S"),
    ),
    ...hostCases(
      RULES,
      "a rule that comes in mid-connection",
      { setup: ["$ip route add $S1 via $Y2 table 100"] },
      FAR_SERVER,
      arrives("wan", "C:1000 > V:80 S"),
      shell("$ip rule add to $S1 lookup 100"),
      arrives("wan", "C:1000 > V:80 ."),
      shell("$ip rule del to $S1 lookup 100"),
      arrives("wan", "C:1000 > V:80 ."),
    ),
    ...hostCases(
      RULES,
      "a rule that refuses the server",
      { setup: ["$ip rule add to $R1 prohibit"] },
      ONE_NAT,
      arrives("wan", "C:1000 > V:80 S"),
      CONNECTIONS,
    ),
    ...(["blackhole", "unreachable", "prohibit"] as const).flatMap((type) => [
      ...toServer(`${type} to a server`, `$ip route add ${type} $R1/$host`),
      ...hostCases(
        ROUTES,
        `${type} to a client`,
        {},
        ONE_NAT,
        arrives("wan", "C:1000 > V:80 S"),
        shell(`$ip route add ${type} $C/$host`),
        arrives("lan", "R1:80 > C:1000 S."),
        CONNECTIONS,
      ),
    ]),
    ...hostCases(
      ROUTES,
      "no route to a server",
      {},
      services(
        "-A -t V:80 -s rr",
        "-a -t V:80 -r F:80 -m",
        "-A -t V:81 -s rr",
        "-a -t V:81 -r F:81 -g",
      ),
      arrives("wan", "C:1000 > V:80 S"),
      arrives("wan", "C:1000 > V:81 S"),
      shell("$ip route add $F via $Y"),
      arrives("wan", "C:1000 > V:80 S"),
      CONNECTIONS,
    ),
    ...hostCases(
      ROUTES,
      "no route to a client",
      {},
      ONE_NAT,
      arrives("wan", "C:1000 > V:80 S"),
      shell("$ip route del $($ip route show via $X | cut -d' ' -f1)"),
      arrives("lan", "R1:80 > C:1000 S."),
    ),
    ...hostCases(
      ROUTES,
      "metrics",
      {
        setup: ["$ip route add $S1 via $Y metric 200", "$ip route add $S1 via $Y2 metric 100"],
      },
      FAR_SERVER,
      arrives("wan", "C:1000 > V:80 S"),
      shell("$ip route del $S1 via $Y2"),
      arrives("wan", "C:1000 > V:80 ."),
      shell("$ip route add $S1 via $Y2 metric 100"),
      arrives("wan", "C:1000 > V:80 ."),
    ),
    ...hostCases(
      ROUTES,
      "a nexthop group with a dead hop",
      {
        wires: ["up"],
        setup: [
          "ip nexthop add id 1 via $Y dev lan",
          "ip nexthop add id 2 via $X2 dev up",
          "ip nexthop add id 10 group 1/2",
          "$ip route add $S1 nhid 10",
          "ip link set up down",
        ],
      },
      FAR_SERVER,
      ...[1000, 1001, 1002, 1003].map((port) => arrives("wan", `C:${port} > V:80 S`)),
    ),
    ...hostCases(
      ROUTES,
      "a nexthop that is replaced",
      { setup: ["ip nexthop add id 1 via $Y dev lan", "$ip route add $S1 nhid 1"] },
      FAR_SERVER,
      arrives("wan", "C:1000 > V:80 S"),
      shell("ip nexthop replace id 1 via $Y2 dev lan"),
      arrives("wan", "C:1000 > V:80 ."),
    ),
    ...hostCases(
      ROUTES,
      "two hops of which one's interface goes",
      {
        wires: ["up"],
        families: ["inet"],
        setup: [
          "ip route add $S1 nexthop via $Y dev lan nexthop via $X2 dev up",
          "ip link set lan carrier on || true",
          "ip link set up down",
        ],
      },
      FAR_SERVER,
      ...[1000, 1001, 1002, 1003].map((port) => arrives("wan", `C:${port} > V:80 S`)),
    ),
    ...hostCases(
      ROUTES,
      "a route that changes in mid-connection",
      {},
      NAT,
      ...handshake("R2"),
      shell("$ip route add $R2 via $Y"),
      arrives("wan", "C:1000 > V:80 P. len 100"),
      shell("$ip route replace $R2 via $Y2"),
      arrives("wan", "C:1000 > V:80 P. len 100"),
      shell("$ip route del $R2"),
      arrives("wan", "C:1000 > V:80 P. len 100"),
      CONNECTIONS,
    ),
    ...hostCases(
      ROUTES,
      "the replies' route changes in mid-connection",
      { wires: ["up"] },
      NAT,
      ...handshake("R2"),
      shell("$ip route add $C via $X2"),
      arrives("lan", "R2:80 > C:1000 P. len 100"),
      shell("$ip route del $C via $X2"),
      arrives("lan", "R2:80 > C:1000 P. len 100"),
    ),
    ...hostCases(
      ROUTES,
      "the server's interface goes and comes",
      {},
      NAT,
      ...handshake("R2"),
      shell("ip link set lan down"),
      arrives("wan", "C:1000 > V:80 P. len 100"),
      arrives("wan", "C:1001 > V:80 S"),
      shell("ip link set lan up", "[ $family = 4 ] || ip address replace $D/64 dev lan nodad"),
      arrives("wan", "C:1000 > V:80 P. len 100"),
      CONNECTIONS,
    ),
    ...hostCases(
      ROUTES,
      "ip_forward=0, NAT",
      { setup: ["sysctl -qw net.ipv4.ip_forward=0 net.ipv6.conf.all.forwarding=0"] },
      NAT,
      ...handshake("R2"),
      CONNECTIONS,
    ),
    ...hostCases(
      ROUTES,
      "ip_forward=0, DR",
      { setup: ["sysctl -qw net.ipv4.ip_forward=0 net.ipv6.conf.all.forwarding=0"] },
      DIRECT,
      arrives("wan", "C:1000 > V:80 S"),
      arrives("wan", "C:1000 > V:80 ."),
    ),
    ...hostCases(
      ROUTES,
      "time to live, at each hook",
      {},
      NAT,
      services("-A -t V:81 -s rr", "-a -t V:81 -r R1:80 -g"),
      arrives("wan", "C:1000 > V:80 S ttl 1"),
      arrives("wan", "C:1000 > V:80 S"),
      arrives("wan", "C:1000 > V:81 S ttl 1"),
      arrives("wan", "C:1000 > V:80 S ttl 2"),
      arrives("lan", "R2:80 > C:1000 S. ttl 1"),
      arrives("lan", "R2:80 > C:1000 S. ttl 2"),
      CONNECTIONS,
    ),
    ...hostCases(
      ROUTES,
      "send_redirects, a client on the servers' wire",
      {
        families: ["inet"],
        setup: ["for of in all wan lan; do sysctl -qw net.ipv4.conf.$of.send_redirects=1; done"],
      },
      services(
        "-A -t V:80 -s rr",
        "-a -t V:80 -r R1:80 -m",
        "-A -t V:81 -s rr",
        "-a -t V:81 -r R1:81 -g",
      ),
      arrives("lan", "R3:1000 > V:80 S"),
      arrives("lan", "R1:80 > R3:1000 S."),
      arrives("lan", "R3:1001 > V:81 S"),
    ),
  ],
};

/** Requests that a route of the host's refuses. */
function toServer(name: string, line: string): HostCase[] {
  return hostCases(
    ROUTES,
    name,
    { setup: [line] },
    ONE_NAT,
    arrives("wan", "C:1000 > V:80 S"),
    shell("ipvsadm -C"),
    ONE_DIRECT,
    arrives("wan", "C:1001 > V:80 S"),
    CONNECTIONS,
  );
}
