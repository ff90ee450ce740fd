import fc from "fast-check";
import { expect, test } from "vitest";
import { address } from "../../test/builders.ts";
import { markRule } from "../../test/mark-rules.ts";
import { Address } from "../net/address.ts";
import { toPort } from "../net/port.ts";
import { prefixContains } from "../net/prefix.ts";
import { type MarkablePacket, MarkMatcher } from "./mark-matcher.ts";
import type { MarkRule, PortRange } from "./mark-rule.ts";
import type { Mark } from "./service.ts";

const PROTOCOL = { icmp: 1, tcp: 6, udp: 17, icmpv6: 58, sctp: 132 } as const;

interface Facts {
  readonly protocol: number;
  readonly from: Address;
  readonly to: Address;
  readonly sourcePort: number;
  readonly destinationPort: number;
}

function packetOf({ protocol, from, to, sourcePort, destinationPort }: Facts): MarkablePacket {
  return {
    family: from.family === "inet" ? 4 : 6,
    protocol,
    source0: from.w0,
    source1: from.w1,
    source2: from.w2,
    source3: from.w3,
    destination0: to.w0,
    destination1: to.w1,
    destination2: to.w2,
    destination3: to.w3,
    sourcePort,
    destinationPort,
  };
}

/** `tcp 10.9.0.1 1000 > 10.0.0.1 80`. */
function packet(text: string): MarkablePacket {
  const [protocol, from, sourcePort, , to, destinationPort] = text.split(" ");
  return packetOf({
    protocol: PROTOCOL[protocol as keyof typeof PROTOCOL],
    from: address(from!),
    to: address(to!),
    sourcePort: Number(sourcePort),
    destinationPort: Number(destinationPort),
  });
}

const matcher = new MarkMatcher(
  [
    "-d 10.0.0.1 -p tcp --ports 80,443,8000-8100 -m 1",
    "-d 10.0.0.1 -p udp --sports 53 -m 2",
    "-s 10.9.0.0/16 -d 10.0.0.0/24 -m 3",
    "-p icmp -m 4",
    "-6 -p icmp -m 5",
    "-d 2001:db8::/33 -p sctp -m 0xffffffff",
    "-d 10.0.0.1 -m 6",
  ].map(markRule),
);

// biome-ignore format: a table
const cases: [packet: string, mark: number][] = [
  ["tcp 10.8.0.1 1000 > 10.0.0.1 80",     1],
  ["tcp 10.8.0.1 1000 > 10.0.0.1 8100",   1],
  ["tcp 10.8.0.1 1000 > 10.0.0.1 8101",   6],
  ["tcp 10.9.0.1 1000 > 10.0.0.1 8101",   3],
  ["udp 10.8.0.1 53 > 10.0.0.1 80",       2],
  ["udp 10.9.255.255 1 > 10.0.0.255 80",  3],
  ["udp 10.9.255.255 1 > 10.0.1.0 80",    0],
  ["icmp 10.8.0.1 0 > 10.0.0.9 0",        4],
  ["icmpv6 2001:db8::1 0 > ::1 0",        5],
  ["sctp ::1 1 > 2001:db8:7fff::1 1",     0xffff_ffff],
  ["sctp ::1 1 > 2001:db8:8000::1 1",     0],
  ["tcp 10.8.0.1 1000 > 10.0.0.2 80",     0],
];

test.for(cases)("%s: mark %d", ([text, mark]) => {
  expect(matcher.markOf(packet(text)) >>> 0).toBe(mark);
});

test("of a fragment the ports are not known", () => {
  expect(matcher.matches(packet("tcp 10.8.0.1 0 > 10.0.0.1 0"), true)).toBe(true);
  expect(matcher.matches(packet("tcp 10.8.0.1 0 > 10.0.0.2 0"), true)).toBe(false);
  expect(new MarkMatcher([]).matches(packet("tcp ::1 0 > ::2 0"), true)).toBe(false);
});

const family = fc.constantFrom("inet" as const, "inet6" as const);
/** Few values, so that rules match. */
const word = fc.constantFrom(0, 1, -1, 0x0a00_0001, -0x8000_0000);
const addressOf = (of: "inet" | "inet6"): fc.Arbitrary<Address> =>
  of === "inet"
    ? word.map((w3) => Address.inet(w3))
    : fc.tuple(word, word, word, word).map((words) => Address.inet6(...words));
const port = fc.integer({ min: 0, max: 9 });
const ranges = fc.array(
  fc
    .tuple(port, port)
    .map((two): PortRange => ({ first: toPort(Math.min(...two)), last: toPort(Math.max(...two)) })),
  { maxLength: 3 },
);

const rule = family.chain((of) => {
  const prefix = fc.option(
    fc.record({
      address: addressOf(of),
      length: fc.integer({ min: 0, max: of === "inet" ? 32 : 128 }),
    }),
    { nil: undefined },
  );
  return fc.record({
    family: fc.constant(of),
    protocol: fc.constantFrom("any", "tcp", "udp", "icmp"),
    source: prefix,
    destination: prefix,
    sourcePorts: ranges,
    destinationPorts: ranges,
    mark: fc.integer({ min: 1, max: 0xffff_ffff }).map((mark) => mark as Mark),
  }) as fc.Arbitrary<MarkRule>;
});

const facts: fc.Arbitrary<Facts> = family.chain((of) =>
  fc.record({
    protocol: fc.constantFrom(...Object.values(PROTOCOL)),
    from: addressOf(of),
    to: addressOf(of),
    sourcePort: port,
    destinationPort: port,
  }),
);

/** The rules as a reader takes them. */
function isMatch(rule: MarkRule, { protocol, from, to, sourcePort, destinationPort }: Facts) {
  const isIn = (ranges: readonly PortRange[], port: number): boolean =>
    ranges.length === 0 || ranges.some(({ first, last }) => first <= port && port <= last);
  const icmp = rule.family === "inet" ? PROTOCOL.icmp : PROTOCOL.icmpv6;
  return (
    rule.family === from.family &&
    (rule.protocol === "any" ||
      protocol === (rule.protocol === "icmp" ? icmp : PROTOCOL[rule.protocol])) &&
    (rule.source === undefined || prefixContains(rule.source, from)) &&
    (rule.destination === undefined || prefixContains(rule.destination, to)) &&
    isIn(rule.sourcePorts, sourcePort) &&
    isIn(rule.destinationPorts, destinationPort)
  );
}

test("the first rule that matches decides", () => {
  fc.assert(
    fc.property(
      fc.array(rule, { maxLength: 8 }),
      fc.array(facts, { minLength: 5 }),
      (rules, all) => {
        const compiled = new MarkMatcher(rules);
        for (const each of all) {
          const first = rules.find((candidate) => isMatch(candidate, each));
          expect(compiled.markOf(packetOf(each)) >>> 0).toBe(first?.mark ?? 0);
        }
      },
    ),
  );
});
