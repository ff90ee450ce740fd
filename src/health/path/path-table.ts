/**
 * The path's tables as text for nft(8).
 *
 * What a probe's socket sends to a server gets a mark at the output hook, so that nothing forwarded is ever taken for it.
 * The server's link-layer address is looked for as ever; then, where frames leave, the destination becomes the VIP (at
 * postrouting that would be too early: the kernel would look for the VIP's neighbour). Where the reply arrives its source,
 * which is an address of this host's own, becomes the server's again, before the host takes it for a martian
 * (fib_validate_source()). No rule is about one probe: paths are elements of maps.
 *
 * An echo request of ICMP has an identifier in the place of the port, and maps of its own.
 *
 * What goes through a tunnel goes another way from there: to tunnel-wrapper.ts, which wraps it as the director would.
 *
 * What ICMP tells of such a packet speaks of the VIP, too, and no socket would hear it. So the packet that it quotes is
 * rewritten as the reply is.
 */
import type { Address, Family } from "../../net/address.ts";
import { combine, complement, sum } from "../../net/checksum.ts";
import type { PathWithPorts, PortRange } from "./vip-path.ts";

/** Beside the door's (OUTPUT_MARK), with none of the bits that others are known to look at. */
export const PROBE_MARK = 0x2054;

/** What goes into a tunnel leaves by this interface, for tunnel-wrapper.ts. */
export const WRAPPING_DEVICE = "sluice-probes";

/** Of family `inet`, where hosts send; of family `netdev`, where frames leave and arrive. */
export const MARKING = "inet sluice_probes";
export const REWRITING = "netdev sluice_probes";

/** Behind everything that might set another mark. */
const OUTPUT_PRIORITY = 300;
const EGRESS_PRIORITY = 0;
/** Before the door's, should it stand on the wire. */
const INGRESS_PRIORITY = -300;

/**
 * Of TCP's payload in tunnelled packets: with any headers around it fits what every link of IPv6 carries (1280 bytes, RFC
 * 8200). Servers' replies say it in their name (RFC 9293 section 3.7.1).
 */
const TUNNELLED_SEGMENT = 1_160;

const FAMILIES: readonly Family[] = ["inet", "inet6"];

/**
 * What ICMP errors quote begins behind 8 bytes: at which bits there are the quoted packet's destination and source port,
 * if its header has no options. The word before is unused where something could not be reached (RFC 792, RFC 4443).
 */
// biome-ignore format: a table
const WORDS = {
  inet:  { ip: "ip",  icmp: "icmp",   address: "ipv4_addr", quoted: "@th,192,32",  quotedPort: "@th,224,16", errors: "icmp type destination-unreachable @th,64,8 0x45" },
  inet6: { ip: "ip6", icmp: "icmpv6", address: "ipv6_addr", quoted: "@th,256,128", quotedPort: "@th,384,16", errors: "icmpv6 type destination-unreachable @th,112,8 { 6, 17 }" },
} as const;
const UNUSED = "@th,32,32";
const UNUSED_LOW = "@th,48,16";

export interface Device {
  readonly index: number;
  readonly name: string;
}

/** The commands that make the tables, without paths and devices. */
export function createTables({ first, last }: PortRange): string {
  const servers = FAMILIES.map((f) => `set servers_${f} { type ${WORDS[f].address}; };`);
  const own = FAMILIES.map(
    (f) => `${WORDS[f].ip} daddr @servers_${f} meta mark set ${PROBE_MARK} accept;`,
  );
  const probes = `meta l4proto { tcp, udp } th`;
  const pings = FAMILIES.map(
    (f) => `${WORDS[f].icmp} type echo-request ${WORDS[f].icmp} id ${first}-${last} goto own;`,
  );
  const echoes = FAMILIES.map((f) => `${WORDS[f].icmp} type echo-reply goto echoed;`);
  return [
    `add table ${MARKING} { flags owner; ${servers.join(" ")} chain own { ${own.join(" ")} }; chain output { type filter hook output priority ${OUTPUT_PRIORITY}; ${probes} sport ${first}-${last} goto own; ${pings.join(" ")} }; }`,
    `add table ${REWRITING} { flags owner; ${FAMILIES.map(mapsOf).join(" ")} chain wrap { }; chain leaving { ${FAMILIES.flatMap(leavingRules).join(" ")} }; chain arriving { ${FAMILIES.flatMap(arrivingRules).join(" ")} }; chain echoed { ${FAMILIES.map(echoRule).join(" ")} }; chain errors { ${FAMILIES.flatMap(errorRules).join(" ")} }; chain back { ${probes} dport ${first}-${last} goto arriving; ${echoes.join(" ")} icmp type destination-unreachable goto errors; icmpv6 type destination-unreachable goto errors; }; }`,
  ].join("; ");
}

function mapsOf(family: Family): string {
  const { address, quoted, quotedPort, ip, icmp } = WORDS[family];
  const key = `${address} . inet_service`;
  return [
    `map out_${family} { type ${key} : ${address}; };`,
    `map back_${family} { type ${key} : ${address}; };`,
    `set tunnelled_${family} { type ${key}; };`,
    `map ping_out_${family} { typeof ${ip} daddr . ${icmp} id : ${ip} daddr; };`,
    `map ping_back_${family} { typeof ${ip} saddr . ${icmp} id : ${ip} saddr; };`,
    `set ping_tunnelled_${family} { typeof ${ip} daddr . ${icmp} id; };`,
    `map teller_${family} { typeof ${ip} saddr . ${quotedPort} : ${ip} saddr; };`,
    `map quoted_${family} { typeof ${quoted} . ${quotedPort} : ${quoted}; };`,
    `map difference_${family} { typeof ${quoted} . ${quotedPort} : ${UNUSED_LOW}; };`,
  ].join(" ");
}

function leavingRules(family: Family): string[] {
  const { ip, icmp } = WORDS[family];
  const ping = `${icmp} type echo-request ${ip} daddr`;
  return [
    `${ping} . ${icmp} id @ping_tunnelled_${family} goto wrap;`,
    `${ping} set ${ip} daddr . ${icmp} id map @ping_out_${family} accept;`,
    `${ip} daddr . th sport @tunnelled_${family} goto wrap;`,
    `${ip} daddr set ${ip} daddr . th sport map @out_${family} accept;`,
  ];
}

function arrivingRules(family: Family): string[] {
  const { ip } = WORDS[family];
  return [
    `tcp flags & syn == syn ${ip} saddr . th dport @tunnelled_${family} tcp option maxseg size set ${TUNNELLED_SEGMENT};`,
    `${ip} saddr set ${ip} saddr . th dport map @back_${family} accept;`,
  ];
}

function echoRule(family: Family): string {
  const { ip, icmp } = WORDS[family];
  return `${ip} saddr set ${ip} saddr . ${icmp} id map @ping_back_${family} accept;`;
}

/** What goes into tunnels leaves by WRAPPING_DEVICE, which must be there. */
export function startWrapping(): string {
  return FAMILIES.flatMap((family) => {
    const { ip, icmp } = WORDS[family];
    const setting = `${ip} daddr set ${ip} daddr`;
    return [
      `${icmp} type echo-request ${setting} . ${icmp} id map @ping_out_${family}`,
      `${setting} . th sport map @out_${family}`,
    ].map((rule) => `add rule ${REWRITING} wrap ${rule} fwd to "${WRAPPING_DEVICE}"`);
  }).join("; ");
}

/**
 * nft knows no checksum of what is quoted. The unused word takes up the difference, so that ICMP's stays true; the host
 * does not look at it (icmp_unreach(), icmpv6_err_convert()).
 */
function errorRules(family: Family): string[] {
  const { ip, errors, quoted, quotedPort } = WORDS[family];
  const match = `${errors} ${UNUSED} 0`;
  const key = `${quoted} . ${quotedPort}`;
  return [
    // The server itself tells, from the VIP: as a martian it would not be heard.
    `${match} ${ip} saddr set ${ip} saddr . ${quotedPort} map @teller_${family};`,
    `${match} ${UNUSED_LOW} set ${key} map @difference_${family} ${quoted} set ${key} map @quoted_${family} accept;`,
  ];
}

/** Has what leaves and arrives by this interface rewritten. */
export function watchDevice({ index, name }: Device): string {
  const device = JSON.stringify(name);
  const at = (hook: string, priority: number): string =>
    `type filter hook ${hook} device ${device} priority ${priority};`;
  return [
    `add chain ${REWRITING} leaving_${index} { ${at("egress", EGRESS_PRIORITY)} }`,
    `add rule ${REWRITING} leaving_${index} meta mark ${PROBE_MARK} goto leaving`,
    `add chain ${REWRITING} arriving_${index} { ${at("ingress", INGRESS_PRIORITY)} }`,
    `add rule ${REWRITING} arriving_${index} goto back`,
  ].join("; ");
}

/** Undoes watchDevice(). The kernel does so by itself when the interface goes. */
export function leaveDevice({ index }: Device): string {
  return ["leaving", "arriving"]
    .map((way) => `${REWRITING} ${way}_${index}`)
    .map((chain) => `flush chain ${chain}; delete chain ${chain}`)
    .join("; ");
}

/** Elements by the set or map that they are in, as nft names it: `netdev sluice_probes out_inet`. */
export type Elements = ReadonlyMap<string, ReadonlySet<string>>;

export function elementsOf(paths: readonly PathWithPorts[]): Elements {
  const elements = new Map<string, Set<string>>();
  const put = (set: string, element: string): void => {
    const there = elements.get(set);
    if (there === undefined) elements.set(set, new Set([element]));
    else there.add(element);
  };
  for (const { vip, server, tunnel, isPing, ports } of paths) {
    const { family } = vip;
    const [from, to] = [vip.toString(), server.toString()];
    const difference = combine(sumOf(vip), complement(sumOf(server)));
    put(`${MARKING} servers_${family}`, to);
    if (isPing) {
      for (const id of ports) {
        put(`${REWRITING} ping_out_${family}`, `${to} . ${id} : ${from}`);
        put(`${REWRITING} ping_back_${family}`, `${from} . ${id} : ${to}`);
        if (tunnel !== undefined) put(`${REWRITING} ping_tunnelled_${family}`, `${to} . ${id}`);
      }
      continue;
    }
    for (const port of ports) {
      put(`${REWRITING} out_${family}`, `${to} . ${port} : ${from}`);
      put(`${REWRITING} back_${family}`, `${from} . ${port} : ${to}`);
      put(`${REWRITING} teller_${family}`, `${from} . ${port} : ${to}`);
      if (tunnel !== undefined) {
        put(`${REWRITING} tunnelled_${family}`, `${to} . ${port}`);
        put(`${REWRITING} tunnelled_${family}`, `${from} . ${port}`);
      }
      const key = `0x${hex(vip.bytes())} . ${port}`;
      put(`${REWRITING} quoted_${family}`, `${key} : 0x${hex(server.bytes())}`);
      put(`${REWRITING} difference_${family}`, `${key} : ${difference}`);
    }
  }
  return elements;
}

function sumOf(address: Address): number {
  const bytes = address.bytes();
  return sum(bytes, 0, bytes.length);
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
