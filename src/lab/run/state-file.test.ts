import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import {
  forgetKept,
  type KeptLab,
  parseKept,
  readKept,
  startTimeOf,
  stateFilePath,
  writeKept,
} from "./state-file.ts";

const UID = process.getuid!();

let directory: string;
let path: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "state-file-"));
  path = join(directory, "sluice", "lab.json");
});

afterEach(() => rmSync(directory, { recursive: true }));

/** A laboratory whose inside is this very process, which certainly lives. */
const alive = (): KeptLab => ({
  scenario: "nat",
  pid: process.pid,
  startTime: startTimeOf(process.pid)!,
  inUserNamespace: true,
  hosts: { client: 2, node01: 3, node02: 4, node03: 5 },
});

test("each user has a place of their own", () => {
  expect(stateFilePath(0, { XDG_RUNTIME_DIR: "/run/user/0" })).toBe("/run/sluice/lab.json");
  expect(stateFilePath(1000, { XDG_RUNTIME_DIR: "/run/user/1000" })).toBe(
    "/run/user/1000/sluice/lab.json",
  );
  expect(stateFilePath(1000, {})).toBe("/tmp/sluice-1000/lab.json");
  expect(stateFilePath(1000, { XDG_RUNTIME_DIR: "" })).toBe("/tmp/sluice-1000/lab.json");
});

test("what is written is read, by nobody else", () => {
  expect(readKept(path, UID)).toBeUndefined();
  writeKept(path, alive());
  expect(readKept(path, UID)).toEqual(alive());
  expect(statSync(path).mode & 0o077).toBe(0);
  forgetKept(path);
  expect(readKept(path, UID)).toBeUndefined();
  expect(existsSync(dirname(path))).toBe(false);
});

test("what else is beside it stays", () => {
  writeKept(path, alive());
  writeFileSync(join(dirname(path), "sluice.sock"), "");
  forgetKept(path);
  expect(existsSync(join(dirname(path), "sluice.sock"))).toBe(true);
});

test("a second laboratory does not replace the first", () => {
  writeKept(path, alive());
  expect(() => writeKept(path, alive())).toThrow("EEXIST");
});

test("a laboratory that has ended is forgotten, also when its process id is somebody else's now", () => {
  writeKept(path, { ...alive(), startTime: "1" });
  expect(readKept(path, UID)).toBeUndefined();
  expect(existsSync(path)).toBe(false);
});

test("a file that makes no sense is cleaned away", () => {
  writeKept(path, alive());
  writeFileSync(path, "{");
  expect(readKept(path, UID)).toBeUndefined();
  expect(existsSync(path)).toBe(false);
});

test("somebody else's file is refused", () => {
  writeKept(path, alive());
  expect(() => readKept(path, UID + 1)).toThrow("it is not used");
});

test("only a complete state is one", () => {
  const whole = { ...alive() };
  expect(parseKept(JSON.stringify(whole))).toEqual(whole);
  for (const name of Object.keys(whole)) {
    expect(parseKept(JSON.stringify({ ...whole, [name]: null }))).toBeUndefined();
    expect(parseKept(JSON.stringify({ ...whole, [name]: undefined }))).toBeUndefined();
  }
  expect(parseKept(JSON.stringify({ ...whole, hosts: { client: 1 } }))).toBeUndefined();
  expect(parseKept(JSON.stringify({ ...whole, pid: -1 }))).toBeUndefined();
  expect(parseKept("null")).toBeUndefined();
});
