import { describe, expect, test } from "vitest";
import { NETFILTER_FAMILY, netfilterNumber } from "../host/netlink/netfilter-socket.ts";
import { type Attribute, emitAttributes } from "../host/netlink/netlink-message.ts";
import { type FlowRules, FlowRulesReader } from "./flow-rules.ts";

const { inet, ipv4, netdev } = NETFILTER_FAMILY;
const BRIDGE = 7;

/** As nft writes them; the comments are what it was told. */
const saddr = expression("payload", [
  [2, be(1)],
  [3, be(12)],
  [4, be(4)],
]); // ip saddr
const ports = expression("payload", [
  [2, be(2)],
  [3, be(2)],
  [4, be(2)],
]); // tcp dport
const flags = expression("payload", [
  [2, be(2)],
  [3, be(13)],
  [4, be(1)],
]); // tcp flags
const timeToLive = expression("payload", [
  [2, be(1)],
  [3, be(8)],
  [4, be(1)],
]); // ip ttl
const changes = expression("payload", [
  [2, be(1)],
  [3, be(1)],
  [4, be(1)],
  [5, be(1)],
]); // ip dscp set
const protocol = expression("meta", [
  [1, be(1)],
  [2, be(16)],
]); // meta l4proto
const hour = expression("meta", [
  [1, be(1)],
  [2, be(32)],
]); // meta hour
const setMark = expression("meta", [
  [2, be(3)],
  [3, be(1)],
]); // meta mark set
const setPriority = expression("meta", [
  [2, be(2)],
  [3, be(1)],
]); // meta priority set
const ctState = expression("ct", [[2, be(0)]]); // ct state
const ctBytes = expression("ct", [[2, be(15)]]); // ct bytes
const inSet = expression("lookup", [[1, "banned"]]); // @banned

// biome-ignore format: a table
const rows: [what: string, expressions: Attribute[], sees: "first" | "each" | "tracked" | "each and tracked"][] = [
  ["an address",                [saddr, expression("cmp"), expression("immediate")], "first"],
  ["a port of a protocol",      [protocol, expression("cmp"), ports, expression("cmp"), expression("reject")], "first"],
  ["TCP's flags",               [flags, expression("bitwise"), expression("cmp")], "each"],
  ["a time to live",            [timeToLive, expression("cmp")], "each"],
  ["a change of the packet",    [changes], "each"],
  ["the time of day",           [hour, expression("range")], "each"],
  ["a mark that is set",        [setMark], "first"],
  ["a priority that is set",    [setPriority], "each"],
  ["a set",                     [saddr, inSet], "first"],
  ["a counter",                 [expression("counter")], "each"],
  ["a limit",                   [expression("limit")], "each"],
  ["a log",                     [expression("log")], "each"],
  ["a set that packets fill",   [saddr, expression("dynset")], "each"],
  ["a match of iptables",       [expression("match")], "each"],
  ["something unheard of",      [expression("nosuch")], "each"],
  ["connection tracking",       [ctState, expression("bitwise"), expression("cmp")], "tracked"],
  ["how much a connection sent",  [ctBytes, expression("cmp")], "each and tracked"],
  ["masquerading",              [expression("masq")], "tracked"],
];

const NAME = "inet filter input";
const FIRST: FlowRules = { chains: [], tracks: false };

test.for(rows)("a rule with %s", ([, expressions, sees]) => {
  const reader = new FlowRulesReader();
  reader.chain(chain(inet, "filter", "input", 1));
  reader.rule(rule(inet, "filter", "input", expressions));
  expect(reader.result).toEqual({
    chains: sees.startsWith("each") ? [NAME] : [],
    tracks: sees.endsWith("tracked"),
  });
});

// biome-ignore format: a table
const places: [what: string, family: number, table: string, hook: number | undefined, chains: string[]][] = [
  ["prerouting",               ipv4,   "raw",    0,         ["ip raw a"]],
  ["forward",                  ipv4,   "filter", 2,         ["ip filter a"]],
  ["an interface's ingress",   netdev, "early",  0,         ["netdev early a"]],
  ["an interface's egress",    netdev, "late",   1,         []],
  ["output",                   ipv4,   "filter", 3,         []],
  ["postrouting",              ipv4,   "nat",    4,         []],
  ["a bridge",                 BRIDGE, "filter", 0,         []],
  ["a table of Sluice's",      ipv4,   "sluice", 1,         []],
  ["no hook that one jumps to", ipv4,  "other",  undefined, []],
];

describe("a rule that counts, at", () => {
  test.for(places)("%s", ([, family, table, hook, chains]) => {
    const reader = new FlowRulesReader();
    reader.chain(chain(family, table, "a", hook));
    reader.rule(rule(family, table, "a", [expression("counter")]));
    expect(reader.result).toEqual({ chains, tracks: false });
  });

  test("a chain that one of input may jump to", () => {
    const reader = new FlowRulesReader();
    reader.chain(chain(ipv4, "filter", "input", 1));
    reader.chain(chain(ipv4, "filter", "jumped", undefined));
    reader.rule(rule(ipv4, "filter", "jumped", [expression("counter")]));
    expect(reader.result.chains).toEqual(["ip filter jumped"]);
  });
});

test("a policy that counts is met by each packet", () => {
  const reader = new FlowRulesReader();
  reader.chain(chain(ipv4, "filter", "INPUT", 1, [[8, []]]));
  expect(reader.result.chains).toEqual(["ip filter INPUT"]);
});

// biome-ignore format: a table
const sets: [what: string, more: Attribute[], chains: string[]][] = [
  ["that operators fill",       [[3, be(0x4)]],  []],
  ["whose elements time out",   [[3, be(0x10)]], [NAME]],
  ["that packets fill",         [[3, be(0x20)]], [NAME]],
  ["whose elements count",      [[17, []]],      [NAME]],
];

test.for(sets)("a set %s", ([, more, chains]) => {
  const reader = new FlowRulesReader();
  reader.set(message(inet, [[1, "filter"], [2, "banned"], ...more]));
  reader.chain(chain(inet, "filter", "input", 1));
  reader.rule(rule(inet, "filter", "input", [saddr, inSet]));
  expect(reader.result).toEqual({ ...FIRST, chains });
});

function expression(name: string, data: readonly Attribute[] = []): Attribute {
  return [
    1,
    [
      [1, name],
      [2, data],
    ],
  ];
}

function rule(family: number, table: string, name: string, expressions: Attribute[]): Uint8Array {
  return message(family, [
    [1, table],
    [2, name],
    [4, expressions],
  ]);
}

function chain(
  family: number,
  table: string,
  name: string,
  hook: number | undefined,
  more: readonly Attribute[] = [],
): Uint8Array {
  const hooks: readonly Attribute[] = hook === undefined ? [] : [[4, [[1, be(hook)]]]];
  return message(family, [[1, table], [3, name], ...hooks, ...more]);
}

/** With struct nfgenmsg before it. */
function message(family: number, attributes: readonly Attribute[]): Uint8Array {
  return Uint8Array.of(family, 0, 0, 0, ...emitAttributes(attributes));
}

function be(value: number): Uint8Array {
  return netfilterNumber(value);
}
