import { expect, test } from "vitest";
import { groupId } from "./group.ts";

const GROUPS = "root:x:0:\nlvs:x:990:alice,bob\n";

test("a group is found by name or number", () => {
  expect(groupId("lvs", GROUPS)).toBe(990);
  expect(groupId("1234", GROUPS)).toBe(1234);
});

// biome-ignore format: a table
const refusals: [text: string, complaint: string][] = [
  ["root",       "the group root does not count"],
  ["0",          "the group root does not count"],
  ["nobodies",   "--socket-group nobodies: /etc/group has no such group"],
  ["4294967295", "--socket-group 4294967295: /etc/group has no such group"],
];

test.for(refusals)("%s is refused", ([text, complaint]) => {
  expect(() => groupId(text, GROUPS)).toThrow(complaint);
});
