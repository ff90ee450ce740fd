/** Rules of the host's firewall behind the director. */
import {
  arrives,
  CONNECTIONS,
  counted,
  type HostCaseFile,
  hostCases,
  shell,
} from "../host-case.ts";
import { DIRECT, NAT } from "./services.ts";

const BEHIND = "host, rules behind the director";

export const FIREWALL_BEHIND: HostCaseFile = {
  features: { [BEHIND]: "The host's firewall behind the director: OUTPUT, POSTROUTING" },
  cases: [
    ...hostCases(
      BEHIND,
      "output and postrouting count and drop",
      {
        setup: [
          "$iptables -A OUTPUT -d $R1 -p tcp -j DROP",
          "$iptables -t mangle -A POSTROUTING -o lan -p tcp",
          "$iptables -t mangle -A POSTROUTING -s $V -o wan -p tcp -j DROP",
        ],
      },
      NAT,
      arrives("wan", "C:1000 > V:80 S"),
      arrives("lan", "R2:80 > C:1000 S."),
      arrives("wan", "C:1001 > V:80 S"),
      counted("filter", "OUTPUT"),
      counted("mangle", "POSTROUTING"),
      CONNECTIONS,
    ),
    ...hostCases(
      BEHIND,
      "full NAT: conntrack=1 and MASQUERADE",
      {
        setup: [
          "$iptables -t nat -A POSTROUTING -o lan -p tcp -d 192.168.150.0/24 --dport 80 -j MASQUERADE",
        ],
      },
      shell("vs-sysctl -q -w net.ipv4.vs.conntrack=1"),
      NAT,
      arrives("wan", "C:1000 > V:80 S"),
      arrives("lan", "R2:80 > D:1000 S."),
      CONNECTIONS,
    ),
    ...hostCases(
      BEHIND,
      "DR with MASQUERADE of everything that leaves",
      { setup: ["$iptables -t nat -A POSTROUTING -o lan -j MASQUERADE"] },
      DIRECT,
      arrives("wan", "C:1000 > V:80 S"),
      arrives("wan", "C:1000 > V:80 ."),
    ),
  ],
};
