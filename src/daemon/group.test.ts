import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { groupId } from "./group.ts";

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "sluice-group-"));
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** A program in getent's place, for a system whose name service knows more than /etc/group. */
function getent(name: string, script: string): string {
  const path = join(folder, name);
  writeFileSync(path, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return path;
}

test("a name is looked up where the system looks names up", () => {
  const directory = getent(
    "directory",
    `case "$*" in
       "group -- lvs") echo "lvs:*:990:alice,bob" ;;
       "group -- DOMAIN\\operators of the lb") echo "operators:*:20513:" ;;
       *) exit 2 ;;
     esac`,
  );
  expect(groupId("lvs", directory)).toBe(990);
  expect(groupId("DOMAIN\\operators of the lb", directory)).toBe(20_513);
  expect(() => groupId("nobodies", directory)).toThrow(
    "--socket-group nobodies: the system knows no such group (getent group nobodies): name another, or give a number",
  );
});

test("a number is taken as it is, also one that has no name", () => {
  expect(groupId("1234", join(folder, "none"))).toBe(1234);
});

test("the group root does not count", () => {
  const complaint = "--socket-group: the group root does not count: name another";
  expect(() => groupId("root", getent("root", "echo root:x:0:"))).toThrow(complaint);
  expect(() => groupId("0")).toThrow(complaint);
});

test("a number that no group can have is refused", () => {
  expect(() => groupId("4294967295")).toThrow(
    "--socket-group 4294967295: no group can have this number: expected one from 1 to 4294967294",
  );
});

// biome-ignore format: a table
const troubles: [what: string, script: string | undefined, why: RegExp][] = [
  ["is not installed",  undefined,                       /getent is not there/],
  ["fails",             "echo 'no database' >&2; exit 3", /getent: no database/],
  ["says nothing",      "exit 3",                         /getent ended with 3/],
  ["answers nonsense",  "echo lvs:x:many:",               /getent says "lvs:x:many:"/],
];

test.for(troubles)(
  "a name that cannot be looked up is refused: getent %s",
  ([what, script, why]) => {
    const program = script === undefined ? join(folder, "none") : getent(what, script);
    expect(() => groupId("lvs", program)).toThrow(why);
    expect(() => groupId("lvs", program)).toThrow(
      /^--socket-group lvs: the group cannot be looked up: .*: give its number$/,
    );
  },
);
