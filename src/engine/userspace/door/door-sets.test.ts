import { expect, test } from "vitest";
import type { Mark } from "../../../ipvs/service.ts";
import { Address } from "../../../net/address.ts";
import { toPort } from "../../../net/port.ts";
import type { DoorEndpoint, DoorRules } from "./door-rules.ts";
import { changesBetween, commandFor, elementsOf, NO_ELEMENTS, withChanges } from "./door-sets.ts";
import type { Stand } from "./door-words.ts";
import { transactionsOf } from "./netfilter-tables.ts";

const NO_RULES: DoorRules = {
  services: [],
  replies: [],
  marks: [],
  localReplies: [],
  localDirect: [],
};

function tcp(address: string, port?: number): DoorEndpoint {
  const number = port === undefined ? undefined : toPort(port);
  return { protocol: "tcp", address: Address.parse(address)!, port: number };
}

function commands(rules: Partial<DoorRules>, stand: Stand = "hooks"): string[] {
  return changesBetween(NO_ELEMENTS, elementsOf({ ...NO_RULES, ...rules }), stand).map((change) =>
    commandFor(change, stand),
  );
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
  const before = elementsOf({ ...NO_RULES, services: [tcp("10.0.0.1", 80), tcp("10.0.0.2", 80)] });
  const after = elementsOf({ ...NO_RULES, services: [tcp("10.0.0.1", 81), tcp("10.0.0.2", 80)] });
  expect(changesBetween(before, before, "hooks")).toEqual([]);
  const changes = changesBetween(before, after, "hooks");
  expect(changes.map((change) => commandFor(change, "hooks"))).toEqual([
    "add element ip sluice services { 10.0.0.1 . tcp . 81 }",
    "delete element ip sluice services { 10.0.0.1 . tcp . 80 }",
  ]);
  expect(changesBetween(withChanges(before, changes), after, "hooks")).toEqual([]);
});

test("many changes are cut into transactions of a thousand elements, none lost", () => {
  const services = Array.from({ length: 2_500 }, (_, index) => tcp("10.0.0.1", index + 1));
  const wanted = elementsOf({ ...NO_RULES, services });
  const transactions = transactionsOf(changesBetween(NO_ELEMENTS, wanted, "hooks"));
  const sizes = transactions.map((parts) => parts.flatMap(({ elements }) => elements).length);
  expect(sizes).toEqual([1_000, 1_000, 502]);
  const made = transactions.reduce(withChanges, NO_ELEMENTS);
  expect(changesBetween(made, wanted, "hooks")).toEqual([]);
});
