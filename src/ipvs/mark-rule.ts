/**
 * Rules that give packets a firewall mark by where they come from and where they go: what an operator of the kernel's
 * IPVS does with `iptables -t mangle -A PREROUTING ... -j MARK --set-mark N`. An engine on packet sockets does not see
 * the marks that netfilter sets, so it has rules of its own.
 *
 * The first rule that matches decides, as in a table of routes or filters. (iptables goes on after MARK, so that there
 * the last one does.)
 */
import type { Address, Family } from "../net/address.ts";
import type { Port } from "../net/port.ts";
import { formatPrefix, type Prefix } from "../net/prefix.ts";
import type { DesiredState } from "./desired-state.ts";
import { LbError } from "./errors.ts";
import type { Mark } from "./service.ts";

export const MARK_PROTOCOLS = ["any", "tcp", "udp", "sctp", "icmp"] as const;

/** "icmp" is ICMPv6 in a rule for IPv6. */
export type MarkProtocol = (typeof MARK_PROTOCOLS)[number];

/** From `first` to `last`, both included. */
export interface PortRange {
  readonly first: Port;
  readonly last: Port;
}

/** Which packets. What is undefined or empty is any. */
export interface MarkMatch {
  readonly family: Family;
  readonly protocol: MarkProtocol;
  readonly source: Prefix | undefined;
  readonly destination: Prefix | undefined;
  readonly sourcePorts: readonly PortRange[];
  readonly destinationPorts: readonly PortRange[];
}

export interface MarkRule extends MarkMatch {
  readonly mark: Mark;
}

/** A packet that no connection explains is compared with each rule: a few microseconds at most. */
export const MARK_RULES_MAX = 256;

/** As many as iptables' multiport takes. */
export const MARK_PORT_RANGES_MAX = 15;

const HAS_PORTS: ReadonlySet<MarkProtocol> = new Set(["tcp", "udp", "sctp"]);

/** Puts the rule behind the others, or before the one that is at `position` (from 1) now. */
export function addMarkRule(state: DesiredState, given: MarkRule, position?: number): DesiredState {
  const rule = normalized(given);
  checkRule(rule);
  const { markRules } = state;
  const text = formatMarkMatch(rule);
  const twin = markRules.find((each) => formatMarkMatch(each) === text);
  if (twin !== undefined) {
    throw new LbError({ code: "mark-rule-exists", rule: formatMarkRule(twin) });
  }
  if (markRules.length >= MARK_RULES_MAX) {
    throw invalid(
      rule,
      `there are ${MARK_RULES_MAX} rules already, which is the most there can be`,
    );
  }
  const index = (position ?? markRules.length + 1) - 1;
  if (!Number.isInteger(index) || index < 0 || index > markRules.length) {
    throw invalid(rule, `position ${position} is not in 1 to ${markRules.length + 1}`);
  }
  return { ...state, markRules: markRules.toSpliced(index, 0, rule) };
}

/** Removes the rule whose formatMarkMatch() is `match`: there is one at most. */
export function deleteMarkRule(state: DesiredState, match: string): DesiredState {
  const { markRules } = state;
  const index = markRules.findIndex((each) => formatMarkMatch(each) === match);
  if (index < 0) throw new LbError({ code: "no-such-mark-rule", rule: match });
  return { ...state, markRules: markRules.toSpliced(index, 1) };
}

export function flushMarkRules(state: DesiredState): DesiredState {
  return { ...state, markRules: [] };
}

/** The same match in its only form: no host bits behind a prefix, ports in order and joined where they touch. */
export function normalized<Match extends MarkMatch>(match: Match): Match {
  return {
    ...match,
    source: normalizedPrefix(match.source),
    destination: normalizedPrefix(match.destination),
    sourcePorts: normalizedPorts(match.sourcePorts),
    destinationPorts: normalizedPorts(match.destinationPorts),
  };
}

/** `inet tcp from 10.9.0.0/16 to 10.0.0.1 ports 80,443,8000-8100`. Equal matches give equal text, others do not. */
export function formatMarkMatch(match: MarkMatch): string {
  const { family, protocol } = match;
  return `${family} ${protocol} ${formatMarkEnds(match)}`;
}

/** `from any to 10.0.0.1 ports 80,443`. */
export function formatMarkEnds(match: MarkMatch): string {
  const { source, destination, sourcePorts, destinationPorts } = match;
  return `from ${endText(source, sourcePorts)} to ${endText(destination, destinationPorts)}`;
}

export function formatMarkRule(rule: MarkRule): string {
  return `${formatMarkMatch(rule)} mark ${rule.mark}`;
}

/** `80,443,8000-8100`. */
export function formatPorts(ranges: readonly PortRange[]): string {
  return ranges
    .map(({ first, last }) => (first === last ? `${first}` : `${first}-${last}`))
    .join(",");
}

function endText(prefix: Prefix | undefined, ports: readonly PortRange[]): string {
  const where = prefix === undefined ? "any" : prefixText(prefix);
  return ports.length === 0 ? where : `${where} ports ${formatPorts(ports)}`;
}

function prefixText(prefix: Prefix): string {
  return prefix.length === bitsOf(prefix.address) ? `${prefix.address}` : formatPrefix(prefix);
}

function bitsOf({ family }: Address): number {
  return family === "inet" ? 32 : 128;
}

function normalizedPrefix(prefix: Prefix | undefined): Prefix | undefined {
  if (prefix === undefined || prefix.length === 0) return undefined;
  return { address: prefix.address.masked(prefix.length), length: prefix.length };
}

function normalizedPorts(ranges: readonly PortRange[]): PortRange[] {
  const joined: PortRange[] = [];
  for (const range of ranges.toSorted((one, other) => one.first - other.first)) {
    const before = joined.at(-1);
    if (before === undefined || range.first > before.last + 1) joined.push(range);
    else if (range.last > before.last) joined[joined.length - 1] = { ...before, last: range.last };
  }
  return joined;
}

function checkRule(rule: MarkRule): void {
  const { family, protocol, source, destination, sourcePorts, destinationPorts, mark } = rule;
  if (!Number.isInteger(mark) || mark < 1 || mark > 0xffff_ffff) {
    throw invalid(rule, `mark ${mark} is not in 1 to 4294967295`);
  }
  for (const prefix of [source, destination]) {
    if (prefix === undefined || prefix.address.family === family) continue;
    throw invalid(rule, `${formatPrefix(prefix)} is of the other address family`);
  }
  const ranges = [...sourcePorts, ...destinationPorts];
  if (ranges.length > 0 && !HAS_PORTS.has(protocol)) {
    throw invalid(rule, "ports need the protocol tcp, udp or sctp");
  }
  const reversed = ranges.find(({ first, last }) => first > last);
  if (reversed !== undefined) {
    throw invalid(rule, `ports ${reversed.first}-${reversed.last} begin behind their end`);
  }
  if (ranges.length > MARK_PORT_RANGES_MAX) {
    throw invalid(rule, `${ranges.length} ranges of ports are more than ${MARK_PORT_RANGES_MAX}`);
  }
}

function invalid(rule: MarkRule, why: string): LbError {
  return new LbError({ code: "invalid-mark-rule", rule: formatMarkRule(rule), why });
}
