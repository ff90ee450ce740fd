/** What iptables' mangle table does to packets by the rules of a case (case.ts), for a director without a host. */
import type { Packet } from "../../../src/ipvs/packets/packet.ts";
import type { Address } from "../../../src/net/address.ts";
import { IP_PROTOCOL } from "../../../src/net/ip-protocol.ts";
import { type Prefix, parsePrefix, prefixContains } from "../../../src/net/prefix.ts";

interface Rule {
  readonly source: Prefix | undefined;
  readonly destination: Prefix | undefined;
  readonly protocol: number | undefined;
  readonly sourcePorts: readonly Range[] | undefined;
  readonly destinationPorts: readonly Range[] | undefined;
  readonly mark: number;
}

type Range = readonly [first: number, last: number];

export class MarkTable {
  readonly #rules: readonly Rule[];

  constructor(lines: readonly string[]) {
    this.#rules = lines.map(ruleOf);
  }

  /** MARK goes on to the next rule: the last that matches decides. */
  markOf(packet: Packet): number {
    const { source, destination } = packet;
    return this.#rules.findLast((rule) => matches(rule, packet, source, destination))?.mark ?? 0;
  }
}

function matches(rule: Rule, packet: Packet, source: Address, destination: Address): boolean {
  const { protocol } = packet;
  return (
    (rule.protocol ?? protocol) === protocol &&
    (rule.source === undefined || prefixContains(rule.source, source)) &&
    (rule.destination === undefined || prefixContains(rule.destination, destination)) &&
    hasPort(rule.sourcePorts, packet, 0) &&
    hasPort(rule.destinationPorts, packet, 2)
  );
}

/** Of fragments multiport sees the first one's ports, and nothing of the others: mt_multiport(). */
function hasPort(ranges: readonly Range[] | undefined, packet: Packet, at: 0 | 2): boolean {
  if (ranges === undefined) return true;
  const { bytes, transport, family, ipv4, ipv6 } = packet;
  const isLater = family === 4 ? ipv4.fragmentOffset > 0 : ipv6.fragmentOffset > 0;
  if (isLater) return false;
  const port = (bytes[transport + at]! << 8) | bytes[transport + at + 1]!;
  return ranges.some(([first, last]) => port >= first && port <= last);
}

function ruleOf(line: string): Rule {
  const words = line.split(" ");
  const after = (option: string): string | undefined => {
    const at = words.indexOf(option);
    return at < 0 ? undefined : words[at + 1];
  };
  const protocol = after("-p") as keyof typeof IP_PROTOCOL | undefined;
  return {
    source: parsePrefix(after("-s") ?? ""),
    destination: parsePrefix(after("-d") ?? ""),
    protocol: protocol === undefined ? undefined : IP_PROTOCOL[protocol],
    sourcePorts: rangesOf(after("--sports")),
    destinationPorts: rangesOf(after("--dports")),
    mark: Number(after("--set-mark")),
  };
}

/** `80,443,8000:8100`. */
function rangesOf(text: string | undefined): Range[] | undefined {
  return text?.split(",").map((range) => {
    const [first, last] = range.split(":");
    return [Number(first), Number(last ?? first)];
  });
}
