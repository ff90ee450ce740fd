/**
 * Which of the host's rules packets pass by whose connections are opened where they arrive: what nftables has before the host's
 * own, the tables of the older iptables, and the reverse path filter.
 */
import { readdirSync, readFileSync } from "node:fs";
import { NETFILTER_FAMILY } from "../host/netlink/netfilter-socket.ts";
import { attributesIn, textIn } from "../host/netlink/netlink-message.ts";
import {
  bigEndian,
  CHAIN,
  GENERIC_LENGTH,
  HOOK,
  isOthers,
  RULE,
  type RulesetReader,
  readRuleset,
  tableIn,
} from "./flow-rules.ts";
import { legacyTables } from "./onlookers.ts";

/** NF_INET_PRE_ROUTING, LOCAL_IN and INGRESS; of netdev tables NF_NETDEV_INGRESS. */
const HOOKS: ReadonlySet<number> = new Set([0, 1, 5]);
const NETDEV_HOOKS: ReadonlySet<number> = new Set([0]);
/** NF_DROP. */
const DROP = 0;
const CONF = "/proc/sys/net/ipv4/conf";

/** Those of nftables, as they are now. Throws a SystemCallError when the kernel does not say. */
export async function chainsPassedBy(): Promise<readonly string[]> {
  const chains = new PassedByReader();
  await readRuleset(chains);
  return chains.result;
}

/** Chains of hooks before the director's, each that has a rule, or lets not everything in. */
export class PassedByReader implements RulesetReader {
  readonly #drops = new Map<string, boolean>();
  readonly #rules = new Map<string, number>();

  /** "inet filter input (policy drop, 3 rules)". */
  get result(): readonly string[] {
    return [...this.#drops].flatMap(([name, drops]) => {
      const count = this.#rules.get(name) ?? 0;
      if (count === 0 && !drops) return [];
      const many = count === 1 ? "1 rule" : `${count} rules`;
      return [`${name} (${drops ? "policy drop, " : ""}${many})`];
    });
  }

  chain(body: Uint8Array): void {
    const attributes = attributesIn(body, GENERIC_LENGTH);
    const hook = attributes.get(CHAIN.hook);
    if (hook === undefined || !isOthers(body, textIn(attributes, CHAIN.table))) return;
    const hooks = body[0] === NETFILTER_FAMILY.netdev ? NETDEV_HOOKS : HOOKS;
    if (!hooks.has(bigEndian(attributesIn(hook), HOOK.number))) return;
    const name = `${tableIn(body, attributes, CHAIN.table)} ${textIn(attributes, CHAIN.name)}`;
    this.#drops.set(name, bigEndian(attributes, CHAIN.policy) === DROP);
  }

  rule(body: Uint8Array): void {
    const attributes = attributesIn(body, GENERIC_LENGTH);
    if (!isOthers(body, textIn(attributes, RULE.table))) return;
    const name = `${tableIn(body, attributes, RULE.table)} ${textIn(attributes, RULE.chain)}`;
    this.#rules.set(name, (this.#rules.get(name) ?? 0) + 1);
  }
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
