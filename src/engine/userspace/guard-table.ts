/** The guard's nftables table as text: nft(8). */
import type { GuardEndpoint, GuardRules } from "./guard-rules.ts";
import { FRAGMENT, GUARD_TABLE, ICMP_ERROR_TYPES } from "./guard-words.ts";

/**
 * The sets, with the type of their elements. A conversation is found whole by its port or by having any; of a later
 * fragment, which has no ports, only the address is known, and of an ICMP error about a conversation, too.
 */
// biome-ignore format: a table
const SETS = {
  services4:  "ipv4_addr . inet_proto . inet_service",
  services6:  "ipv6_addr . inet_proto . inet_service",
  everyPort4: "ipv4_addr . inet_proto",
  everyPort6: "ipv6_addr . inet_proto",
  fragments4: "ipv4_addr . inet_proto",
  fragments6: "ipv6_addr . inet_proto",
  replies4:   "ipv4_addr . inet_proto . inet_service",
  replies6:   "ipv6_addr . inet_proto . inet_service",
  replyEveryPort4: "ipv4_addr . inet_proto",
  replyEveryPort6: "ipv6_addr . inet_proto",
  replyFragments4: "ipv4_addr . inet_proto",
  replyFragments6: "ipv6_addr . inet_proto",
  servers4:   "ipv4_addr",
  servers6:   "ipv6_addr",
  exempt:     "ifname",
} as const;

type SetName = keyof typeof SETS;

/** The elements of each set, as text. */
export type GuardElements = Readonly<Record<SetName, ReadonlySet<string>>>;

/**
 * Before connection tracking puts fragments together (-400), so that a fragment is one here whether the host tracks
 * connections or not; and so before the raw table (-300) and all filters. The first three rules leave alone what the
 * packet ring does not receive either.
 */
function rules(hasFib: boolean): string {
  return [
    "type filter hook prerouting priority -450; policy accept",
    "meta iiftype != ether accept",
    "meta pkttype != host accept",
    "iifname @exempt accept",
    "ip daddr . meta l4proto . th dport @services4 drop",
    "ip6 daddr . meta l4proto . th dport @services6 drop",
    "ip daddr . meta l4proto @everyPort4 drop",
    "ip6 daddr . meta l4proto @everyPort6 drop",
    `${FRAGMENT.inet} ip daddr . meta l4proto @fragments4 drop`,
    `${FRAGMENT.inet6} ip6 daddr . meta l4proto @fragments6 drop`,
    // The host's own conversations with a server are none of ours.
    ...(hasFib ? ["fib daddr type local accept"] : []),
    "ip saddr . meta l4proto . th sport @replies4 drop",
    "ip6 saddr . meta l4proto . th sport @replies6 drop",
    "ip saddr . meta l4proto @replyEveryPort4 drop",
    "ip6 saddr . meta l4proto @replyEveryPort6 drop",
    `${FRAGMENT.inet} ip saddr . meta l4proto @replyFragments4 drop`,
    `${FRAGMENT.inet6} ip6 saddr . meta l4proto @replyFragments6 drop`,
    `ip saddr @servers4 ${ICMP_ERROR_TYPES.inet} drop`,
    `ip6 saddr @servers6 ${ICMP_ERROR_TYPES.inet6} drop`,
  ].join("; ");
}

/** The command that makes the table, empty. `hasFib`: whether this kernel can look up what an address is. */
export function createTable(hasFib: boolean): string {
  const sets = Object.entries(SETS).map(([name, type]) => `set ${name} { type ${type}; };`);
  const chain = `chain prerouting { ${rules(hasFib)}; };`;
  return `add table ${GUARD_TABLE} { flags owner; ${sets.join(" ")} ${chain} }`;
}

export function elementsOf({ services, replies, exemptInterfaces }: GuardRules): GuardElements {
  const withPort = ({ port }: GuardEndpoint): boolean => port !== undefined;
  const everyPort = ({ port }: GuardEndpoint): boolean => port === undefined;
  const [services4, services6] = byFamily(services);
  const [replies4, replies6] = byFamily(replies);
  return {
    services4: texts(services4.filter(withPort)),
    services6: texts(services6.filter(withPort)),
    everyPort4: texts(services4.filter(everyPort)),
    everyPort6: texts(services6.filter(everyPort)),
    fragments4: hosts(services4),
    fragments6: hosts(services6),
    replies4: texts(replies4.filter(withPort)),
    replies6: texts(replies6.filter(withPort)),
    replyEveryPort4: texts(replies4.filter(everyPort)),
    replyEveryPort6: texts(replies6.filter(everyPort)),
    replyFragments4: hosts(replies4),
    replyFragments6: hosts(replies6),
    servers4: addresses(replies4),
    servers6: addresses(replies6),
    exempt: new Set(exemptInterfaces.map((name) => JSON.stringify(name))),
  };
}

export const NO_ELEMENTS: GuardElements = elementsOf({
  services: [],
  replies: [],
  exemptInterfaces: [],
});

/** A few elements of one set to be added or deleted. */
export interface Change {
  readonly verb: "add" | "delete";
  readonly set: SetName;
  readonly elements: readonly string[];
}

/** What leads from one state of the sets to another: additions first, so that at no time too little is guarded. */
export function changesBetween(before: GuardElements, after: GuardElements): Change[] {
  const names = Object.keys(SETS) as SetName[];
  const changes = (verb: Change["verb"], from: GuardElements, to: GuardElements): Change[] =>
    names
      .map((set) => ({ verb, set, elements: [...to[set]].filter((text) => !from[set].has(text)) }))
      .filter(({ elements }) => elements.length > 0);
  return [...changes("add", before, after), ...changes("delete", after, before)];
}

export function commandFor({ verb, set, elements }: Change): string {
  return `${verb} element ${GUARD_TABLE} ${set} { ${elements.join(", ")} }`;
}

function byFamily(endpoints: readonly GuardEndpoint[]): [GuardEndpoint[], GuardEndpoint[]] {
  return [
    endpoints.filter(({ address }) => address.family === "inet"),
    endpoints.filter(({ address }) => address.family === "inet6"),
  ];
}

function hosts(endpoints: readonly GuardEndpoint[]): ReadonlySet<string> {
  return texts(endpoints.map((endpoint) => ({ ...endpoint, port: undefined })));
}

function addresses(endpoints: readonly GuardEndpoint[]): ReadonlySet<string> {
  return new Set(endpoints.map(({ address }) => `${address}`));
}

function texts(endpoints: readonly GuardEndpoint[]): ReadonlySet<string> {
  return new Set(
    endpoints.map(
      ({ address, protocol, port }) =>
        `${address} . ${protocol}${port === undefined ? "" : ` . ${port}`}`,
    ),
  );
}
