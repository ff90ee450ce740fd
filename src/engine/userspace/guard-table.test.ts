import { expect, test } from "vitest";
import { Address } from "../../net/address.ts";
import { toPort } from "../../net/port.ts";
import { type GuardEndpoint, NO_RULES } from "./guard-rules.ts";
import { changesBetween, commandFor, elementsOf, NO_ELEMENTS } from "./guard-table.ts";
import { transactionsOf } from "./host-guard.ts";

function tcp(address: string, port?: number): GuardEndpoint {
  const number = port === undefined ? undefined : toPort(port);
  return { protocol: "tcp", address: Address.parse(address)!, port: number };
}

const TWO = elementsOf({
  ...NO_RULES,
  services: [tcp("10.0.0.1", 80), tcp("2001:db8::1")],
  exemptInterfaces: ["exit"],
});

test("every endpoint is an element, with a second one for its fragments", () => {
  expect(changesBetween(NO_ELEMENTS, TWO).map(commandFor)).toEqual([
    "add element inet sluice_guard services4 { 10.0.0.1 . tcp . 80 }",
    "add element inet sluice_guard everyPort6 { 2001:db8::1 . tcp }",
    "add element inet sluice_guard fragments4 { 10.0.0.1 . tcp }",
    "add element inet sluice_guard fragments6 { 2001:db8::1 . tcp }",
    'add element inet sluice_guard exempt { "exit" }',
  ]);
});

test("only what differs changes, and additions come first", () => {
  const next = elementsOf({
    ...NO_RULES,
    services: [tcp("10.0.0.1", 81), tcp("2001:db8::1")],
    exemptInterfaces: ["exit"],
  });
  expect(changesBetween(TWO, TWO)).toEqual([]);
  expect(changesBetween(TWO, next).map(commandFor)).toEqual([
    "add element inet sluice_guard services4 { 10.0.0.1 . tcp . 81 }",
    "delete element inet sluice_guard services4 { 10.0.0.1 . tcp . 80 }",
  ]);
});

test("many changes are cut into transactions of a thousand elements, none lost", () => {
  const services = Array.from({ length: 2_500 }, (_, index) => tcp("10.0.0.1", index + 1));
  const changes = changesBetween(NO_ELEMENTS, elementsOf({ ...NO_RULES, services }));
  const transactions = transactionsOf(changes);
  const sizes = transactions.map((parts) => parts.flatMap(({ elements }) => elements).length);
  expect(sizes).toEqual([1_000, 1_000, 501]);
  expect(new Set(transactions.flat().flatMap(({ elements }) => elements)).size).toBe(2_501);
});
