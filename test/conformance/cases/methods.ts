/** Services with one real server, by forwarding method and address families. */
import { type Case, restore, type Step } from "../case.ts";

export interface Method {
  readonly name: string;
  /** Where clients and the VIP are. */
  readonly family: 4 | 6;
  /** The real server, and the port that it listens on. */
  readonly server: string;
  readonly port: number;
  readonly option: string;
}

// biome-ignore format: a table
export const METHODS: readonly Method[] = [
  { name: "NAT",                         family: 4, server: "192.168.150.21", port: 8080, option: "-m" },
  { name: "NAT to the same port",        family: 4, server: "192.168.150.22", port: 80,   option: "-m" },
  { name: "NAT, IPv6",                   family: 6, server: "fd15::21",       port: 8080, option: "-m" },
  { name: "DR",                          family: 4, server: "192.168.150.21", port: 80,   option: "-g" },
  { name: "DR, IPv6",                    family: 6, server: "fd15::21",       port: 80,   option: "-g" },
  { name: "TUN ipip",                    family: 4, server: "192.168.150.21", port: 80,   option: "-i" },
  { name: "TUN ipip, IPv6 in IPv6",      family: 6, server: "fd15::21",       port: 80,   option: "-i" },
  { name: "TUN ipip, IPv4 in IPv6",      family: 4, server: "fd15::21",       port: 80,   option: "-i" },
  { name: "TUN ipip, IPv6 in IPv4",      family: 6, server: "192.168.150.21", port: 80,   option: "-i" },
  { name: "TUN gue",                     family: 4, server: "192.168.150.21", port: 80,   option: "-i --tun-type gue --tun-port 6080" },
  { name: "TUN gue csum",                family: 4, server: "192.168.150.21", port: 80,   option: "-i --tun-type gue --tun-port 6080 --tun-csum" },
  { name: "TUN gue remcsum",             family: 4, server: "192.168.150.21", port: 80,   option: "-i --tun-type gue --tun-port 6080 --tun-remcsum" },
  { name: "TUN gue, IPv6 in IPv6",       family: 6, server: "fd15::21",       port: 80,   option: "-i --tun-type gue --tun-port 6080" },
  { name: "TUN gue csum, IPv6 in IPv4",  family: 6, server: "192.168.150.21", port: 80,   option: "-i --tun-type gue --tun-port 6080 --tun-csum" },
  { name: "TUN gre",                     family: 4, server: "192.168.150.21", port: 80,   option: "-i --tun-type gre" },
  { name: "TUN gre csum",                family: 4, server: "192.168.150.21", port: 80,   option: "-i --tun-type gre --tun-csum" },
  { name: "TUN gre, IPv6 in IPv6",       family: 6, server: "fd15::21",       port: 80,   option: "-i --tun-type gre" },
  { name: "TUN gre csum, IPv6 in IPv4",  family: 6, server: "192.168.150.21", port: 80,   option: "-i --tun-type gre --tun-csum" },
];

/** Names in place of IPv6 addresses (place.ts). */
const IPV6_NAMES = ["VIP6", "CLIENT6"];

/** The text of one end of a packet. */
export function at(address: string, port: number): string {
  return address.includes(":") || IPV6_NAMES.includes(address)
    ? `[${address}]:${port}`
    : `${address}:${port}`;
}

export function vipOf({ family }: Method): string {
  return family === 4 ? "VIP" : "VIP6";
}

export function clientOf({ family }: Method): string {
  return family === 4 ? "CLIENT" : "CLIENT6";
}

export function begin(method: Method, protocol: "t" | "u", options = "-s rr"): Step {
  const { server, port, option } = method;
  const service = `-${protocol} ${at(vipOf(method), 80)}`;
  return restore(`-A ${service} ${options}`, `-a ${service} -r ${at(server, port)} ${option}`);
}

export function framesCase(
  group: string,
  name: string,
  steps: readonly Step[],
  sysctls: Case["sysctls"] = {},
): Case {
  return { group, name, compare: "frames", sysctls, steps };
}
