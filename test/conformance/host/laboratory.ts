/** The host that every case begins with, before its own set-up. */
import type { HostNames } from "./names.ts";
import { INTERFACES } from "./names.ts";

/**
 * Files below /proc/sys/net, `*` for all and default and every interface there is: a new namespace may have the values
 * of the first one (Documentation/admin-guide/sysctl/net.rst, devconf_inherit_init_net).
 */
export const SYSCTLS: Readonly<Record<string, string>> = {
  "ipv4/ip_forward": "1",
  "ipv6/conf/all/forwarding": "1",
  "ipv4/conf/*/rp_filter": "0",
  "ipv4/conf/*/accept_local": "0",
  "ipv4/conf/*/arp_ignore": "0",
  "ipv4/conf/*/arp_announce": "0",
  "ipv4/conf/*/send_redirects": "0",
  "ipv4/conf/*/accept_redirects": "0",
  "ipv4/conf/*/route_localnet": "0",
  "ipv4/conf/*/log_martians": "0",
  "ipv6/conf/*/accept_ra": "0",
  // Addresses are there at once.
  "ipv6/conf/*/dad_transmits": "0",
  "ipv6/conf/*/accept_dad": "0",
  "ipv6/conf/*/router_solicitations": "0",
  "ipv6/auto_flowlabels": "0",
};

// biome-ignore format: a table
const ADDRESSES: Readonly<Record<string, readonly string[]>> = {
  wan:  ["E.4/24", "E.6/64", "V.4/32", "V.6/128"],
  lan:  ["D.4/24", "D.6/64"],
  up:   ["U.4/24", "U.6/64"],
  tun0: ["T.4/24", "T.6/64"],
};

// biome-ignore format: a table
const ROUTES: readonly (readonly [prefix: string, gateway: string])[] = [
  ["10.9.0.0/16",   "X.4"],
  ["fd09::/16",     "X.6"],
  ["172.16.0.0/24", "Y.4"],
  ["fd16::/64",     "Y.6"],
];

/** Lines for `ip -batch`: lo, wan, lan and these wires are up, and have their addresses. */
export function batchOf(wires: readonly string[], names: HostNames): string[] {
  return [
    "link set lo up",
    ...wires.flatMap((wire) => [
      `link set dev ${wire} ${INTERFACES[wire] === undefined ? "" : `address ${INTERFACES[wire]}`} up`,
      ...(ADDRESSES[wire] ?? []).map((text) => {
        const [name = "", length] = text.split("/");
        return `address add ${names.address(name)}/${length} dev ${wire} ${name.endsWith("6") ? "nodad" : ""}`;
      }),
    ]),
    ...ROUTES.map(([prefix, gateway]) => `route add ${prefix} via ${names.address(gateway)}`),
  ];
}
