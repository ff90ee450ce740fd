/**
 * What the host's rules are to see of a connection. Those that look at nothing but what all of its packets have in common
 * (ends, protocol, interface, mark) have said what they say of it with the first; those that count, limit, log, change or tell
 * one packet from another see each, and so does connection tracking. Where in doubt, each.
 *
 * include/uapi/linux/netfilter/nf_tables.h; the names of expressions are those of nft_*.c in net/netfilter.
 */
import { NETFILTER_FAMILY, NetfilterSocket, NFT } from "../host/netlink/netfilter-socket.ts";
import {
  type Attributes,
  attributesIn,
  listIn,
  numberIn,
  textIn,
  viewOf,
} from "../host/netlink/netlink-message.ts";
import { SystemCallError } from "../host/system/libc.ts";

export interface FlowRules {
  /** The chains that are to see each packet: "inet filter input". */
  readonly chains: readonly string[];
  /** A rule, of whatever chain, has connection tracking at work. */
  readonly tracks: boolean;
}

export const GENERIC_LENGTH = 4;

/** NFTA_SET_*, NFTA_CHAIN_*, NFTA_HOOK_*, NFTA_RULE_*, NFTA_EXPR_*. */
const SET = { table: 1, name: 2, flags: 3, expression: 17, expressions: 18 } as const;
export const CHAIN = { table: 1, name: 3, hook: 4, policy: 5, counters: 8 } as const;
export const HOOK = { number: 1 } as const;
export const RULE = { table: 1, chain: 2, expressions: 4 } as const;
const EXPRESSION = { name: 1, data: 2 } as const;

/** NFT_SET_TIMEOUT and NFT_SET_EVAL: what is in it changes without anybody telling. */
const SET_CHANGES = 0x10 | 0x20;

/** NF_INET_PRE_ROUTING, LOCAL_IN, FORWARD and INGRESS; of netdev tables NF_NETDEV_INGRESS. */
const HOOKS_MET: ReadonlySet<number> = new Set([0, 1, 2, 5]);
const NETDEV_HOOKS_MET: ReadonlySet<number> = new Set([0]);

const FAMILY_NAMES: ReadonlyMap<number, string> = new Map([
  [NETFILTER_FAMILY.inet, "inet"],
  [NETFILTER_FAMILY.ipv4, "ip"],
  [NETFILTER_FAMILY.netdev, "netdev"],
  [NETFILTER_FAMILY.ipv6, "ip6"],
]);

const OWN_TABLE = /^sluice/;

type Sees = "connection" | "packet" | "tracked";
type Judged = Sees | ((data: Attributes) => Sees);

/** Those that are not here see each packet. */
// biome-ignore format: a table
const EXPRESSIONS: ReadonlyMap<string, Judged> = new Map<string, Judged>([
  ["bitwise",      "connection"],
  ["byteorder",    "connection"],
  ["cmp",          "connection"],
  ["fib",          "connection"],
  ["hash",         "connection"],
  ["immediate",    "connection"],
  ["notrack",      "connection"],
  ["range",        "connection"],
  ["reject",       "connection"],
  ["rt",           "connection"],
  ["socket",       "connection"],
  ["ct",           tracked],
  ["masq",         "tracked"],
  ["nat",          "tracked"],
  ["redir",        "tracked"],
  ["flow_offload", "tracked"],
  ["payload",      payload],
  ["meta",         meta],
]);

/** NFTA_CT_KEY; of enum nft_ct_keys EXPIRATION, PKTS, BYTES and AVGPKT, and where those end that are known here. */
const CT_KEY = 2;
const CT_OF_EACH: ReadonlySet<number> = new Set([5, 14, 15, 16]);
const CT_KEYS = 24;

/** What a connection is tracked as, or how far it has come, which each of its packets changes. */
function tracked(data: Attributes): Sees {
  const key = bigEndian(data, CT_KEY);
  return key < 0 || key >= CT_KEYS || CT_OF_EACH.has(key) ? "packet" : "tracked";
}

/** NFTA_PAYLOAD_*; NFT_PAYLOAD_*_HEADER. */
const PAYLOAD = { base: 2, offset: 3, length: 4, source: 5 } as const;
const BASE = { link: 0, network: 1, transport: 2 } as const;

/** A packet's addresses, protocol and ports. */
function payload(data: Attributes): Sees {
  if (data.has(PAYLOAD.source)) return "packet";
  const from = bigEndian(data, PAYLOAD.offset);
  const length = bigEndian(data, PAYLOAD.length);
  switch (bigEndian(data, PAYLOAD.base)) {
    case BASE.link:
      return "connection";
    case BASE.network: {
      const isProtocol = length === 1 && (from === 6 || from === 9);
      const isAddress = from >= 8 && from + length <= 40 && from + length > 12;
      return isProtocol || isAddress ? "connection" : "packet";
    }
    case BASE.transport:
      return from + length <= 4 ? "connection" : "packet";
    default:
      return "packet";
  }
}

/** NFTA_META_*. */
const META = { key: 2, source: 3 } as const;
/** NFT_META_MARK may be set, too. */
const MARK = 3;
/** PROTOCOL, MARK, IIF to OIFTYPE, NFPROTO and L4PROTO, the bridge's ports, PKTTYPE, groups, kinds, SDIF. */
const META_IN_COMMON: ReadonlySet<number> = new Set([
  1, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 18, 19, 21, 22, 26, 27, 33, 34,
]);

function meta(data: Attributes): Sees {
  const key = bigEndian(data, META.key);
  if (data.has(META.source)) return key === MARK ? "connection" : "packet";
  return META_IN_COMMON.has(key) ? "connection" : "packet";
}

const NO_RULES: FlowRules = { chains: [], tracks: false };

/** Who is told what the kernel lists, each with its struct nfgenmsg. */
export interface RulesetReader {
  set?(body: Uint8Array): void;
  chain(body: Uint8Array): void;
  rule(body: Uint8Array): void;
}

/** Of this network namespace, as they are now. Throws a SystemCallError when the kernel does not say. */
export async function readFlowRules(): Promise<FlowRules> {
  const reader = new FlowRulesReader();
  return (await readRuleset(reader)) ? reader.result : NO_RULES;
}

/** All sets, then all chains, then all rules. False: the kernel has no nf_tables. Throws a SystemCallError. */
export async function readRuleset(reader: RulesetReader): Promise<boolean> {
  using socket = new NetfilterSocket("read the firewall's rules");
  try {
    if (reader.set) for await (const set of socket.list(NFT.getSet)) reader.set(set);
    for await (const chain of socket.list(NFT.getChain)) reader.chain(chain);
    for await (const rule of socket.list(NFT.getRule)) reader.rule(rule);
  } catch (error) {
    // nfnetlink_rcv_msg().
    if (error instanceof SystemCallError && error.code === "EINVAL") return false;
    throw error;
  }
  return true;
}

export class FlowRulesReader implements RulesetReader {
  readonly #changing = new Set<string>();
  /** Chains of their own hook that balanced packets meet, and tables that have one. */
  readonly #met = new Set<string>();
  readonly #hooked = new Set<string>();
  readonly #metTables = new Set<string>();
  readonly #chains = new Set<string>();
  #tracks = false;

  get result(): FlowRules {
    return { chains: [...this.#chains], tracks: this.#tracks };
  }

  set(body: Uint8Array): void {
    const attributes = attributesIn(body, GENERIC_LENGTH);
    const flags = attributes.has(SET.flags) ? bigEndian(attributes, SET.flags) : 0;
    const keepsCount = attributes.has(SET.expression) || attributes.has(SET.expressions);
    if ((flags & SET_CHANGES) === 0 && !keepsCount) return;
    this.#changing.add(`${tableIn(body, attributes, SET.table)} ${textIn(attributes, SET.name)}`);
  }

  chain(body: Uint8Array): void {
    const attributes = attributesIn(body, GENERIC_LENGTH);
    const hook = attributes.get(CHAIN.hook);
    if (hook === undefined || !isOthers(body, textIn(attributes, CHAIN.table))) return;
    const table = tableIn(body, attributes, CHAIN.table);
    const chain = `${table} ${textIn(attributes, CHAIN.name)}`;
    this.#hooked.add(chain);
    const number = bigEndian(attributesIn(hook), HOOK.number);
    const hooks = body[0] === NETFILTER_FAMILY.netdev ? NETDEV_HOOKS_MET : HOOKS_MET;
    if (!hooks.has(number)) return;
    this.#met.add(chain);
    this.#metTables.add(table);
    // Its policy's, as iptables has them.
    if (attributes.has(CHAIN.counters)) this.#chains.add(chain);
  }

  rule(body: Uint8Array): void {
    const attributes = attributesIn(body, GENERIC_LENGTH);
    if (!isOthers(body, textIn(attributes, RULE.table))) return;
    const table = tableIn(body, attributes, RULE.table);
    const chain = `${table} ${textIn(attributes, RULE.chain)}`;
    // Others may be jumped to from any of their table's.
    const isMet = this.#hooked.has(chain) ? this.#met.has(chain) : this.#metTables.has(table);
    for (const expression of listIn(attributes.get(RULE.expressions))) {
      const attributes = attributesIn(expression);
      const sees = this.#sees(attributes, table);
      if (sees === "tracked" || textIn(attributes, EXPRESSION.name) === "ct") this.#tracks = true;
      if (sees === "packet" && isMet) this.#chains.add(chain);
    }
  }

  #sees(expression: Attributes, table: string): Sees {
    const name = textIn(expression, EXPRESSION.name) ?? "";
    const data = attributesIn(expression.get(EXPRESSION.data) ?? new Uint8Array());
    if (name === "lookup") {
      return this.#changing.has(`${table} ${textIn(data, LOOKUP_SET)}`) ? "packet" : "connection";
    }
    const found = EXPRESSIONS.get(name) ?? "packet";
    return typeof found === "string" ? found : found(data);
  }
}

/** NFTA_LOOKUP_SET. */
const LOOKUP_SET = 1;

/** Of a family whose packets are balanced, and no table of ours. */
export function isOthers(body: Uint8Array, table: string | undefined): boolean {
  return FAMILY_NAMES.has(body[0]!) && !OWN_TABLE.test(table ?? "");
}

export function tableIn(body: Uint8Array, attributes: Attributes, type: number): string {
  return `${FAMILY_NAMES.get(body[0]!)} ${textIn(attributes, type)}`;
}

/** nf_tables has its numbers in network byte order. */
export function bigEndian(attributes: Attributes, type: number): number {
  const value = attributes.get(type);
  return numberIn(attributes, type) === undefined ? -1 : viewOf(value!).getUint32(0);
}
