/** Mark rules as instructions of classic BPF, for the ring's filter (packet-filter.ts). */
import type { MarkMatch, PortRange } from "../../ipvs/mark-rule.ts";
import { Address } from "../../net/address.ts";
import { IP_PROTOCOL } from "../../net/ip-protocol.ts";
import {
  AND,
  INET,
  type Instruction,
  JUMP,
  JUMP_ANY_BIT,
  JUMP_EQUAL,
  JUMP_GREATER,
  JUMP_GREATER_OR_EQUAL,
  LOAD_BYTE,
  LOAD_HALF,
  LOAD_HEADER_LENGTH,
  LOAD_INDEXED_HALF,
  LOAD_WORD,
  RETURN,
  WHOLE_FRAME,
} from "./bpf-program.ts";

/** Where an IPv4 header begins: its ports lie behind its options. */
const INET_HEADER = 14;
/** Where the fields of IPv6 lie, addresses whole. */
const INET6 = { protocol: 20, source: 22, destination: 38, ports: 54 } as const;

/** More fragments, or an offset. */
const FRAGMENT_MASK = 0x3fff;

/** A part of a rule: it goes on when the packet fits, and jumps to the end of the rule when it does not. */
type Part = readonly (Instruction | MissingJump)[];

/** As an instruction, but it leads to the end of the rule where `misses` says so, however far that is. */
interface MissingJump {
  readonly code: number;
  readonly value: number;
  readonly misses: "if true" | "if false";
}

/** Takes packets that the rule matches; with others it goes on behind. Empty for rules about ICMP, which comes anyway. */
export function takeMarked(match: MarkMatch): Instruction[] {
  const { family, protocol, source, destination, sourcePorts, destinationPorts } = match;
  if (protocol === "icmp") return [];
  const at = family === "inet" ? INET : INET6;
  const parts: Part[] = [
    // Of "any" there are those three that are balanced: others do not get here.
    protocol === "any" ? [] : [[LOAD_BYTE, 0, 0, at.protocol], miss(IP_PROTOCOL[protocol])],
    destination === undefined ? [] : isIn(at.destination, destination.address, destination.length),
    source === undefined ? [] : isIn(at.source, source.address, source.length),
    hasPorts(family, sourcePorts, destinationPorts),
    [[RETURN, 0, 0, WHOLE_FRAME]],
  ];
  return resolved(parts.flat());
}

function miss(value: number): MissingJump {
  return { code: JUMP_EQUAL, value, misses: "if false" };
}

/** Whether the address at `at` is in a network, word by word. */
function isIn(at: number, network: Address, length: number): Part {
  const isInet = network.family === "inet";
  const ones = isInet ? Address.inet(-1) : Address.inet6(-1, -1, -1, -1);
  const mask = ones.masked(length);
  const words = isInet
    ? [[network.w3, mask.w3]]
    : [
        [network.w0, mask.w0],
        [network.w1, mask.w1],
        [network.w2, mask.w2],
        [network.w3, mask.w3],
      ];
  return words.flatMap(([word, bits], index): Part => {
    if (bits === 0) return [];
    const load: Instruction = [LOAD_WORD, 0, 0, at + 4 * index];
    return [load, [AND, 0, 0, bits! >>> 0], miss((word! & bits!) >>> 0)];
  });
}

/** Ports are only where the packet is no fragment: fragments fit. */
function hasPorts(
  family: MarkMatch["family"],
  sourcePorts: readonly PortRange[],
  destinationPorts: readonly PortRange[],
): Part {
  if (sourcePorts.length + destinationPorts.length === 0) return [];
  const load = (offset: number): Instruction =>
    family === "inet"
      ? [LOAD_INDEXED_HALF, 0, 0, INET_HEADER + offset]
      : [LOAD_HALF, 0, 0, INET6.ports + offset];
  const ports = [
    ...(sourcePorts.length === 0 ? [] : [load(0), ...isOneOf(sourcePorts)]),
    ...(destinationPorts.length === 0 ? [] : [load(2), ...isOneOf(destinationPorts)]),
  ];
  if (family === "inet6") return ports;
  // A jump further than 255 instructions needs the unconditional kind.
  return [
    [LOAD_HALF, 0, 0, INET.fragment],
    [JUMP_ANY_BIT, 0, 1, FRAGMENT_MASK],
    [JUMP, 0, 0, ports.length + 1],
    [LOAD_HEADER_LENGTH, 0, 0, INET_HEADER],
    ...ports,
  ];
}

/** Whether what was loaded is in one of the ranges. */
function isOneOf(ranges: readonly PortRange[]): Part {
  return ranges.flatMap(({ first, last }, index): Part => {
    // Behind the last range comes the rest of the rule: so it is there, or the rule does not match.
    if (index === ranges.length - 1) {
      return [
        { code: JUMP_GREATER_OR_EQUAL, value: first, misses: "if false" },
        { code: JUMP_GREATER, value: last, misses: "if true" },
      ];
    }
    // Each range before has three instructions, the last one two.
    const toRest = 3 * (ranges.length - 2 - index) + 2;
    return [
      [JUMP_GREATER_OR_EQUAL, 0, 2, first],
      [JUMP_GREATER, 1, 0, last],
      [JUMP, 0, 0, toRest],
    ];
  });
}

/** Jumps to the rule's end, which is near enough: 15 ranges are the most. */
function resolved(code: readonly (Instruction | MissingJump)[]): Instruction[] {
  return code.map((each, index): Instruction => {
    if (!("misses" in each)) return each;
    const distance = code.length - 1 - index;
    return each.misses === "if true"
      ? [each.code, distance, 0, each.value]
      : [each.code, 0, distance, each.value];
  });
}
