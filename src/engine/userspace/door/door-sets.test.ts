import { expect, test } from "vitest";
import type { Mark } from "../../../ipvs/desired/service.ts";
import { Address } from "../../../net/address.ts";
import { toPort } from "../../../net/port.ts";
import { type DoorEndpoint, type DoorRules, NO_RULES } from "./door-rules.ts";
import { type Change, commandFor, DoorContents, transactionsOf } from "./door-sets.ts";
import type { Stand } from "./door-words.ts";

function tcp(address: string, port?: number): DoorEndpoint {
  const number = port === undefined ? undefined : toPort(port);
  return { protocol: "tcp", address: Address.parse(address)!, port: number };
}

function commands(rules: Partial<DoorRules>, stand: Stand = "hooks"): string[] {
  return texts(contentsWith(rules).changes(stand), stand);
}

function contentsWith(rules: Partial<DoorRules>): DoorContents {
  const contents = new DoorContents();
  contents.want({ ...NO_RULES, ...rules }, NO_RULES);
  return contents;
}

/** As if the kernel had done all that was to be done. */
function done(contents: DoorContents): void {
  contents.done(contents.changes("hooks"));
}

function texts(changes: readonly Change[], stand: Stand = "hooks"): string[] {
  return changes.map((change) => commandFor(change, { stand, number: 0 }));
}

test("services are taken by port or by all of them, and ICMP errors with them", () => {
  expect(commands({ services: [tcp("10.0.0.1", 80), tcp("2001:db8::1")] })).toEqual([
    "add element ip sluice services { 10.0.0.1 . tcp . 80 }",
    "add element ip sluice serviceFragments { 10.0.0.1 . tcp }",
    "add element ip sluice errors { icmp }",
    "add element ip6 sluice everyPort { 2001:db8::1 . tcp }",
    "add element ip6 sluice serviceFragments { 2001:db8::1 . tcp }",
    "add element ip6 sluice errors { ipv6-icmp }",
  ]);
});

test("masqueraded servers' replies are taken, their fragments and what routers tell about them", () => {
  expect(commands({ replies: [tcp("10.1.0.1", 8080)] })).toEqual([
    "add element ip sluice replies { 10.1.0.1 . tcp . 8080 }",
    "add element ip sluice replyFragments { 10.1.0.1 . tcp }",
    "add element ip sluice errors { icmp }",
    "add element ip sluice forwardedErrors { icmp }",
  ]);
});

test("a mark is its family's, in digits that nft does not take for a name", () => {
  expect(commands({ marks: [{ family: "inet6", mark: 10 as Mark }] })).toEqual([
    "add element ip6 sluice marks { 0x0000000a }",
    "add element ip6 sluice errors { ipv6-icmp }",
    "add element ip6 sluice forwardedErrors { ipv6-icmp }",
  ]);
});

test("a range's ports are given its mark; another range takes its place and not beside it", () => {
  const range = (last: number) => ({
    range: {
      protocol: "udp" as const,
      address: Address.parse("10.0.0.1")!,
      first: toPort(8000),
      last: toPort(last),
    },
    mark: 7 as Mark,
  });
  const contents = contentsWith({ ranges: [range(8010)] });
  expect(texts(contents.changes("hooks"))).toEqual([
    "add element ip sluice ranges { 10.0.0.1 . udp . 8000-8010 : 0x00000007 }",
  ]);
  done(contents);
  const [before, after] = [range(8010), range(8020)].map((each) => ({
    ...NO_RULES,
    ranges: [each],
  }));
  const toBefore = [
    "delete element ip sluice ranges { 10.0.0.1 . udp . 8000-8020 : 0x00000007 }",
    "add element ip sluice ranges { 10.0.0.1 . udp . 8000-8010 : 0x00000007 }",
  ];
  const toAfter = [
    "delete element ip sluice ranges { 10.0.0.1 . udp . 8000-8010 : 0x00000007 }",
    "add element ip sluice ranges { 10.0.0.1 . udp . 8000-8020 : 0x00000007 }",
  ];
  // Both are wanted while the director goes from one to the other, which it may refuse.
  contents.want(after!, NO_RULES);
  expect(texts(contents.changes("hooks"))).toEqual(toAfter);
  done(contents);
  contents.want(NO_RULES, after!);
  expect(texts(contents.changes("hooks"))).toEqual(toBefore);
  done(contents);
  contents.want(after!, NO_RULES);
  done(contents);
  contents.want(NO_RULES, before!);
  expect(contents.changes("hooks")).toEqual([]);
  contents.emptied();
  expect(texts(contents.changes("hooks"))).toEqual([toAfter[1]]);
});

test("what servers on the host itself send is led into the lane", () => {
  expect(commands({ localReplies: [tcp("10.1.0.1", 8080), tcp("10.1.0.2")] })).toEqual([
    "add element ip sluice localReplies { 10.1.0.1 . tcp . 8080 }",
    "add element ip sluice localEveryPort { 10.1.0.2 . tcp }",
    "add element ip sluice localServers { 10.1.0.1, 10.1.0.2 }",
  ]);
  expect(commands({ localDirect: [tcp("10.0.0.1", 80)] })).toEqual([
    "add element ip sluice localDirect { 10.0.0.1 . 80 }",
  ]);
});

test("on the wire fragments are taken by address, and there is neither mark nor local server", () => {
  const rules = {
    services: [tcp("10.0.0.1", 80)],
    replies: [tcp("10.1.0.1", 8080)],
    marks: [{ family: "inet", mark: 7 as Mark }],
    localReplies: [tcp("10.1.0.1", 8080)],
  } as const;
  expect(commands(rules, "wire")).toEqual([
    "add element netdev sluice services { 10.0.0.1 . tcp . 80 }",
    "add element netdev sluice serviceFragments { 10.0.0.1 . tcp }",
    "add element netdev sluice replies { 10.1.0.1 . tcp . 8080 }",
    "add element netdev sluice replyFragments { 10.1.0.1 . tcp }",
    "add element netdev sluice errors { icmp }",
  ]);
});

test("only what differs changes, and additions come first", () => {
  const contents = contentsWith({ services: [tcp("10.0.0.1", 80), tcp("10.0.0.2", 80)] });
  done(contents);
  expect(contents.changes("hooks")).toEqual([]);
  contents.want(
    { ...NO_RULES, services: [tcp("10.0.0.1", 81)] },
    { ...NO_RULES, services: [tcp("10.0.0.1", 80)] },
  );
  expect(texts(contents.changes("hooks"))).toEqual([
    "add element ip sluice services { 10.0.0.1 . tcp . 81 }",
    "delete element ip sluice services { 10.0.0.1 . tcp . 80 }",
  ]);
  done(contents);
  expect(contents.changes("hooks")).toEqual([]);
});

test("what several rules need stays until the last has gone", () => {
  const [one, other] = [tcp("10.0.0.1", 80), tcp("10.0.0.1", 81)];
  const contents = contentsWith({ services: [one, other] });
  done(contents);
  contents.want(NO_RULES, { ...NO_RULES, services: [one] });
  expect(texts(contents.changes("hooks"))).toEqual([
    "delete element ip sluice services { 10.0.0.1 . tcp . 80 }",
  ]);
  done(contents);
  contents.want(NO_RULES, { ...NO_RULES, services: [other] });
  expect(texts(contents.changes("hooks"))).toEqual([
    "delete element ip sluice services { 10.0.0.1 . tcp . 81 }",
    "delete element ip sluice serviceFragments { 10.0.0.1 . tcp }",
    "delete element ip sluice errors { icmp }",
  ]);
});

test("what was done of a change that is taken back is undone", () => {
  const contents = contentsWith({ services: [tcp("10.0.0.1", 80)] });
  done(contents);
  const more = { ...NO_RULES, services: [tcp("10.0.0.2", 80), tcp("10.0.0.3", 80)] };
  contents.want(more, NO_RULES);
  const [first] = contents.changes("hooks");
  contents.done([{ ...first!, elements: first!.elements.slice(0, 1) }]);
  contents.want(NO_RULES, more);
  expect(texts(contents.changes("hooks"))).toEqual([
    "delete element ip sluice services { 10.0.0.2 . tcp . 80 }",
  ]);
});

test("sets that were emptied are filled again", () => {
  const contents = contentsWith({ services: [tcp("10.0.0.1", 80)] });
  const before = texts(contents.changes("hooks"));
  done(contents);
  contents.emptied();
  expect(texts(contents.changes("hooks"))).toEqual(before);
});

test("many changes are cut into transactions of a thousand elements, none lost", () => {
  const services = Array.from({ length: 2_500 }, (_, index) => tcp("10.0.0.1", index + 1));
  const contents = contentsWith({ services });
  const transactions = transactionsOf(contents.changes("hooks"));
  const sizes = transactions.map((parts) => parts.flatMap(({ elements }) => elements).length);
  expect(sizes).toEqual([1_000, 1_000, 502]);
  for (const transaction of transactions) contents.done(transaction);
  expect(contents.changes("hooks")).toEqual([]);
});
