/** Firewall marks as operators set them: by netfilter. */
import {
  arrives,
  BOTH,
  CONNECTIONS,
  connects,
  type HostCaseFile,
  hostCases,
  SERVICES,
  services,
  shell,
} from "../host-case.ts";
import { handshake } from "./services.ts";

const GROUP = "host, netfilter's marks";

const MARKED = services("-A -f 7 $six -s rr", "-a -f 7 $six -r R1:0 -m", "-a -f 7 $six -r R2:0 -m");
const MARKED_DIRECT = services(
  "-A -f 7 $six -s rr",
  "-a -f 7 $six -r R1:0 -g",
  "-a -f 7 $six -r R2:0 -g",
);

/** Packets with a mark are the host's own, wherever they go. */
const LOCAL_BY_MARK = [
  "$ip rule add fwmark 7 lookup 100",
  "$ip route add local default dev lo table 100",
];

export const MARKS: HostCaseFile = {
  features: {
    [GROUP]:
      "Services by firewall mark, marked by iptables: matches, masks, connmark, whose packets are local",
  },
  cases: [
    ...hostCases(
      GROUP,
      "by ports",
      {
        families: BOTH,
        setup: [
          "$iptables -t mangle -A PREROUTING -p tcp -d $V -m multiport --dports 80,443 -j MARK --set-mark 7",
        ],
      },
      MARKED,
      ...handshake("R2"),
      arrives("wan", "C:1001 > V:443 S"),
      arrives("wan", "C:1002 > V:8080 S"),
      CONNECTIONS,
      SERVICES,
    ),
    ...hostCases(
      GROUP,
      "by the sender's hardware address",
      {
        setup: [
          "$iptables -t mangle -A PREROUTING -p tcp -m mac --mac-source $mac_X -j MARK --set-mark 7",
        ],
      },
      MARKED,
      arrives("wan", "C:1000 > V:80 S"),
      arrives("wan", "N:1000 > V:80 S"),
      CONNECTIONS,
    ),
    ...hostCases(
      GROUP,
      "by interface",
      {
        setup: ["$iptables -t mangle -A PREROUTING -i wan -p tcp --dport 80 -j MARK --set-mark 7"],
      },
      MARKED,
      arrives("wan", "C:1000 > V:80 S"),
      arrives("lan", "S1:1000 > V:80 S"),
      CONNECTIONS,
    ),
    ...hostCases(
      GROUP,
      "set in mangle's input",
      { setup: ["$iptables -t mangle -A INPUT -p tcp --dport 80 -j MARK --set-mark 7"] },
      MARKED,
      arrives("wan", "C:1000 > V:80 S"),
      CONNECTIONS,
    ),
    ...hostCases(
      GROUP,
      "by bits, others set as well",
      {
        setup: [
          "$iptables -t mangle -A PREROUTING -p tcp -j MARK --set-xmark 7/0xff",
          "$iptables -t mangle -A PREROUTING -p tcp --dport 81 -j MARK --set-xmark 0x100/0xff00",
        ],
      },
      MARKED,
      services("-A -f 263 $six -s rr", "-a -f 263 $six -r R3:0 -m"),
      arrives("wan", "C:1000 > V:80 S"),
      arrives("wan", "C:1001 > V:81 S"),
      CONNECTIONS,
    ),
    ...hostCases(
      GROUP,
      "on the first packet only",
      { setup: ["$iptables -t mangle -A PREROUTING -p tcp --syn -j MARK --set-mark 7"] },
      MARKED,
      ...handshake("R2"),
      arrives("wan", "C:1001 > V:80 ."),
      CONNECTIONS,
    ),
    ...hostCases(
      GROUP,
      "kept by connmark",
      {
        setup: [
          "$iptables -t mangle -A PREROUTING -j CONNMARK --restore-mark",
          "$iptables -t mangle -A PREROUTING -p tcp --syn -m mark --mark 0 -j MARK --set-mark 7",
          "$iptables -t mangle -A PREROUTING -m mark ! --mark 0 -j CONNMARK --save-mark",
        ],
      },
      MARKED,
      ...handshake("R2"),
      CONNECTIONS,
    ),
    ...hostCases(
      GROUP,
      "two marks, one after the other",
      {
        setup: [
          "$iptables -t mangle -A PREROUTING -p tcp -j MARK --set-mark 7",
          "$iptables -t mangle -A PREROUTING -p tcp -s $C2 -j MARK --set-mark 8",
        ],
      },
      MARKED,
      services("-A -f 8 $six -s rr", "-a -f 8 $six -r R3:0 -m"),
      arrives("wan", "C:1000 > V:80 S"),
      arrives("wan", "C2:1000 > V:80 S"),
      shell("$iptables -t mangle -D PREROUTING 2"),
      arrives("wan", "C2:1000 > V:80 ."),
      arrives("wan", "C2:1001 > V:80 S"),
      CONNECTIONS,
    ),
    ...hostCases(
      GROUP,
      "a service by address besides",
      { setup: ["$iptables -t mangle -A PREROUTING -p tcp -s $C2 -j MARK --set-mark 7"] },
      MARKED,
      services("-A -t V:80 -s rr", "-a -t V:80 -r R3:80 -m"),
      arrives("wan", "C:1000 > V:80 S"),
      arrives("wan", "C2:1000 > V:80 S"),
      CONNECTIONS,
    ),
    ...hostCases(
      GROUP,
      "addresses that are not the director's, NAT",
      {
        families: BOTH,
        setup: [
          ...LOCAL_BY_MARK,
          "$iptables -t mangle -A PREROUTING -i wan -p tcp -d $F --dport 80 -j MARK --set-mark 7",
        ],
      },
      MARKED,
      ...handshake("R2", "C:1000", "F:80"),
      arrives("lan", "R2 > C unreachable-port about C:1000 > R2:80 ."),
      arrives("wan", "C:1000 > F:80 S ttl 1"),
      CONNECTIONS,
    ),
    ...hostCases(
      GROUP,
      "addresses that are not the director's, DR",
      {
        setup: [
          ...LOCAL_BY_MARK,
          "$iptables -t mangle -A PREROUTING -i wan -p udp -d $F -j MARK --set-mark 7",
        ],
      },
      MARKED_DIRECT,
      arrives("wan", "C:1000 > F:53 udp len 60"),
      arrives("wan", "C:1000 > F:54 udp len 60"),
      CONNECTIONS,
    ),
    ...hostCases(
      GROUP,
      "addresses that are not the director's, no server",
      {
        setup: [
          ...LOCAL_BY_MARK,
          "$iptables -t mangle -A PREROUTING -i wan -d $F -j MARK --set-mark 7",
        ],
      },
      services("-A -f 7 $six -s rr"),
      arrives("wan", "C:1000 > F:80 S"),
      arrives("wan", "C:1000 > F:80 ."),
      arrives("wan", "C > F echo"),
      CONNECTIONS,
    ),
    ...hostCases(
      GROUP,
      "a client on the director",
      {
        families: BOTH,
        setup: ["$iptables -t mangle -A OUTPUT -p tcp -d $V --dport 80 -j MARK --set-mark 7"],
      },
      MARKED,
      connects("V:5000 > V:80", 500),
      CONNECTIONS,
    ),
    ...hostCases(
      GROUP,
      "by a connection's state",
      {
        setup: [
          "$iptables -t mangle -A PREROUTING -p tcp -m conntrack --ctstate NEW --dport 80 -j MARK --set-mark 7",
        ],
      },
      MARKED,
      ...handshake("R2"),
      CONNECTIONS,
    ),
  ],
};
