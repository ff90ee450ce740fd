import { spawn } from "node:child_process";
import {
  chmodSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, expect, test } from "vitest";
import { END } from "../../ipvs/connections/table-memory.ts";
import { ConnectionFile, type ConnectionFileOptions } from "./connection-file.ts";

const directory = mkdtempSync(join(tmpdir(), "sluice-connections-"));
const path = join(directory, "connections.1");
const LIMIT = 100;
let said: string[] = [];

beforeEach(() => {
  for (const name of readdirSync(directory)) rmSync(join(directory, name));
  said = [];
});

afterAll(() => rmSync(directory, { recursive: true, force: true }));

async function open(changes: Partial<ConnectionFileOptions> = {}): Promise<ConnectionFile> {
  return (await tryOpen(changes))!;
}

function tryOpen(
  changes: Partial<ConnectionFileOptions> = {},
): Promise<ConnectionFile | undefined> {
  return ConnectionFile.open({
    path,
    limit: LIMIT,
    adopts: true,
    stays: true,
    events: {
      warn: (_message, error) => said.push((error as Error).message),
      inform: (message) => said.push(message),
    },
    ...changes,
  });
}

/** A file with one record and one slot, as a process leaves it that is killed. */
async function leave(): Promise<void> {
  using file = await open();
  const { memory } = file;
  expect(memory.room(1)).toBe(LIMIT);
  memory.words[5] = 77;
  memory.ends[END.records] = 1;
  memory.chunk(0)![3] = 99;
  memory.ends[END.slots] = 1;
}

async function found(changes: Partial<ConnectionFileOptions> = {}): Promise<number[]> {
  using file = await open(changes);
  const { words, ends } = file.memory;
  return [ends[END.records]!, ends[END.slots]!, words[5]!];
}

test("what one process wrote another finds, without a word", async () => {
  await leave();
  expect(await found()).toEqual([1, 1, 77]);
  using file = await open();
  expect(file.memory.chunk(0)![3]).toBe(99);
  expect(said).toEqual([]);
  const { mode, size } = lstatSync(path);
  expect([(mode & 0o777).toString(8), size > LIMIT * 128]).toEqual(["600", true]);
});

test("it begins anew, and says why", async () => {
  const cases: [why: RegExp, damage: () => void, changes?: Partial<ConnectionFileOptions>][] = [
    [/it was asked for/, () => {}, { adopts: false }],
    [/was for 100 connections, and is now for 200/, () => {}, { limit: 200 }],
    [/the host was started anew/, () => change(/"boot":"./, '"boot":"_')],
    [/another version of Sluice/, () => change(/"layout":"./, '"layout":"_')],
    [/another network namespace/, () => change(/"namespace":"./, '"namespace":"_')],
    [/is no connection table/, () => change(/sluice/, "SLUICE")],
    [/is no connection table/, () => writeFileSync(path, "garbage")],
    [/is no connection table/, () => writeFileSync(path, "")],
    [/is no connection table/, () => writeFileSync(path, "sluice connections {\n\0")],
    [/ends too early/, () => truncateSync(path, 8192)],
    [/more connections were used than there can be/, () => writeAt(1024, 101)],
    [/more connections were used than there can be/, () => writeAt(1024, -1)],
  ];
  for (const [why, damage, changes] of cases) {
    rmSync(path, { force: true });
    await leave();
    damage();
    said = [];
    expect(await found(changes)).toEqual([0, 0, 0]);
    expect(said).toHaveLength(1);
    expect(said[0]).toMatch(why);
  }
});

test("what is not a file of its own it leaves alone, and does without", async () => {
  const other = join(directory, "other");
  const cases: [why: RegExp, put: () => void][] = [
    [/is a symbolic link, which stays/, () => symlinkSync(other, path)],
    [/is not a file that is ours alone/, () => writeFileSync(path, "x", { mode: 0o600 })],
  ];
  for (const [why, put] of cases) {
    rmSync(path, { force: true });
    writeFileSync(other, "precious");
    put();
    if (!lstatSync(path).isSymbolicLink()) chmodSync(path, 0o644);
    const before = lstatSync(path).ino;
    said = [];
    expect(await tryOpen()).toBeUndefined();
    expect(said.join()).toMatch(why);
    expect([lstatSync(path).ino, readFileSync(other, "latin1")]).toEqual([before, "precious"]);
  }
  expect(await tryOpen({ path: join(directory, "nowhere", "connections") })).toBeUndefined();
  expect(await tryOpen({ path: directory })).toBeUndefined();
});

test("a symbolic link beside it, where a new one is made, is not followed", async () => {
  const other = join(directory, "other");
  writeFileSync(other, "precious");
  symlinkSync(other, `${path}.new`);
  using _file = await open();
  expect(readFileSync(other, "latin1")).toBe("precious");
});

test("one that a process has open is nobody else's", async () => {
  using _file = await open();
  expect(await tryOpen()).toBeUndefined();
  expect(said.join()).toMatch(/is in use by another process/);
});

test("one that shall not stay has no name once it is open", async () => {
  await leave();
  expect(await found({ stays: false })).toEqual([1, 1, 77]);
  expect(() => lstatSync(path)).toThrow(/ENOENT/);
});

test("earlier keepers are known also to a process that begins anew", async () => {
  await leave();
  {
    using file = await open();
    file.keepers.add(process.pid, 0);
  }
  using file = await open({ adopts: false });
  expect(file.keepers.freeNumber()).toBe(1);
});

test("of many keepers that no process followed, the oldest stays", async () => {
  const children = Array.from({ length: 12 }, () =>
    spawn("sleep", ["60"], { detached: true, stdio: "ignore" }),
  );
  try {
    for (const [number, child] of children.entries()) {
      using file = await open();
      file.keepers.add(child.pid!, number);
    }
    using file = await open();
    expect(file.keepers.freeNumber()).toBe(7);
    file.keepers.endEarlier();
    expect(file.keepers.freeNumber()).toBe(0);
    await expect.poll(() => children[0]!.signalCode).toBe("SIGKILL");
  } finally {
    for (const child of children) child.kill("SIGKILL");
  }
});

function change(what: RegExp, by: string): void {
  const bytes = readFileSync(path);
  const text = bytes.subarray(0, 1024).toString("latin1");
  bytes.write(text.replace(what, by).slice(0, 1024), 0, "latin1");
  writeFileSync(path, bytes);
}

function writeAt(offset: number, value: number): void {
  const bytes = readFileSync(path);
  bytes.writeInt32LE(value, offset);
  writeFileSync(path, bytes);
}
