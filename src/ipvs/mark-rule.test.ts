import { describe, expect, test } from "vitest";
import { markRule } from "../../test/mark-rules.ts";
import { type DesiredState, EMPTY_STATE, flush } from "./desired-state.ts";
import { LbError } from "./errors.ts";
import {
  addMarkRule,
  deleteMarkRule,
  flushMarkRules,
  formatMarkRule,
  MARK_RULES_MAX,
} from "./mark-rule.ts";

function rules(...lines: string[]): DesiredState {
  return lines.reduce((state, line) => addMarkRule(state, markRule(line)), EMPTY_STATE);
}

function texts(state: DesiredState): string[] {
  return state.markRules.map(formatMarkRule);
}

function refusal(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof LbError) return error.message;
    throw error;
  }
  return "none";
}

// biome-ignore format: a table
const forms: [line: string, text: string][] = [
  ["-d 10.0.0.1 -p tcp --ports 80,443 -m 7",         "inet tcp from any to 10.0.0.1 ports 80,443 mark 7"],
  ["-d 10.0.0.1/24 -m 0x10",                         "inet any from any to 10.0.0.0/24 mark 16"],
  ["-s 0.0.0.0/0 -d 0.0.0.0/0 -m 1",                 "inet any from any to any mark 1"],
  ["-s 2001:db8::1/32 -p icmp -m 4294967295",        "inet6 icmp from 2001:db8::/32 to any mark 4294967295"],
  ["-6 -p udp --sports 53 --dports 1-2,3,9,5-7 -m 1", "inet6 udp from any ports 53 to any ports 1-3,5-7,9 mark 1"],
  ["-p sctp --ports 0-65535,7 -m 1",                 "inet sctp from any to any ports 0-65535 mark 1"],
];

test.for(forms)("%s has one form", ([line, text]) => {
  expect(texts(rules(line))).toEqual([text]);
});

describe("a list of rules", () => {
  const three = rules("-d 10.0.0.1 -m 1", "-d 10.0.0.2 -m 2", "-d 10.0.0.3 -m 3");
  const marks = (state: DesiredState): number[] => state.markRules.map(({ mark }) => mark);

  test("keeps the order in which they were added, or were put", () => {
    expect(marks(three)).toEqual([1, 2, 3]);
    expect(marks(addMarkRule(three, markRule("-d 10.0.0.4 -m 4"), 2))).toEqual([1, 4, 2, 3]);
    expect(marks(addMarkRule(three, markRule("-d 10.0.0.4 -m 4"), 4))).toEqual([1, 2, 3, 4]);
  });

  test("loses the one that is deleted, or all", () => {
    expect(marks(deleteMarkRule(three, "inet any from any to 10.0.0.2"))).toEqual([1, 3]);
    expect(marks(flushMarkRules(three))).toEqual([]);
    expect(marks(flush(three))).toEqual([1, 2, 3]);
  });

  // biome-ignore format: a table
  const refusals: [line: string, position: number | undefined, why: string][] = [
    ["-d 10.0.0.2/32 -m 9",  undefined, "Mark rule already exists: inet any from any to 10.0.0.2 mark 2"],
    ["-d 10.0.0.4 -m 9",     5,         "Invalid mark rule: inet any from any to 10.0.0.4 mark 9: position 5 is not in 1 to 4"],
    ["-p icmp --ports 1 -m 9", undefined, "ports need the protocol tcp, udp or sctp"],
    ["--ports 1 -m 9",       undefined, "ports need the protocol tcp, udp or sctp"],
    ["-p tcp --ports 9-1 -m 9", undefined, "ports 9-1 begin behind their end"],
    [`-p tcp --ports ${Array.from({ length: 16 }, (_, index) => index * 2).join(",")} -m 9`, undefined, "16 ranges of ports are more than 15"],
  ];

  test.for(refusals)("refuses %s", ([line, position, why]) => {
    expect(refusal(() => addMarkRule(three, markRule(line), position))).toContain(why);
  });

  test("refuses what a caller could not say in words", () => {
    const rule = markRule("-d 10.0.0.4 -m 9");
    expect(refusal(() => addMarkRule(three, { ...rule, family: "inet6" }))).toContain(
      "10.0.0.4/32 is of the other address family",
    );
    expect(refusal(() => addMarkRule(three, { ...rule, mark: 0 as never }))).toContain(
      "mark 0 is not in 1 to 4294967295",
    );
    expect(refusal(() => deleteMarkRule(three, "10.0.0.2"))).toBe("No such mark rule: 10.0.0.2");
  });

  test("has an end", () => {
    const full = rules(
      ...Array.from({ length: MARK_RULES_MAX }, (_, index) => `-p tcp --ports ${index} -m 1`),
    );
    expect(refusal(() => addMarkRule(full, markRule("-m 1")))).toContain("256 rules already");
  });
});
