/** Bridges, interfaces without Ethernet, and other devices between the director and its wires. */
import {
  arrives,
  BOTH,
  CONNECTIONS,
  counted,
  type HostCaseFile,
  hostCases,
  neighbours,
  services,
  shell,
} from "../host-case.ts";
import { handshake, NAT, ONE_NAT, UDP_NAT } from "./services.ts";

const BRIDGES = "host, bridges";
const DEVICES = "host, devices without Ethernet";

/** A bridge takes an interface's place, with its address; the wire is the bridge's port. */
function bridged(wire: string, ...lines: readonly string[]): string[] {
  return [
    "ip link add br0 type bridge forward_delay 0 mcast_snooping 0 stp_state 0",
    "for of in dad_transmits accept_dad; do sysctl -qw net.ipv6.conf.br0.$of=0; done",
    `ip link set br0 address $mac_${wire} up`,
    `ip link set ${wire} address 02:00:00:00:09:01 master br0`,
    ...lines,
  ];
}

const BRIDGED_LAN = bridged(
  "lan",
  "ip address flush dev lan",
  "ip address add $D_4/24 dev br0",
  "ip address add $D_6/64 dev br0 nodad",
);
const BRIDGED_WAN = bridged(
  "wan",
  "ip address flush dev wan",
  "ip address add $E_4/24 dev br0",
  "ip address add $E_6/64 dev br0 nodad",
  "ip address add $V_4/32 dev br0",
  "ip address add $V_6/128 dev br0 nodad",
  "ip route replace 10.9.0.0/16 via $X_4",
  "ip -6 route del fd09::/16 || true",
  "ip -6 route add fd09::/16 via $X_6",
);

function calls(value: 0 | 1): string {
  return `for of in iptables ip6tables; do sysctl -qw net.bridge.bridge-nf-call-$of=${value}; done`;
}

export const DEVICES_FILE: HostCaseFile = {
  features: {
    [BRIDGES]:
      "Clients and servers behind a bridge of the director, bridge-nf-call-iptables 0 and 1; macvlan",
    [DEVICES]: "Clients and servers behind interfaces without Ethernet (TUN)",
  },
  cases: [
    ...([1, 0] as const).flatMap((value) => [
      ...hostCases(
        BRIDGES,
        `bridge-nf-call-iptables=${value}, servers behind the bridge`,
        { families: value === 1 ? BOTH : ["inet"], setup: [...BRIDGED_LAN, calls(value)] },
        NAT,
        services("-A -t V:81 -s rr", "-a -t V:81 -r R1:81 -g"),
        ...handshake("R2"),
        arrives("wan", "C:1000 > V:80 P. len 100"),
        arrives("wan", "C:1001 > V:81 S"),
        CONNECTIONS,
        neighbours("br0"),
      ),
      ...hostCases(
        BRIDGES,
        `bridge-nf-call-iptables=${value}, client and server behind the same bridge`,
        {
          setup: [
            ...BRIDGED_WAN,
            calls(value),
            "ip address flush dev lan",
            "ip link set lan address 02:00:00:00:09:02 master br0",
            "ip address add $D_4/24 dev br0",
            "ip address add $D_6/64 dev br0 nodad",
          ],
        },
        ONE_NAT,
        arrives("wan", "N:1000 > V:80 S"),
        // By way of the director.
        arrives("lan", "R1:80 > N:1000 S.", { to: "02:00:00:00:01:01" }),
        // From port to port: the director is a switch for it.
        arrives("lan", "R1:80 > N:1000 P. len 60", { to: "02:00:00:00:01:07" }),
        CONNECTIONS,
      ),
    ]),
    ...hostCases(
      BRIDGES,
      "bridge-nf-call-iptables=1, clients behind the bridge",
      { families: BOTH, setup: [...BRIDGED_WAN, calls(1)] },
      NAT,
      services("-A -t V:81 -s rr", "-a -t V:81 -r R1:81 -g"),
      ...handshake("R2"),
      arrives("wan", "C:1001 > V:81 S"),
      CONNECTIONS,
    ),
    ...hostCases(
      BRIDGES,
      "a rule drops a client behind the bridge",
      {
        setup: [
          ...BRIDGED_WAN,
          calls(1),
          "$iptables -A INPUT -i br0 -s $C -p tcp -m physdev --physdev-in wan -j DROP",
        ],
      },
      NAT,
      arrives("wan", "C:1000 > V:80 S"),
      arrives("wan", "C2:1000 > V:80 S"),
      counted("filter", "INPUT"),
      CONNECTIONS,
    ),
    ...hostCases(
      BRIDGES,
      "the VIP on a macvlan",
      {
        setup: [
          "ip link add mv0 link wan address 02:00:00:00:09:03 type macvlan mode bridge",
          "for of in dad_transmits accept_dad; do sysctl -qw net.ipv6.conf.mv0.$of=0; done",
          "ip link set mv0 up",
          "$ip address del $V/$host dev wan",
          "$ip address add $V/$host dev mv0 $nodad",
        ],
      },
      NAT,
      arrives("wan", "C:1000 > V:80 S", { to: "02:00:00:00:09:03" }),
      arrives("lan", "R2:80 > C:1000 S."),
      CONNECTIONS,
    ),
    ...hostCases(
      DEVICES,
      "clients",
      { families: BOTH, wires: ["tun0"] },
      NAT,
      UDP_NAT,
      services("-A -t V:81 -s rr", "-a -t V:81 -r R1:81 -g"),
      arrives("tun0", "T7:1000 > V:80 S"),
      arrives("lan", "R2:80 > T7:1000 S."),
      arrives("tun0", "T7:1000 > V:80 ."),
      arrives("tun0", "T7:1001 > V:81 S"),
      arrives("tun0", "T7:1000 > V:53 udp len 60"),
      CONNECTIONS,
    ),
    ...hostCases(
      DEVICES,
      "servers",
      { families: BOTH, wires: ["tun0"] },
      services(
        "-A -t V:80 -s rr",
        "-a -t V:80 -r T7:80 -m",
        "-A -t V:81 -s rr",
        "-a -t V:81 -r T7:81 -g",
      ),
      arrives("wan", "C:1000 > V:80 S"),
      arrives("tun0", "T7:80 > C:1000 S."),
      arrives("wan", "C:1001 > V:81 S"),
      CONNECTIONS,
    ),
    ...hostCases(
      DEVICES,
      "a tunnel through another",
      { wires: ["tun0"] },
      services("-A -t V:80 -s rr", "-a -t V:80 -r T7:80 -i"),
      arrives("wan", "C:1000 > V:80 S"),
      CONNECTIONS,
    ),
    ...hostCases(
      DEVICES,
      "the interface goes and comes",
      { wires: ["tun0"] },
      NAT,
      arrives("tun0", "T7:1000 > V:80 S"),
      shell("ip link set tun0 down"),
      arrives("lan", "R2:80 > T7:1000 S."),
      shell("ip link set tun0 up"),
      arrives("lan", "R2:80 > T7:1000 S."),
      CONNECTIONS,
    ),
  ],
};
