/** Mark rules made ready for packets: numbers in one typed array. Matching allocates nothing. */
import { Address } from "../net/address.ts";
import { IP_PROTOCOL } from "../net/ip-protocol.ts";
import type { Prefix } from "../net/prefix.ts";
import type { MarkMatch, MarkProtocol, MarkRule, PortRange } from "./mark-rule.ts";

/** What rules ask of a packet. */
export interface MarkablePacket {
  readonly family: 4 | 6;
  readonly protocol: number;
  readonly source0: number;
  readonly source1: number;
  readonly source2: number;
  readonly source3: number;
  readonly destination0: number;
  readonly destination1: number;
  readonly destination2: number;
  readonly destination3: number;
  readonly sourcePort: number;
  readonly destinationPort: number;
}

const ANY_PROTOCOL = -1;
/** No rule. */
const NONE = -1;

/** The words of a rule: four of each network and its mask, as signed numbers. */
const WORD = {
  protocol: 0,
  source: 1,
  sourceMask: 5,
  destination: 9,
  destinationMask: 13,
  /** Where in #ports its source ports begin, where its destination ports begin, and where these end. */
  sourcePorts: 17,
  destinationPorts: 18,
  portsEnd: 19,
  mark: 20,
} as const;
const WORDS = 21;

export class MarkMatcher {
  readonly #inet: Int32Array;
  readonly #inet6: Int32Array;
  /** First and last port by turns. */
  readonly #ports: Uint16Array;

  constructor(rules: readonly MarkRule[]) {
    const ports: number[] = [];
    const compile = (family: MarkMatch["family"]): Int32Array =>
      Int32Array.from(
        rules.filter((rule) => rule.family === family).flatMap((rule) => wordsOf(rule, ports)),
      );
    this.#inet = compile("inet");
    this.#inet6 = compile("inet6");
    this.#ports = Uint16Array.from(ports);
  }

  /** The mark that the first matching rule gives, as a signed word; 0 when none matches. */
  markOf(packet: MarkablePacket): number {
    const words = packet.family === 4 ? this.#inet : this.#inet6;
    const at = this.#find(words, packet, false);
    return at === NONE ? 0 : words[at + WORD.mark]!;
  }

  /** Whether a rule matches the packet. Of a fragment, which has no ports, some of it: `isFragment`. */
  matches(packet: MarkablePacket, isFragment: boolean): boolean {
    const words = packet.family === 4 ? this.#inet : this.#inet6;
    return words.length > 0 && this.#find(words, packet, isFragment) !== NONE;
  }

  #find(words: Int32Array, packet: MarkablePacket, isFragment: boolean): number {
    for (let at = 0; at < words.length; at += WORDS) {
      const protocol = words[at + WORD.protocol]!;
      if (protocol !== ANY_PROTOCOL && protocol !== packet.protocol) continue;
      if (!isBetween(words, at, packet)) continue;
      if (isFragment || this.#hasPorts(words, at, packet)) return at;
    }
    return NONE;
  }

  #hasPorts(words: Int32Array, at: number, packet: MarkablePacket): boolean {
    const source = words[at + WORD.sourcePorts]!;
    const destination = words[at + WORD.destinationPorts]!;
    const end = words[at + WORD.portsEnd]!;
    return (
      this.#isIn(destination, end, packet.destinationPort) &&
      this.#isIn(source, destination, packet.sourcePort)
    );
  }

  /** Whether the port is in one of the ranges from `from` to `end`. No ranges are all ports. */
  #isIn(from: number, end: number, port: number): boolean {
    if (from === end) return true;
    const ports = this.#ports;
    for (let at = from; at < end; at += 2) {
      if (port >= ports[at]! && port <= ports[at + 1]!) return true;
    }
    return false;
  }
}

function isBetween(words: Int32Array, at: number, packet: MarkablePacket): boolean {
  const to = at + WORD.destination;
  const toMask = at + WORD.destinationMask;
  const from = at + WORD.source;
  const fromMask = at + WORD.sourceMask;
  if (((packet.destination3 ^ words[to + 3]!) & words[toMask + 3]!) !== 0) return false;
  if (((packet.source3 ^ words[from + 3]!) & words[fromMask + 3]!) !== 0) return false;
  if (packet.family === 4) return true;
  return (
    (((packet.destination0 ^ words[to]!) & words[toMask]!) |
      ((packet.destination1 ^ words[to + 1]!) & words[toMask + 1]!) |
      ((packet.destination2 ^ words[to + 2]!) & words[toMask + 2]!) |
      ((packet.source0 ^ words[from]!) & words[fromMask]!) |
      ((packet.source1 ^ words[from + 1]!) & words[fromMask + 1]!) |
      ((packet.source2 ^ words[from + 2]!) & words[fromMask + 2]!)) ===
    0
  );
}

/** The rule's words; its ports go behind the others'. */
function wordsOf(rule: MarkRule, ports: number[]): number[] {
  const sourcePorts = ports.length;
  pushPorts(ports, rule.sourcePorts);
  const destinationPorts = ports.length;
  pushPorts(ports, rule.destinationPorts);
  return [
    protocolNumber(rule.protocol, rule.family),
    ...networkWords(rule.source, rule.family),
    ...networkWords(rule.destination, rule.family),
    sourcePorts,
    destinationPorts,
    ports.length,
    rule.mark,
  ];
}

function pushPorts(ports: number[], ranges: readonly PortRange[]): void {
  for (const { first, last } of ranges) ports.push(first, last);
}

function protocolNumber(protocol: MarkProtocol, family: MarkMatch["family"]): number {
  switch (protocol) {
    case "any":
      return ANY_PROTOCOL;
    case "icmp":
      return family === "inet" ? IP_PROTOCOL.icmp : IP_PROTOCOL.icmpv6;
    default:
      return IP_PROTOCOL[protocol];
  }
}

/** The network's four words, and the four of its mask. */
function networkWords(prefix: Prefix | undefined, family: MarkMatch["family"]): number[] {
  if (prefix === undefined) return [0, 0, 0, 0, 0, 0, 0, 0];
  const { address, length } = prefix;
  const ones = family === "inet" ? Address.inet(-1) : Address.inet6(-1, -1, -1, -1);
  return [address, ones.masked(length)].flatMap(({ w0, w1, w2, w3 }) => [w0, w1, w2, w3]);
}
