import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { MemoryEngine } from "../../test/memory-engine.ts";
import { command } from "../../test/packets/commands.ts";
import { Names } from "../../test/packets/names.ts";
import { Control } from "./control.ts";
import { StateFile } from "./state-file.ts";

const names = new Names("inet");

let directory: string;
const opened: StateFile[] = [];
let path: string;
let engine: MemoryEngine;
let control: Control;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "sluice-reload-"));
  path = join(directory, "state.json");
  engine = new MemoryEngine();
  control = await Control.start(engine, open());
  await give("-A -t V:80 -s rr", "-a -t V:80 -r R1 -m", "-a -t V:80 -r R2 -m", "-A -t V:443");
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((each) => each[Symbol.asyncDispose]()));
  await rm(directory, { recursive: true });
});

function open(): StateFile {
  const file = new StateFile(path, () => {});
  opened.push(file);
  return file;
}

async function give(...commands: string[]): Promise<void> {
  for (const text of commands) await control.change((state) => command(state, text, names));
}

/** As an operator does who removes the checksum. */
async function edit(change: (text: string) => string): Promise<void> {
  const { state } = control;
  const other = open();
  await other.load();
  await other.replace(state, state);
  const text = await readFile(path, "utf8");
  await writeFile(path, change(text.replace(/ {2}"crc32".*\n/, "")));
}

test("what nobody edited stays as it is", async () => {
  const before = control.state;
  expect(await control.reload()).toBe(false);
  expect(control.state).toBe(before);
});

test("what differs is put in force and on disk, and all else is left alone", async () => {
  const before = control.state;
  await edit((text) => text.replace('"weight":1', '"weight":5'));
  expect(await control.reload()).toBe(true);
  expect(engine.desired).toBe(control.state);
  const [http, https] = [...control.state.services.values()];
  expect(http!.destinations.map(({ weight, revision }) => [weight, revision])).toEqual([
    [5, 1],
    [1, 0],
  ]);
  expect(http!.revision).toBe(0);
  expect(https).toBe(before.services.get("TCP 10.9.0.100:443"));
  await give("-D -t V:443");
  const loaded = await open().load();
  expect([...loaded.services.keys()]).toEqual(["TCP 10.9.0.100:80"]);
  expect(loaded.services.get("TCP 10.9.0.100:80")!.destinations[0]!.weight).toBe(5);
});

test("what cannot be used changes nothing", async () => {
  const before = control.state;
  await edit((text) => text.replace('"rr"', '"rrr"'));
  await expect(control.reload()).rejects.toThrow("Scheduler or persistence engine not found");
  expect(control.state).toBe(before);
  expect(engine.desired).toBe(before);
});

test("what the engine refuses changes nothing, and is tried again when asked for again", async () => {
  const before = control.state;
  await edit((text) => text.replace('"weight":1', '"weight":5'));
  engine.refusal = new Error("no memory");
  await expect(control.reload()).rejects.toThrow("no memory");
  expect(control.state).toBe(before);
  expect(engine.desired).toBe(before);
  expect(await control.reload()).toBe(true);
});
