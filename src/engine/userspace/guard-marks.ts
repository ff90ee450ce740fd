/**
 * What mark rules add to the guard's nftables table: chains of rules, because prefixes and ranges may overlap, which
 * the elements of a set must not.
 *
 * Chains are never changed: new ones are made beside those in force, and the switch is one transaction.
 */
import { formatPorts, type MarkMatch, type PortRange } from "../../ipvs/mark-rule.ts";
import type { Family } from "../../net/address.ts";
import { formatPrefix, type Prefix } from "../../net/prefix.ts";
import { FRAGMENT, GUARD_TABLE, ICMP_ERROR_TYPES } from "./guard-words.ts";

/** The chains that prerouting goes through, by what is in them: each with one rule that jumps to the chain in force. */
const DOORS = { packets: "marks", errors: "markErrors" } as const;

/** As long as this a transaction of the longest rules fits the netlink socket of an unprivileged user. */
const COMMANDS_PER_TRANSACTION = 100;

const KEYWORD = { inet: "ip", inet6: "ip6" } as const;
const ONLY = { inet: "meta nfproto ipv4", inet6: "meta nfproto ipv6" } as const;

/** The rules of both chains as nft has them. Equal lines take equal packets. */
export interface MarkLines {
  /** For what clients send. */
  readonly packets: readonly string[];
  /** For ICMP errors to where clients send: behind the rule that leaves the host's own addresses alone. */
  readonly errors: readonly string[];
}

export const NO_MARK_LINES: MarkLines = { packets: [], errors: [] };

export function markLines(matches: readonly MarkMatch[]): MarkLines {
  return {
    packets: distinct(matches.flatMap(packetLines)),
    errors: distinct(matches.map(errorLine)),
  };
}

export function areSameLines(one: MarkLines, other: MarkLines): boolean {
  const text = ({ packets, errors }: MarkLines): string => [...packets, "", ...errors].join("\n");
  return text(one) === text(other);
}

/** Transactions that put chains with `lines`, numbered `next`, in the place of those numbered `before`. */
export function replaceMarkChains(
  lines: MarkLines,
  before: number | undefined,
  next: number,
): string[] {
  const names = Object.keys(DOORS) as (keyof typeof DOORS)[];
  const building = names.flatMap((name) => {
    const chain = chainOf(name, next);
    return [`add chain ${chain}`, ...lines[name].map((line) => `add rule ${chain} ${line} drop`)];
  });
  const switching = names.flatMap((name) => [
    `flush chain ${GUARD_TABLE} ${DOORS[name]}`,
    `add rule ${GUARD_TABLE} ${DOORS[name]} jump ${DOORS[name]}_${next}`,
  ]);
  const removing = before === undefined ? [] : removals(before);
  const portions = chunks(building, COMMANDS_PER_TRANSACTION);
  return [...portions, [...switching, ...removing]].map((commands) => commands.join("; "));
}

/** The transaction that removes chains which nothing jumps to. */
export function removeMarkChains(number: number): string {
  return removals(number).join("; ");
}

/** The doors, as they stand in the table's definition. */
export const MARK_DOORS = Object.values(DOORS).map((name) => `chain ${name} { };`);
export const JUMP_TO_MARKS = `jump ${DOORS.packets}`;
export const JUMP_TO_MARK_ERRORS = `jump ${DOORS.errors}`;

function chainOf(name: keyof typeof DOORS, number: number): string {
  return `${GUARD_TABLE} ${DOORS[name]}_${number}`;
}

function removals(number: number): string[] {
  return (Object.keys(DOORS) as (keyof typeof DOORS)[]).flatMap((name) => [
    `flush chain ${chainOf(name, number)}`,
    `delete chain ${chainOf(name, number)}`,
  ]);
}

function packetLines(match: MarkMatch): string[] {
  const { family, protocol, sourcePorts, destinationPorts } = match;
  // ICMP messages are taken as such.
  if (protocol === "icmp") return [];
  const l4 = protocol === "any" ? "{ tcp, udp, sctp }" : protocol;
  const packets = `${between(match)} meta l4proto ${l4}`;
  if (sourcePorts.length + destinationPorts.length === 0) return [packets];
  const ports = `${portsText("sport", sourcePorts)}${portsText("dport", destinationPorts)}`;
  return [`${packets}${ports}`, `${FRAGMENT[family]} ${packets}`];
}

function errorLine({ family, destination }: MarkMatch): string {
  const to = addressText(family, "daddr", destination) || `${ONLY[family]} `;
  return `${to}${ICMP_ERROR_TYPES[family]}`;
}

function between({ family, source, destination }: MarkMatch): string {
  const from = addressText(family, "saddr", source);
  const to = addressText(family, "daddr", destination);
  return `${from}${to}`.trimEnd() || ONLY[family];
}

function addressText(family: Family, end: "saddr" | "daddr", prefix: Prefix | undefined): string {
  return prefix === undefined ? "" : `${KEYWORD[family]} ${end} ${formatPrefix(prefix)} `;
}

function portsText(end: "sport" | "dport", ranges: readonly PortRange[]): string {
  return ranges.length === 0 ? "" : ` th ${end} { ${formatPorts(ranges)} }`;
}

function distinct(lines: readonly string[]): string[] {
  return [...new Set(lines)];
}

function chunks(all: readonly string[], size: number): string[][] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, index) =>
    all.slice(index * size, (index + 1) * size),
  );
}
