/**
 * The door as text for nft(8): a table each for IPv4 and IPv6, in which packets are taken where the kernel's IPVS takes
 * them (ip_vs_ops[] in ip_vs_core.c), behind the host's own filters, and sent into the lane.
 *
 * A table of family `inet` would do for both, but refuses `dup`. Both have the same sets and chains.
 */
import type { Family } from "../../../net/address.ts";
import { ICMP_ERRORS } from "./door-rules.ts";
import { SETS, SETS_AT } from "./door-sets.ts";
import {
  LANE_DEVICE,
  OUTPUT_MARK,
  OWN_PRIORITY,
  type Place,
  tableName,
  WORDS,
} from "./door-words.ts";
import { LANE_WAYS, type LaneWay, laneMac } from "./lane-frame.ts";

/**
 * IPVS's hooks at LOCAL_IN have NF_IP_PRI_NAT_SRC - 2 and - 1, at FORWARD - 1 and 0, at LOCAL_OUT NF_IP_PRI_NAT_DST + 1
 * and + 2 (ip_vs_ops4[]).
 */
const PRIORITY = { arriving: -310, input: 98, forward: 99, output: -99, postrouting: 300 } as const;

/** Behind the last packet to where a mark's packets go, in seconds: the longest of the default timeouts. */
const MARKED_SECONDS = 900;
const MARKED_MAX = 65_536;

/** Where first packets were seen: the last field of the set SEEN's elements. */
export const SEEN_AT = { arriving: 1, taken: 2, fromHere: 3 } as const;
export const SEEN = "seen";
/** Behind the last one, in seconds. */
const SEEN_SECONDS = 300;
const SEEN_MAX = 1_024;

/** The address of a way's neighbour on the lane. */
export function neighbourOf(family: Family, { neighbour }: LaneWay): string {
  return `${WORDS[family].neighbours}${neighbour}`;
}

/** The command that makes a family's table, with empty sets. */
export function createTable(family: Family, place: Place): string {
  const { stand } = place;
  const { address } = WORDS[family];
  const sets = SETS_AT[stand].map(
    (name) =>
      `${name === "ranges" ? "map" : "set"} ${name} { type ${SETS[name].replace("ADDRESS", address)}; };`,
  );
  const marked = `set marked { type ${address} . inet_proto . inet_service; flags dynamic, timeout; timeout ${MARKED_SECONDS}s; size ${MARKED_MAX}; };`;
  const seen = `set ${SEEN} { type ${address} . inet_proto . inet_service . inet_service; flags dynamic, timeout; timeout ${SEEN_SECONDS}s; size ${SEEN_MAX}; };`;
  const chains = stand === "hooks" ? chainsOf(family) : { arrivals: arrivalRules(family) };
  const parts = [
    ...sets,
    ...(stand === "hooks" ? [marked, seen] : []),
    ...Object.entries(chains).map(([name, rules]) => `chain ${name} { ${rules.join("; ")}; };`),
  ];
  return `add table ${tableName(family, place)} { flags owner; ${parts.join(" ")} }`;
}

/** A priority as nft writes it: a traffic control class. */
function classId(priority: number): string {
  return `${(priority >>> 16).toString(16)}:${(priority & 0xffff).toString(16)}`;
}

/**
 * Commands that make a table of the family, with a rule that duplicates, and remove it: whether the kernel can. Without
 * `duplicates` the family alone is tried.
 */
export function probe(family: Family, duplicates: boolean): string {
  const table = `${WORDS[family].ip} sluice_probe`;
  const rules = duplicates ? take(family, LANE_WAYS.input, LANE_WAYS.inputDontFragment) : [];
  const chain = `chain probe { ${rules.map((rule) => `${rule};`).join(" ")} };`;
  return `add table ${table} { flags owner; ${chain} }; delete table ${table}`;
}

/** The commands by which a "wire" table takes what arrives at an interface. */
export function watchDevice(family: Family, place: Place, { index, name }: Device): string {
  const chain = `${tableName(family, place)} device_${index}`;
  const hook = `{ type filter hook ingress device ${JSON.stringify(name)} priority 0; }`;
  return `add chain ${chain} ${hook}; add rule ${chain} jump arrivals`;
}

/** Undoes watchDevice(). The kernel does so by itself when the interface goes. */
export function leaveDevice(family: Family, place: Place, { index }: Device): string {
  const chain = `${tableName(family, place)} device_${index}`;
  return `flush chain ${chain}; delete chain ${chain}`;
}

export interface Device {
  readonly index: number;
  readonly name: string;
}

/** What a "wire" table does with what arrives. Whether it is for the host is for the director to find out. */
function arrivalRules(family: Family): string[] {
  const { ip, fragment } = WORDS[family];
  const mac = [...laneMac(LANE_WAYS.wire)].map((byte) => byte.toString(16).padStart(2, "0"));
  const take = `ether daddr set ${mac.join(":")} fwd to "${LANE_DEVICE}"`;
  return [
    "meta pkttype != host return",
    `${ip} daddr . meta l4proto . th dport @services ${take}`,
    `${ip} daddr . meta l4proto @everyPort ${take}`,
    `${fragment} ${ip} daddr . meta l4proto @serviceFragments ${take}`,
    `${ip} saddr . meta l4proto . th sport @replies ${take}`,
    `${ip} saddr . meta l4proto @replyEveryPort ${take}`,
    `${fragment} ${ip} saddr . meta l4proto @replyFragments ${take}`,
    `meta l4proto @errors ${icmpErrors(family)} ${take}`,
  ];
}

function icmpErrors(family: Family): string {
  return `${WORDS[family].icmp} type { ${ICMP_ERRORS[family].join(", ")} }`;
}

function chainsOf(family: Family): Readonly<Record<string, readonly string[]>> {
  const { ip, network, fragment, header } = WORDS[family];
  const errors = icmpErrors(family);
  // Packets of the lane have been here already.
  const isFromLane = `iifname "${LANE_DEVICE}" accept`;
  return {
    seeArriving: see(family, SEEN_AT.arriving),
    seeFromHere: see(family, SEEN_AT.fromHere),
    seeTaken: ['iifname "lo" jump seeFromHere', ...see(family, SEEN_AT.taken)],
    dupInput: take(family, LANE_WAYS.input, LANE_WAYS.inputDontFragment),
    takeInput: [`${NOT_FIRST} goto dupInput`, `${MAY_BE_FIRST} jump seeTaken`, "goto dupInput"],
    takeForward: take(family, LANE_WAYS.forward, LANE_WAYS.forwardDontFragment),
    // After the kernel has put fragments together, before all that may drop.
    arriving: [
      `type filter hook prerouting priority ${PRIORITY.arriving}`,
      `${NOT_FIRST} accept`,
      isFromLane,
      "meta pkttype != host accept",
      `${MAY_BE_FIRST} goto seeArriving`,
    ],
    input: [
      `type filter hook input priority ${PRIORITY.input}`,
      isFromLane,
      // ip_vs_in_hook() leaves alone what was not sent to this host's own link-layer address.
      "meta pkttype != host accept",
      `${ip} daddr . meta l4proto . th dport @services goto takeInput`,
      // A range's ports, but those of services of their own, are a mark's (ipvs/desired/port-range.ts). Where nft turns
      // `meta l4proto` round for a set with ranges, Linux 6.12 refuses that of a single byte (EOPNOTSUPP).
      `meta mark set ${ip} daddr . ${ip} ${header} . th dport map @ranges`,
      `${ip} daddr . meta l4proto @everyPort goto takeInput`,
      // The input hook gets IPv4 put together. See also putTogetherInet6().
      `${fragment} ${ip} daddr . meta l4proto @serviceFragments goto takeInput`,
      // A mark's connection goes on when only its first packet was marked (connection marks): so it is kept in mind for a
      // while where marked packets went.
      `meta mark @marks meta l4proto { tcp, udp, sctp } update @marked { ${ip} daddr . meta l4proto . th dport } goto takeInput`,
      "meta mark @marks meta l4proto { tcp, udp, sctp } goto takeInput",
      `${ip} daddr . meta l4proto . th dport @marked goto takeInput`,
      `${ip} saddr . meta l4proto . th sport @replies goto takeInput`,
      `${ip} saddr . meta l4proto @replyEveryPort goto takeInput`,
      `meta l4proto @errors ${errors} goto takeInput`,
    ],
    forward: [
      `type filter hook forward priority ${PRIORITY.forward}`,
      // Nothing's way leads through the lane but what is duplicated into it: it would come back, and go in again, for ever.
      `oifname "${LANE_DEVICE}" drop`,
      isFromLane,
      `${ip} saddr . meta l4proto . th sport @replies goto takeForward`,
      `${ip} saddr . meta l4proto @replyEveryPort goto takeForward`,
      // Only the first of a packet's fragments has ports, and they must stay together.
      `${fragment} ${ip} saddr . meta l4proto @replyFragments goto takeForward`,
      // Of direct routing's and tunnels' servers, should the host be their gateway: their connections are seen whole then.
      `${ip} saddr . meta l4proto . th sport @services goto takeForward`,
      `${ip} saddr . meta l4proto @everyPort goto takeForward`,
      `${fragment} ${ip} saddr . meta l4proto @serviceFragments goto takeForward`,
      `${ip} saddr . meta l4proto . th sport @marked goto takeForward`,
      `meta l4proto @forwardedErrors ${errors} goto takeForward`,
    ],
    // Nothing of the host's own goes to the lane's neighbours.
    intoLane: [`${ip} daddr ${network} drop`, ...(family === "inet" ? [INET_DONT_FRAGMENT] : [])],
    postrouting: [
      `type filter hook postrouting priority ${PRIORITY.postrouting}`,
      `oifname "${LANE_DEVICE}" goto intoLane`,
      // Without the lane, when this process has gone, local servers' replies would leave untranslated. Those to the host
      // itself go round by the loopback, and are taken at the input hook.
      `meta mark ${OUTPUT_MARK} oifname != "lo" drop`,
    ],
  };
}

/** What begins no connection: nearly all of TCP's packets, so it is asked first, and nothing more of them. */
const NOT_FIRST = "tcp flags & (syn | ack) != syn";
/** Behind that. */
const MAY_BE_FIRST = "meta l4proto { tcp, udp, sctp }";

/** Counts a packet of a service's: how far first packets come shows whether the host lets them (arrivals.ts). */
function see(family: Family, where: number): string[] {
  const { ip } = WORDS[family];
  const endpoint = `${ip} daddr . meta l4proto`;
  const count = (port: string): string =>
    `update @${SEEN} { ${endpoint} . ${port} . ${where} counter }`;
  return [
    `${endpoint} . th dport @services ${count("th dport")}`,
    `${endpoint} @everyPort ${count("0")}`,
  ];
}

/**
 * Takes what the host's own servers send. Only where there are some: what is duplicated into the lane passes the output
 * hook, too, packet by packet.
 */
export function takeOutput(family: Family, place: Place): string {
  const table = tableName(family, place);
  const { ip } = WORDS[family];
  const mark = `meta mark set ${OUTPUT_MARK}`;
  const rules = [
    `oifname "${LANE_DEVICE}" accept`,
    `meta priority ${classId(OWN_PRIORITY)} accept`,
    `${ip} saddr . meta l4proto . th sport @localReplies ${mark}`,
    `${ip} saddr . meta l4proto @localEveryPort ${mark}`,
    // Of what needs no rewriting, only what changes a connection's state.
    `${ip} saddr . tcp sport @localDirect tcp flags & (fin | syn | rst) != 0 ${mark}`,
    `meta l4proto @errors ${ip} saddr @localServers ${icmpErrors(family)} ${mark}`,
  ];
  return [
    // Whose mark changes here is routed anew. A drop would tell the sending process of an error.
    `add chain ${table} output { type route hook output priority ${PRIORITY.output}; }`,
    ...rules.map((rule) => `add rule ${table} output ${rule}`),
  ].join("; ");
}

/**
 * Has the kernel put IPv6 fragments together in prerouting, before filters see them, as IPVS does with the first IPv6
 * service (ip_vs_add_service()). nft's tproxy brings that with it (nf_defrag_ipv6_enable()); nothing matches its rule.
 */
export function putTogetherInet6(place: Place): string {
  const table = tableName("inet6", place);
  return [
    `add chain ${table} prerouting { type filter hook prerouting priority -150; }`,
    `add rule ${table} prerouting iifname "${LANE_DEVICE}" meta mark ${OUTPUT_MARK} meta l4proto tcp tproxy to :1`,
  ].join("; ");
}

/**
 * dup sets "don't fragment" in its copies (nf_dup_ipv4()), and then ip_fragment() would refuse those that came in pieces,
 * which it cuts anew. The bit is at 49 of the network header; which packets had it, the neighbour tells.
 */
const INET_DONT_FRAGMENT = `meta mark != ${OUTPUT_MARK} @nh,49,1 set 0`;

function take(family: Family, way: LaneWay, dontFragment: LaneWay): string[] {
  const dup = (to: LaneWay): string =>
    `dup to ${neighbourOf(family, to)} device "${LANE_DEVICE}" drop`;
  return family === "inet"
    ? [`ip frag-off & 0x4000 != 0 ${dup(dontFragment)}`, dup(way)]
    : [dup(way)];
}
