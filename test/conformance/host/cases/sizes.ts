/** How much fits: MTU of routes and links, what was learnt of paths. */
import { arrives, BOTH, type HostCaseFile, hostCases, services, shell } from "../host-case.ts";
import { handshake, ONE_DIRECT, ONE_NAT, UDP_NAT } from "./services.ts";

const GROUP = "host, sizes";

/** The MTU of a path, as the host has learnt it. */
const LEARNT = shell("$ip route get $S1 | grep -o 'mtu [0-9]*' || echo nothing learnt");

export const SIZES: HostCaseFile = {
  features: {
    [GROUP]: "MTU of routes and links to servers and clients; what tunnels learn of their paths",
  },
  cases: [
    ...hostCases(
      GROUP,
      "a route's MTU to a server, NAT",
      { families: BOTH, setup: ["$ip route add $R1 dev lan mtu 1400"] },
      ONE_NAT,
      UDP_NAT,
      ...handshake("R1"),
      arrives("wan", "C:1000 > V:80 P. len 1500 df"),
      arrives("wan", "C:1000 > V:80 P. len 1400 df"),
      arrives("wan", "C:1000 > V:53 udp len 1500"),
    ),
    ...hostCases(
      GROUP,
      "a route's MTU to a server, DR",
      { families: BOTH, setup: ["$ip route add $R1 dev lan mtu 1400"] },
      ONE_DIRECT,
      arrives("wan", "C:1000 > V:80 S"),
      arrives("wan", "C:1000 > V:80 P. len 1500 df"),
      arrives("wan", "C:1000 > V:80 P. len 1500"),
    ),
    ...hostCases(
      GROUP,
      "a link's MTU that changes in mid-connection",
      {},
      ONE_NAT,
      ...handshake("R1"),
      arrives("wan", "C:1000 > V:80 P. len 1500 df"),
      shell("ip link set lan mtu 1400"),
      arrives("wan", "C:1000 > V:80 P. len 1500 df"),
      shell("ip link set lan mtu 1500"),
      arrives("wan", "C:1000 > V:80 P. len 1500 df"),
    ),
    ...hostCases(
      GROUP,
      "a route's MTU to a client",
      { setup: ["$ip route add $C via $X mtu 1400"] },
      ONE_NAT,
      UDP_NAT,
      ...handshake("R1"),
      arrives("lan", "R1:80 > C:1000 P. len 1500 df"),
      arrives("wan", "C:1000 > V:53 udp len 100"),
      arrives("lan", "R1:53 > C:1000 udp len 1500"),
    ),
    ...hostCases(
      GROUP,
      "a link's MTU to a client",
      { setup: ["ip link set wan mtu 1400"] },
      ONE_NAT,
      UDP_NAT,
      ...handshake("R1"),
      arrives("lan", "R1:80 > C:1000 P. len 1500 df"),
      arrives("wan", "C:1000 > V:53 udp len 100"),
      arrives("lan", "R1:53 > C:1000 udp len 1500"),
    ),
    ...hostCases(
      GROUP,
      "a tunnel",
      {},
      services("-A -t V:80 -s rr", "-a -t V:80 -r S1:80 -i"),
      arrives("wan", "C:1000 > V:80 S"),
      arrives("wan", "C:1000 > V:80 P. len 1500 df"),
      arrives("wan", "C:1000 > V:80 P. len 1480 df"),
    ),
    ...hostCases(
      GROUP,
      "what a tunnel learns is the host's",
      {},
      services("-A -t V:80 -s rr", "-a -t V:80 -r S1:80 -i"),
      arrives("wan", "C:1000 > V:80 S"),
      LEARNT,
      arrives("wan", "C:1000 > V:80 P. len 1480 df"),
      arrives("lan", "Y > D too-big mtu 1300 about D > S1 in ipip C:1000 > V:80 P. len 1480 df"),
      LEARNT,
      arrives("wan", "C:1000 > V:80 P. len 1480 df"),
      arrives("wan", "C:1000 > V:80 P. len 1280 df"),
    ),
  ],
};
