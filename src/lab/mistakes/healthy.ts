/** The handbook's laboratories as lines, typed into hosts that have nothing but their cards. */
import type { ScenarioName } from "../network/plan.ts";
import { type Line, on } from "./mistake.ts";

export const VIP = "192.168.150.100";
export const SITE = `http://${VIP}/`;
/** The VIP of the laboratory with NAT. */
export const OUTSIDE_VIP = "203.0.113.100";
export const OUTSIDE_SITE = `http://${OUTSIDE_VIP}/`;
/** A client beyond the router, which is the first client, too: it has this address beside its own. */
export const FAR_CLIENT = "203.0.113.1";

/** As many requests as there are servers: with rr each gets one. */
export const ASK = `curl -sS -m 2 ${SITE} ${SITE}`;
export const BOTH_ANSWER = /^(?=[\s\S]*from 192\.168\.150\.12)(?=[\s\S]*from 192\.168\.150\.13)/;

export const HIDE_ADDRESSES =
  "sysctl -w net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2 net.ipv4.conf.eth0.arp_ignore=1 net.ipv4.conf.eth0.arp_announce=2";
export const HIDDEN_VIP = `ifconfig lo:2 ${VIP} netmask 255.255.255.255`;

const realServers = (...lines: readonly string[]): readonly Line[] =>
  (["node02", "node03"] as const).flatMap((host) => lines.map((line) => on(host, line)));

const oneWire = (forwarding: "-g" | "-i", ...hidden: readonly string[]): readonly Line[] => [
  on("client", `ip address add ${FAR_CLIENT}/32 dev lo`),
  on("node01", `ifconfig eth0:2 ${VIP}/24`),
  on("node01", "route add default gw 192.168.150.1"),
  ...realServers(HIDE_ADDRESSES, ...hidden, "route add default gw 192.168.150.1"),
  on("node01", `ipvsadm -A -t ${VIP}:80 -s rr`),
  on("node01", `ipvsadm -a -t ${VIP}:80 -r 192.168.150.12 ${forwarding} -w 1`),
  on("node01", `ipvsadm -a -t ${VIP}:80 -r 192.168.150.13 ${forwarding} -w 1`),
];

export const VIP6 = "fd00:150::100";
export const OUTSIDE_VIP6 = "2001:db8::100";

/** Neighbour discovery answers only for addresses that a card itself has: nothing on lo has to be hidden. */
const oneWireInet6 = (forwarding: "-g" | "-i", ...more: readonly string[]): readonly Line[] => [
  on("node01", `ip address add ${VIP6}/64 dev eth0 nodad`),
  ...realServers(
    `ip address add ${VIP6}/128 dev lo nodad`,
    ...more,
    "ip -6 route add default via fd00:150::1",
  ),
  on("node01", `ipvsadm -A -t [${VIP6}]:80 -s rr`),
  on("node01", `ipvsadm -a -t [${VIP6}]:80 -r [fd00:150::12]:80 ${forwarding} -w 1`),
  on("node01", `ipvsadm -a -t [${VIP6}]:80 -r [fd00:150::13]:80 ${forwarding} -w 1`),
];

/** The same laboratories over IPv6. */
export const HEALTHY_INET6: Readonly<Record<ScenarioName, readonly Line[]>> = {
  dr: oneWireInet6("-g"),
  tun: oneWireInet6("-i"),
  nat: [
    on("node01", `ip address add ${OUTSIDE_VIP6}/64 dev eth0 nodad`),
    on("node01", "sysctl -w net.ipv6.conf.all.forwarding=1"),
    ...realServers("ip -6 route add default via fd00:150::11"),
    on("node01", `ipvsadm -A -t [${OUTSIDE_VIP6}]:80 -s rr`),
    on("node01", `ipvsadm -a -t [${OUTSIDE_VIP6}]:80 -r [fd00:150::12]:8080 -m -w 1`),
    on("node01", `ipvsadm -a -t [${OUTSIDE_VIP6}]:80 -r [fd00:150::13]:8080 -m -w 1`),
  ],
};

export const HEALTHY: Readonly<Record<ScenarioName, readonly Line[]>> = {
  dr: oneWire("-g", HIDDEN_VIP),
  // An interface without any address takes nothing, be its filter loose (__fib_validate_source()).
  tun: oneWire(
    "-i",
    "sysctl -w net.ipv4.conf.tunl0.rp_filter=2",
    `ip address add ${VIP}/32 dev tunl0`,
  ),
  nat: [
    on("node01", `ifconfig eth0:2 ${OUTSIDE_VIP}/24`),
    on("node01", "sysctl -w net.ipv4.ip_forward=1"),
    ...realServers("route add default gw 192.168.150.11"),
    on("node01", `ipvsadm -A -t ${OUTSIDE_VIP}:80 -s rr`),
    on("node01", `ipvsadm -a -t ${OUTSIDE_VIP}:80 -r 192.168.150.12:8080 -m -w 1`),
    on("node01", `ipvsadm -a -t ${OUTSIDE_VIP}:80 -r 192.168.150.13:8080 -m -w 1`),
  ],
};
