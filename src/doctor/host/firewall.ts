/** The host's firewall, rule by rule, as far as a doctor can read it. */
import type { Address } from "../../net/address.ts";
import { ask, type Said } from "./command.ts";

export type Hook = "prerouting" | "input" | "forward" | "output" | "postrouting";

export interface Rule {
  /** Of the chain that it stands in, or that jumps there. Undefined where that cannot be told. */
  readonly hook: Hook | undefined;
  readonly text: string;
  /** Packets that it met; undefined where nobody counts. */
  readonly packets: number | undefined;
  /** What takes it away; undefined where we would not know. */
  readonly removal: string | undefined;
  readonly effect: "drop" | "mark" | "other";
}

/** iptables' rules by iptables-save, all others by nft. Undefined when neither can be asked. */
export async function readFirewall(): Promise<readonly Rule[] | undefined> {
  const [inet, inet6, nft] = await Promise.all([
    ask("iptables-save", "-c"),
    ask("ip6tables-save", "-c"),
    ask("nft", "list", "ruleset"),
  ]);
  const isReadable = [inet, nft].some((said) => said?.status === 0);
  if (!isReadable) return undefined;
  return [
    ...iptablesRules(inet?.output ?? "", "iptables"),
    ...iptablesRules(inet6?.output ?? "", "ip6tables"),
    ...nftRules(nft?.output ?? "", [...tablesIn("ip", inet), ...tablesIn("ip6", inet6)]),
  ];
}

/** "ip filter": what iptables keeps in nftables' tables, and has told itself. */
function tablesIn(family: string, saved: Said | undefined): readonly string[] {
  const names = saved?.output.match(/^\*\w+$/gm) ?? [];
  return names.map((name) => `${family} ${name.slice(1)}`);
}

const HOOKS: Readonly<Record<string, Hook>> = {
  PREROUTING: "prerouting",
  INPUT: "input",
  FORWARD: "forward",
  OUTPUT: "output",
  POSTROUTING: "postrouting",
};

export function iptablesRules(saved: string, command: string): readonly Rule[] {
  const rules: Rule[] = [];
  let table = "filter";
  for (const line of saved.split("\n")) {
    if (line.startsWith("*")) table = line.slice(1);
    const of = table === "filter" ? command : `${command} -t ${table}`;
    const [, policyChain, policy, policyPackets] = /^:(\S+) (DROP) \[(\d+):/.exec(line) ?? [];
    if (policyChain !== undefined && policy !== undefined) {
      rules.push({
        hook: HOOKS[policyChain],
        text: `${of} -P ${policyChain} DROP`,
        packets: Number(policyPackets),
        removal: `${of} -P ${policyChain} ACCEPT`,
        effect: "drop",
      });
    }
    const [, packets, chain = "", words] = /^\[(\d+):\d+\] -A (\S+) ?(.*)$/.exec(line) ?? [];
    if (words === undefined) continue;
    rules.push({
      hook: HOOKS[chain],
      text: `${of} -A ${chain} ${words}`,
      packets: Number(packets),
      removal: `${of} -D ${chain} ${words}`,
      effect: effectOf(/-j (\S+)/.exec(words)?.[1] ?? ""),
    });
  }
  return rules;
}

function effectOf(target: string): Rule["effect"] {
  if (target === "DROP" || target === "REJECT") return "drop";
  return target === "MARK" ? "mark" : "other";
}

/** Sluice's own tables. */
const OWN_TABLE = /^table \S+ sluice/;

/** By lines: `nft -j` leaves what it does not know out without a word. */
export function nftRules(listing: string, told: readonly string[]): readonly Rule[] {
  const rules: Rule[] = [];
  let isSkipped = false;
  let hook: Hook | undefined;
  for (const raw of listing.split("\n")) {
    const line = raw.trim();
    if (line.startsWith("table ")) {
      isSkipped = OWN_TABLE.test(line) || told.includes(line.slice("table ".length, -" {".length));
      continue;
    }
    if (isSkipped || line === "}" || line === "") continue;
    if (line.startsWith("chain ")) {
      hook = undefined;
      continue;
    }
    const [, name, policy] = /^type \S+ hook (\S+) .*?(?:policy (\w+))?;?$/.exec(line) ?? [];
    if (name !== undefined) {
      hook = name as Hook;
      if (policy === "drop") {
        rules.push({ hook, text: line, packets: undefined, removal: undefined, effect: "drop" });
      }
      continue;
    }
    const counted = /counter packets (\d+)/.exec(line)?.[1];
    const effect = /\b(drop|reject)\b/.test(line) ? "drop" : nftMark(line);
    const packets = counted === undefined ? undefined : Number(counted);
    rules.push({ hook, text: line, packets, removal: undefined, effect });
  }
  return rules;
}

function nftMark(line: string): Rule["effect"] {
  return /\bmark set\b/.test(line) ? "mark" : "other";
}

/** Whether a rule's own words exclude packets of `protocol` to `address` and `port`. What they do not say includes them. */
export function mayMeet({ text }: Rule, protocol: string, address: Address, port: number): boolean {
  const wantedProtocol = /(?:^| )-p (\S+)|\bmeta l4proto (\w+)|\bip protocol (\w+)/.exec(text);
  const named = wantedProtocol?.slice(1).find((word) => word !== undefined);
  if (named !== undefined && named !== protocol && named !== "all") return false;
  if (/\b(tcp|udp|sctp|icmp|icmpv6) (dport|sport|type)\b/.exec(text)?.[1] !== undefined) {
    if (!text.includes(`${protocol} dport`)) return false;
  }
  if (/--sport|--icmp-type/.test(text)) return false;
  const ports = /--dports? (\S+)|dport (\{[^}]*\}|\S+)/.exec(text)?.slice(1).find(Boolean);
  if (ports !== undefined && !portsHave(ports, port)) return false;
  const destination = /(?:^| )-d (\S+?)(?:\/32|\/128)?(?: |$)|\bdaddr (\S+)/.exec(text);
  const to = destination?.slice(1).find(Boolean);
  return to === undefined || to.includes("/") || to.startsWith("{") || to === address.toString();
}

/** "80", "80:90", "80,443", "{ 80, 443 }", "80-90". */
function portsHave(text: string, port: number): boolean {
  return text
    .replace(/[{}\s]/g, "")
    .split(",")
    .some((part) => {
      const [first = 0, last = first] = part.split(/[:-]/).map(Number);
      return Number.isNaN(first) || (port >= first && port <= last);
    });
}

/** A rule that takes what connection tracking calls invalid. */
export function isAboutInvalid({ text }: Rule): boolean {
  return /--(ctstate|state) \S*INVALID|\bct state (\S+,)?invalid/.test(text);
}

/** A rule by which the host's own "fragmentation needed" or "packet too big" does not leave. */
export function silencesTooBig({ text, effect }: Rule): boolean {
  if (effect !== "drop") return false;
  const isIcmp = /-p (ipv6-)?icmp|l4proto (ipv6-)?icmp|\bicmp(v6)? type/.test(text);
  if (!isIcmp) return false;
  const type = /--icmp(?:v6)?-type (\S+)|type (\{[^}]*\}|\S+)/.exec(text)?.slice(1).find(Boolean);
  if (type === undefined) return true;
  return /^(3|3\/4|2|2\/0|fragmentation-needed|destination-unreachable|packet-too-big|any)$/.test(
    type.replace(/[{}\s]/g, ""),
  );
}
