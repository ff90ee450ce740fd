import { expect, test } from "vitest";
import { transactionsBetween } from "./path-contents.ts";

const elements = (all: Readonly<Record<string, readonly string[]>>) =>
  new Map(Object.entries(all).map(([set, of]) => [set, new Set(of)]));

test("what goes goes before what comes, and what stays is not spoken of", () => {
  const before = elements({ "inet t s": ["10.0.0.1", "10.0.0.2"] });
  const after = elements({ "inet t s": ["10.0.0.2", "10.0.0.3"], "inet t m": ["1 : 2"] });
  expect(transactionsBetween(before, after)).toEqual([
    "delete element inet t s { 10.0.0.1 }",
    "add element inet t s { 10.0.0.3 }; add element inet t m { 1 : 2 }",
  ]);
});

test("many go in portions", () => {
  const many = elements({ s: Array.from({ length: 2_001 }, (_, index) => `${index}`) });
  expect(transactionsBetween(new Map(), many)).toHaveLength(3);
});
