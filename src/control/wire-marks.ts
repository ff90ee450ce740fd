/** Mark rules as plain JSON: what the API speaks and what the state file holds. */
import {
  formatMarkMatch,
  type MarkProtocol,
  type MarkRule,
  type PortRange,
} from "../ipvs/mark-rule.ts";
import type { Mark } from "../ipvs/service.ts";
import type { Family } from "../net/address.ts";
import { toPort } from "../net/port.ts";
import { formatPrefix, type Prefix, parsePrefix } from "../net/prefix.ts";

interface WirePortRange {
  readonly first: number;
  readonly last: number;
}

/** Prefixes as text, `10.0.0.0/8`; null and no ports are any. */
export interface WireMarkRule {
  readonly family: Family;
  readonly protocol: MarkProtocol;
  readonly source: string | null;
  readonly sourcePorts: readonly WirePortRange[];
  readonly destination: string | null;
  readonly destinationPorts: readonly WirePortRange[];
  readonly mark: number;
}

/** A rule as listed: `id` is what deletes it. */
export interface WireListedMarkRule extends WireMarkRule {
  readonly id: string;
}

export function markRuleFromWire(wire: WireMarkRule): MarkRule {
  return {
    family: wire.family,
    protocol: wire.protocol,
    source: prefixFromWire(wire.source),
    sourcePorts: wire.sourcePorts.map(rangeFromWire),
    destination: prefixFromWire(wire.destination),
    destinationPorts: wire.destinationPorts.map(rangeFromWire),
    mark: wire.mark as Mark,
  };
}

export function markRuleToWire(rule: MarkRule): WireMarkRule {
  return {
    family: rule.family,
    protocol: rule.protocol,
    source: rule.source === undefined ? null : formatPrefix(rule.source),
    sourcePorts: rule.sourcePorts,
    destination: rule.destination === undefined ? null : formatPrefix(rule.destination),
    destinationPorts: rule.destinationPorts,
    mark: rule.mark,
  };
}

export function listedMarkRule(rule: MarkRule): WireListedMarkRule {
  return { id: formatMarkMatch(rule), ...markRuleToWire(rule) };
}

function prefixFromWire(text: string | null): Prefix | undefined {
  return text === null ? undefined : parsePrefix(text)!;
}

function rangeFromWire({ first, last }: WirePortRange): PortRange {
  return { first: toPort(first), last: toPort(last) };
}
