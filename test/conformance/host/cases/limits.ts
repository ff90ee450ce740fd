/** How much the host tells, and what changes while packets flow. */
import {
  arrives,
  BOTH,
  CONNECTIONS,
  type HostCaseFile,
  hostCases,
  SERVICES,
  services,
  shell,
  waits,
} from "../host-case.ts";
import { handshake, NAT, ONE_NAT, UDP_NAT } from "./services.ts";

const RATES = "host, ICMP's limits";
const EDITS = "host, services that change";

const EMPTY = services("-A -t V:80 -s rr", "-A -u V:53 -s rr");
/** At once: what time gives is little. */
const FLOOD = { times: 30 } as const;
const FEW = { times: 3 } as const;
/** More than one message's time, less than two's. */
const ONE_MORE_MS = 1_200;

export const LIMITS: HostCaseFile = {
  features: {
    [RATES]: "How many ICMP errors the director sends: icmp_ratelimit, icmp_ratemask, IPv6's too",
    [EDITS]: "Services and servers that come and go while packets flow; expire_nodest_conn",
  },
  cases: [
    ...hostCases(
      RATES,
      "thirty SYNs to a service without a server",
      // IPv6 allows a network more than a host.
      { families: BOTH, setup: ["$ip route add $C via $X", "$ip route add $C2 via $X"] },
      EMPTY,
      arrives("wan", "C:1000 > V:80 S", FLOOD),
      waits(ONE_MORE_MS),
      arrives("wan", "C:1000 > V:80 S", FEW),
      // Another client has its own measure.
      arrives("wan", "C2:1000 > V:53 udp len 60", FLOOD),
    ),
    ...hostCases(
      RATES,
      "no limit, and a longer one",
      { families: BOTH, setup: ["sysctl -qw net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0"] },
      EMPTY,
      arrives("wan", "C:1000 > V:80 S", FLOOD),
      shell("sysctl -qw net.ipv4.icmp_ratelimit=20000 net.ipv6.icmp.ratelimit=20000"),
      arrives("wan", "C:1000 > V:80 S", FLOOD),
    ),
    ...hostCases(
      RATES,
      "no error of this kind is limited",
      { setup: ["sysctl -qw net.ipv4.icmp_ratemask=0"] },
      EMPTY,
      arrives("wan", "C:1000 > V:80 S", FLOOD),
    ),
    ...hostCases(
      RATES,
      "what does not fit, what is too old",
      { setup: ["$ip route add $R1 dev lan mtu 1400"] },
      ONE_NAT,
      arrives("wan", "C:1000 > V:80 S"),
      arrives("wan", "C:1000 > V:80 P. len 1500 df", FLOOD),
      arrives("wan", "C2:1000 > V:80 S ttl 1", FLOOD),
    ),
    ...hostCases(
      EDITS,
      "a server is removed, expire_nodest_conn=1",
      { families: BOTH },
      shell("vs-sysctl -q -w net.ipv4.vs.expire_nodest_conn=1"),
      NAT,
      ...handshake("R2"),
      ...handshake("R1", "C:1001"),
      shell("ipvsadm -d -t $at_V:80 -r $at_R2:80"),
      CONNECTIONS,
      arrives("wan", "C:1000 > V:80 P. len 100"),
      arrives("wan", "C:1001 > V:80 P. len 100"),
      CONNECTIONS,
    ),
    ...hostCases(
      EDITS,
      "a server is removed, expire_nodest_conn=0",
      {},
      NAT,
      ...handshake("R2"),
      shell("ipvsadm -d -t $at_V:80 -r $at_R2:80"),
      CONNECTIONS,
      arrives("wan", "C:1000 > V:80 P. len 100"),
      arrives("lan", "R2:80 > C:1000 P. len 100"),
      shell("ipvsadm -a -t $at_V:80 -r $at_R2:80 -m"),
      arrives("wan", "C:1000 > V:80 P. len 100"),
      CONNECTIONS,
      SERVICES,
    ),
    ...hostCases(
      EDITS,
      "a service goes and comes",
      {},
      NAT,
      UDP_NAT,
      ...handshake("R2"),
      shell("ipvsadm -D -t $at_V:80"),
      arrives("wan", "C:1000 > V:80 P. len 100"),
      arrives("lan", "R2:80 > C:1000 P. len 100"),
      arrives("wan", "C:1001 > V:80 S"),
      arrives("wan", "C:1000 > V:53 udp len 60"),
      CONNECTIONS,
      NAT,
      arrives("wan", "C:1001 > V:80 S"),
      CONNECTIONS,
    ),
    ...hostCases(
      EDITS,
      "all services are gone",
      {},
      NAT,
      ...handshake("R2"),
      shell("ipvsadm -C"),
      arrives("wan", "C:1000 > V:80 P. len 100"),
      arrives("lan", "R2:80 > C:1000 P. len 100"),
      arrives("wan", "C:1001 > V:80 S"),
      CONNECTIONS,
    ),
    ...hostCases(
      EDITS,
      "a service at an address that the host gets later",
      { families: BOTH },
      services("-A -t B:80 -s rr", "-a -t B:80 -r R1:80 -m"),
      arrives("wan", "C:1000 > B:80 S"),
      shell("$ip address add $B/$host dev lo $nodad"),
      arrives("wan", "C:1000 > B:80 S"),
      CONNECTIONS,
    ),
  ],
};
