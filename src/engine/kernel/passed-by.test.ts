import { expect, test } from "vitest";
import { chainsIn } from "./passed-by.ts";

const CHAIN = { family: "inet", table: "filter", name: "input", hook: "input", policy: "accept" };
const RULE = { family: "inet", table: "filter", chain: "input" };

const rows: [what: string, objects: object[], told: string[]][] = [
  ["nothing", [], []],
  ["a chain without rules", [{ chain: CHAIN }], []],
  ["rules", [{ chain: CHAIN }, { rule: RULE }, { rule: RULE }], ["inet filter input (2 rules)"]],
  [
    "a policy",
    [{ chain: { ...CHAIN, policy: "drop" } }, { rule: RULE }],
    ["inet filter input (policy drop, 1 rule)"],
  ],
  ["what comes later", [{ chain: { ...CHAIN, hook: "forward" } }, { rule: RULE }], []],
  [
    "our own",
    [{ chain: { ...CHAIN, table: "sluice-0" } }, { rule: { ...RULE, table: "sluice-0" } }],
    [],
  ],
  ["a chain that others jump to", [{ chain: { ...CHAIN, hook: undefined } }, { rule: RULE }], []],
];

test.for(rows)("of a ruleset with %s", ([, objects, told]) => {
  expect(chainsIn(JSON.stringify({ nftables: objects }))).toEqual(told);
});

test("of what is no listing nothing is told", () => {
  expect(chainsIn("")).toEqual([]);
});
