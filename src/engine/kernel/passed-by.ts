/**
 * Which of the host's rules packets pass by whose connections are opened where they arrive: what nftables has before the host's
 * own, the tables of the older iptables, and the reverse path filter.
 */
import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { NFT_PATH } from "../userspace/door/nft.ts";
import { legacyTables } from "./onlookers.ts";

/** What nft tells of a ruleset (libnftables-json(5)), as far as it is read. */
interface Listing {
  readonly nftables?: readonly { readonly chain?: Chain; readonly rule?: Rule }[];
}

interface Chain {
  readonly family: string;
  readonly table: string;
  readonly name: string;
  readonly hook?: string;
  readonly policy?: string;
}

interface Rule {
  readonly family: string;
  readonly table: string;
  readonly chain: string;
}

const HOOKS: ReadonlySet<string> = new Set(["ingress", "prerouting", "input"]);
const FAMILIES: ReadonlySet<string> = new Set(["ip", "ip6", "inet", "netdev"]);
const OWN_TABLE = /^sluice/;
/** Of a listing without what sets hold. */
const LISTING_MAX = 0x200_0000;
const CONF = "/proc/sys/net/ipv4/conf";

/** Those of nftables; empty where nft cannot be asked. */
export async function chainsPassedBy(): Promise<readonly string[]> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const env = { ...process.env, PATH: NFT_PATH };
  execFile("nft", ["-j", "-t", "list", "ruleset"], { env, maxBuffer: LISTING_MAX }, (_, listed) =>
    resolve(listed),
  );
  return chainsIn(await promise);
}

/** "inet filter input (policy drop, 3 rules)": each that has a rule, or lets not everything in. */
export function chainsIn(text: string): readonly string[] {
  let listing: Listing;
  try {
    listing = JSON.parse(text) as Listing;
  } catch {
    return [];
  }
  const objects = listing.nftables ?? [];
  const nameOf = ({ family, table }: Rule | Chain, chain: string) => `${family} ${table} ${chain}`;
  const rules = new Map<string, number>();
  for (const { rule } of objects) {
    if (rule === undefined) continue;
    const name = nameOf(rule, rule.chain);
    rules.set(name, (rules.get(name) ?? 0) + 1);
  }
  return objects.flatMap(({ chain }) => {
    if (chain === undefined || !isBefore(chain)) return [];
    const name = nameOf(chain, chain.name);
    const count = rules.get(name) ?? 0;
    const drops = chain.policy === "drop";
    if (count === 0 && !drops) return [];
    const many = count === 1 ? "1 rule" : `${count} rules`;
    return [`${name} (${drops ? "policy drop, " : ""}${many})`];
  });
}

function isBefore({ hook, family, table }: Chain): boolean {
  return hook !== undefined && HOOKS.has(hook) && FAMILIES.has(family) && !OWN_TABLE.test(table);
}

/** Those that nobody tells of when they change. */
export function settingsPassedBy(): readonly string[] {
  const tables = legacyTables();
  const isFilteredEverywhere = isFiltering("all");
  const interfaces = interfaceNames().filter((name) => isFilteredEverywhere || isFiltering(name));
  if (interfaces.length === 0) return tables;
  return [...tables, `rp_filter on ${interfaces.join(", ")}`];
}

function isFiltering(name: string): boolean {
  return !["", "0"].includes(read(`${CONF}/${name}/rp_filter`));
}

function interfaceNames(): readonly string[] {
  try {
    return readdirSync(CONF).filter((name) => !["all", "default", "lo"].includes(name));
  } catch {
    return [];
  }
}

/** Empty where there is no such file. */
function read(path: string): string {
  try {
    return readFileSync(path, "latin1").trim();
  } catch {
    return "";
  }
}
