/**
 * The door as text for nft(8): a table each for IPv4 and IPv6, in which packets are taken where the kernel's IPVS takes
 * them (ip_vs_ops[] in ip_vs_core.c), behind the host's own filters, and sent into the lane.
 *
 * A table of family `inet` would do for both, but refuses `dup`. Both have the same sets and chains.
 */
import type { Family } from "../../../net/address.ts";
import type { DoorEndpoint, DoorRules } from "./door-rules.ts";
import { ICMP_ERRORS } from "./door-rules.ts";
import { LANE_WAYS, type LaneWay, laneMac } from "./lane-frame.ts";

export const LANE_DEVICE = "sluice-lane";

/** Packets of local servers get this mark, which a routing rule leads into the lane. */
export const OUTPUT_MARK = 0x736c_6301;
/** What local servers sent and the director gave back: it is not taken a second time. */
export const PASSED_MARK = 0x736c_6302;

export const FAMILIES: readonly Family[] = ["inet", "inet6"];

/** What each family has its own word for. The lane's neighbours are link-local. */
// biome-ignore format: a table
const WORDS = {
  inet:  { hooks: "ip sluice",  wire: "netdev sluice",  ip: "ip",  address: "ipv4_addr", icmp: "icmp",   neighbours: "169.254.77.", fragment: "ip frag-off & 0x3fff != 0" },
  inet6: { hooks: "ip6 sluice", wire: "netdev sluice6", ip: "ip6", address: "ipv6_addr", icmp: "icmpv6", neighbours: "fe80::",      fragment: "exthdr frag exists" },
} as const;

/**
 * IPVS's hooks at LOCAL_IN have NF_IP_PRI_NAT_SRC - 2 and - 1, at FORWARD - 1 and 0, at LOCAL_OUT NF_IP_PRI_NAT_DST + 1
 * and + 2 (ip_vs_ops4[]).
 */
const PRIORITY = { input: 98, forward: 99, output: -99, postrouting: 300 } as const;

/** Behind the last packet to where a mark's packets go, in seconds: the longest of the default timeouts. */
const MARKED_SECONDS = 900;
const MARKED_MAX = 65_536;

/** The sets with the type of their elements; ADDRESS is the family's. */
// biome-ignore format: a table
const SETS = {
  services:         "ADDRESS . inet_proto . inet_service",
  everyPort:        "ADDRESS . inet_proto",
  serviceFragments: "ADDRESS . inet_proto",
  marks:            "mark",
  replies:          "ADDRESS . inet_proto . inet_service",
  replyEveryPort:   "ADDRESS . inet_proto",
  replyFragments:   "ADDRESS . inet_proto",
  errors:           "inet_proto",
  forwardedErrors:  "inet_proto",
  localReplies:     "ADDRESS . inet_proto . inet_service",
  localEveryPort:   "ADDRESS . inet_proto",
  localServers:     "ADDRESS",
  localDirect:      "ADDRESS . inet_service",
} as const;

type SetName = keyof typeof SETS;

/**
 * Where the tables stand. "hooks": where IPVS does. "wire", for kernels that cannot duplicate packets there: where frames
 * arrive, before all that the host does with them (a table of family netdev sends them on into the lane by `fwd`).
 */
export type Stand = "hooks" | "wire";

/** On the wire there are no marks, and nothing that the host sends. */
const NOT_AT: Readonly<Record<Stand, readonly SetName[]>> = {
  hooks: [],
  wire: [
    "marks",
    "localReplies",
    "localEveryPort",
    "localServers",
    "localDirect",
    "forwardedErrors",
  ],
};

const SETS_AT: Readonly<Record<Stand, readonly SetName[]>> = {
  hooks: setsAt("hooks"),
  wire: setsAt("wire"),
};

function setsAt(stand: Stand): SetName[] {
  return (Object.keys(SETS) as SetName[]).filter((name) => !NOT_AT[stand].includes(name));
}

/** The elements of each set of one table, as text. */
export type TableElements = Readonly<Record<SetName, ReadonlySet<string>>>;

export type DoorElements = Readonly<Record<Family, TableElements>>;

export function tableName(family: Family, stand: Stand): string {
  return WORDS[family][stand];
}

/** The address of a way's neighbour on the lane. */
export function neighbourOf(family: Family, { neighbour }: LaneWay): string {
  return `${WORDS[family].neighbours}${neighbour}`;
}

/** The command that makes a family's table, with empty sets. */
export function createTable(family: Family, stand: Stand): string {
  const { address } = WORDS[family];
  const sets = SETS_AT[stand].map(
    (name) => `set ${name} { type ${SETS[name].replace("ADDRESS", address)}; };`,
  );
  const marked = `set marked { type ${address} . inet_proto . inet_service; flags dynamic, timeout; timeout ${MARKED_SECONDS}s; size ${MARKED_MAX}; };`;
  const chains = stand === "hooks" ? chainsOf(family) : { arrivals: arrivalRules(family) };
  const parts = [
    ...sets,
    ...(stand === "hooks" ? [marked] : []),
    ...Object.entries(chains).map(([name, rules]) => `chain ${name} { ${rules.join("; ")}; };`),
  ];
  return `add table ${tableName(family, stand)} { flags owner; ${parts.join(" ")} }`;
}

/** The commands by which a "wire" table takes what arrives at an interface. */
export function watchDevice(family: Family, { index, name }: Device): string {
  const chain = `${tableName(family, "wire")} device_${index}`;
  const hook = `{ type filter hook ingress device ${JSON.stringify(name)} priority 0; }`;
  return `add chain ${chain} ${hook}; add rule ${chain} jump arrivals`;
}

/** Undoes watchDevice(). The kernel does so by itself when the interface goes. */
export function leaveDevice(family: Family, { index }: Device): string {
  const chain = `${tableName(family, "wire")} device_${index}`;
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
  const { ip, fragment } = WORDS[family];
  const errors = icmpErrors(family);
  // Packets of the lane have been here already.
  const isFromLane = `iifname "${LANE_DEVICE}" accept`;
  return {
    takeInput: take(family, LANE_WAYS.input, LANE_WAYS.inputDontFragment),
    takeForward: take(family, LANE_WAYS.forward, LANE_WAYS.forwardDontFragment),
    input: [
      `type filter hook input priority ${PRIORITY.input}`,
      isFromLane,
      // ip_vs_in_hook() leaves alone what was not sent to this host's own link-layer address.
      "meta pkttype != host accept",
      `${ip} daddr . meta l4proto . th dport @services goto takeInput`,
      `${ip} daddr . meta l4proto @everyPort goto takeInput`,
      // The input hook gets IPv4 put together. See also PUT_TOGETHER_INET6.
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
    output: [
      // Whose mark changes here is routed anew. A drop would tell the sending process of an error.
      `type route hook output priority ${PRIORITY.output}`,
      `meta mark ${PASSED_MARK} accept`,
      `oifname "${LANE_DEVICE}" accept`,
      `${ip} saddr . meta l4proto . th sport @localReplies meta mark set ${OUTPUT_MARK}`,
      `${ip} saddr . meta l4proto @localEveryPort meta mark set ${OUTPUT_MARK}`,
      // Of what needs no rewriting, only what changes a connection's state.
      `${ip} saddr . tcp sport @localDirect tcp flags & (fin | syn | rst) != 0 meta mark set ${OUTPUT_MARK}`,
      `meta l4proto @errors ${ip} saddr @localServers ${errors} meta mark set ${OUTPUT_MARK}`,
    ],
    ...(family === "inet" ? { postrouting: INET_POSTROUTING } : {}),
  };
}

/**
 * Has the kernel put IPv6 fragments together in prerouting, before filters see them, as IPVS does with the first IPv6
 * service (ip_vs_add_service()). nft's tproxy brings that with it (nf_defrag_ipv6_enable()); nothing matches its rule.
 */
export const PUT_TOGETHER_INET6 = [
  `add chain ${WORDS.inet6.hooks} prerouting { type filter hook prerouting priority -150; }`,
  `add rule ${WORDS.inet6.hooks} prerouting iifname "${LANE_DEVICE}" meta mark ${OUTPUT_MARK} meta l4proto tcp tproxy to :1`,
].join("; ");

/**
 * dup sets "don't fragment" in its copies (nf_dup_ipv4()), and then ip_fragment() would refuse those that came in pieces,
 * which it cuts anew. The bit is at 49 of the network header; which packets had it, the neighbour tells.
 */
const INET_POSTROUTING = [
  `type filter hook postrouting priority ${PRIORITY.postrouting}`,
  `oifname "${LANE_DEVICE}" meta mark != ${OUTPUT_MARK} @nh,49,1 set 0`,
];

function take(family: Family, way: LaneWay, dontFragment: LaneWay): string[] {
  const dup = (to: LaneWay): string =>
    `dup to ${neighbourOf(family, to)} device "${LANE_DEVICE}" drop`;
  return family === "inet"
    ? [`ip frag-off & 0x4000 != 0 ${dup(dontFragment)}`, dup(way)]
    : [dup(way)];
}

export function elementsOf(rules: DoorRules): DoorElements {
  return { inet: tableElements(rules, "inet"), inet6: tableElements(rules, "inet6") };
}

function tableElements(rules: DoorRules, family: Family): TableElements {
  const ofFamily = (endpoints: readonly DoorEndpoint[]): DoorEndpoint[] =>
    endpoints.filter(({ address }) => address.family === family);
  const services = ofFamily(rules.services);
  const replies = ofFamily(rules.replies);
  const localReplies = ofFamily(rules.localReplies);
  const marks = rules.marks.filter((mark) => mark.family === family);
  const icmp = new Set([WORDS[family].icmp === "icmp" ? "icmp" : "ipv6-icmp"]);
  const none = new Set<string>();
  return {
    services: texts(services.filter(hasPort)),
    everyPort: texts(services.filter(hasNoPort)),
    serviceFragments: texts(services.map((endpoint) => ({ ...endpoint, port: undefined }))),
    marks: new Set(marks.map(({ mark }) => `0x${mark.toString(16).padStart(8, "0")}`)),
    replies: texts(replies.filter(hasPort)),
    replyEveryPort: texts(replies.filter(hasNoPort)),
    replyFragments: texts(replies.map((endpoint) => ({ ...endpoint, port: undefined }))),
    errors: services.length + marks.length + replies.length > 0 ? icmp : none,
    // About requests to masqueraded servers, and about replies to what a mark brought.
    forwardedErrors: marks.length + replies.length > 0 ? icmp : none,
    localReplies: texts(localReplies.filter(hasPort)),
    localEveryPort: texts(localReplies.filter(hasNoPort)),
    localServers: new Set(localReplies.map(({ address }) => `${address}`)),
    localDirect: new Set(
      ofFamily(rules.localDirect)
        .filter(hasPort)
        .map(({ address, port }) => `${address} . ${port}`),
    ),
  };
}

export const NO_ELEMENTS: DoorElements = elementsOf({
  services: [],
  replies: [],
  marks: [],
  localReplies: [],
  localDirect: [],
});

/** A few elements of one set to be added or deleted. */
export interface Change {
  readonly verb: "add" | "delete";
  readonly family: Family;
  readonly set: SetName;
  readonly elements: readonly string[];
}

/** What leads from one state of the sets to another: additions first, so that at no time too little is taken. */
export function changesBetween(before: DoorElements, after: DoorElements, stand: Stand): Change[] {
  const names = SETS_AT[stand];
  const changes = (verb: Change["verb"], from: DoorElements, to: DoorElements): Change[] =>
    FAMILIES.flatMap((family) =>
      names.map((set) => ({
        verb,
        family,
        set,
        elements: [...to[family][set]].filter((text) => !from[family][set].has(text)),
      })),
    ).filter(({ elements }) => elements.length > 0);
  return [...changes("add", before, after), ...changes("delete", after, before)];
}

export function withChanges(before: DoorElements, changes: readonly Change[]): DoorElements {
  const after: Record<Family, Record<string, ReadonlySet<string>>> = {
    inet: { ...before.inet },
    inet6: { ...before.inet6 },
  };
  for (const { verb, family, set, elements } of changes) {
    const texts = new Set(after[family][set]);
    for (const text of elements) {
      if (verb === "add") texts.add(text);
      else texts.delete(text);
    }
    after[family][set] = texts;
  }
  return after as DoorElements;
}

export function commandFor({ verb, family, set, elements }: Change, stand: Stand): string {
  return `${verb} element ${tableName(family, stand)} ${set} { ${elements.join(", ")} }`;
}

function hasPort({ port }: DoorEndpoint): boolean {
  return port !== undefined;
}

function hasNoPort({ port }: DoorEndpoint): boolean {
  return port === undefined;
}

function texts(endpoints: readonly DoorEndpoint[]): ReadonlySet<string> {
  return new Set(
    endpoints.map(
      ({ address, protocol, port }) =>
        `${address} . ${protocol}${port === undefined ? "" : ` . ${port}`}`,
    ),
  );
}
