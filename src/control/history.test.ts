import { appendFile, mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { MemoryEngine } from "../../test/memory-engine.ts";
import { command } from "../../test/packets/commands.ts";
import { Names } from "../../test/packets/names.ts";
import { EMPTY_STATE } from "../ipvs/desired/desired-state.ts";
import { Control } from "./control.ts";
import { History, NoSuchGeneration } from "./history.ts";
import { planToJson } from "./plan-json.ts";
import { inTermsOf } from "./reload.ts";
import { StateFile } from "./state-file.ts";

const names = new Names("inet");
const AMY = { uid: 1001, name: "amy", command: "ipvsadm" };
const BOB = { uid: 1002, name: "bob", command: null };
const COMMANDS = [
  "-A -t V:80 -s rr",
  "-a -t V:80 -r R1 -m",
  "-A -f 7",
  "-D -t V:80",
  "-E -f 7 -s rr",
];

let directory: string;
let path: string;
const opened: StateFile[] = [];
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "sluice-history-"));
  path = join(directory, "state.json");
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((each) => each[Symbol.asyncDispose]()));
  await rm(directory, { recursive: true });
});

function start(floor?: number): Promise<Control> {
  const file = new StateFile(path, () => {}, floor);
  opened.push(file);
  return Control.start(new MemoryEngine(), file);
}

async function give(control: Control, ...commands: string[]): Promise<void> {
  for (const [index, text] of commands.entries()) {
    await control.change((state) => command(state, text, names), index % 2 === 0 ? AMY : BOB);
  }
}

test("each change has a generation and an author", async () => {
  const control = await start();
  await give(control, ...COMMANDS);
  const entries = await control.history.entries();
  expect(entries.map(({ generation, by, says }) => [generation, by.name, ...says])).toEqual([
    [5, "amy", "~ FWM 7  scheduler wlc → rr"],
    [4, "bob", "- TCP 10.9.0.100:80"],
    [3, "amy", "+ FWM 7  scheduler wlc"],
    [2, "bob", "+ TCP 10.9.0.100:80 -> 10.1.0.21:80  forwarding masquerade, weight 1"],
    [1, "amy", "+ TCP 10.9.0.100:80  scheduler rr"],
  ]);
});

test("commands of two authors are never one generation", async () => {
  const control = await start();
  await Promise.all([
    control.change((state) => command(state, "-A -f 1", names), AMY),
    control.change((state) => command(state, "-A -f 2", names), AMY),
    control.change((state) => command(state, "-A -f 3", names), BOB),
  ]);
  const entries = await control.history.entries();
  expect(entries.map(({ by, added }) => [by.name, added])).toEqual([
    ["bob", 1],
    ["amy", 2],
  ]);
});

test("there is a way back to each generation", async () => {
  const control = await start();
  const plans = [control.state];
  for (const text of COMMANDS) {
    await give(control, text);
    plans.push(control.state);
  }
  for (const [generation, state] of plans.entries()) {
    const back = await control.history.stateAt(generation, control.state, control.generation);
    const json = (services: (typeof state)["services"]) =>
      [...services.values()].map((plan) => JSON.stringify(planToJson(plan))).toSorted();
    expect(json(back.services)).toEqual(json(state.services));
    expect(await inTermsOf(control.state, back)).toMatchObject({ timeouts: state.timeouts });
  }
  await expect(control.history.stateAt(6, control.state, 5)).rejects.toThrow(NoSuchGeneration);
});

test("the way back begins at the state that it is asked for, whatever was changed meanwhile", async () => {
  const control = await start();
  const [first, second, ...rest] = COMMANDS;
  await give(control, first!, second!);
  const { state, generation } = control;
  const asked = control.history.stateAt(1, state, generation);
  await give(control, ...rest);
  const back = await control.history.stateAt(1, state, generation);
  const plans = (services: (typeof state)["services"]) =>
    [...services.values()].map((plan) => planToJson(plan));
  for (const each of [back, await asked]) {
    expect(plans(each.services)).toMatchObject([{ scheduler: "rr", destinations: [] }]);
  }
});

test("a generation is that of the state in force, at every moment", async () => {
  const control = await start();
  const seen: (readonly [number, number])[] = [];
  const given = control.change((state) => command(state, "-A -f 1", names));
  let isOver = false;
  const ended = given.then(() => {
    isOver = true;
  });
  while (!isOver) {
    // Between the disk's answer and the state there are some of these.
    for (let count = 0; count < 50; count++) {
      seen.push([control.generation, control.state.services.size]);
      await Promise.resolve();
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  await ended;
  expect(seen.filter(([generation, services]) => generation !== services)).toEqual([]);
});

test("what a crash left out of the history is in the journal", async () => {
  const first = await start();
  await give(first, ...COMMANDS);
  const { generation } = first;
  // Nothing was ended: the next one finds a journal, and no line of a history.
  await rm(`${path}.history`, { force: true });
  const second = await start();
  expect((await second.history.entries()).map((each) => each.by.name)).toEqual([
    "amy",
    "bob",
    "amy",
    "bob",
    "amy",
  ]);
  expect(second.generation).toBe(generation);
});

test("it outlives snapshots, and damage to it costs what was before", async () => {
  const first = await start(1);
  await give(first, ...COMMANDS);
  await first.end();
  await appendFile(`${path}.history`, '{"generation":6,"at":"2026');
  const second = await start();
  await give(second, "-A -f 9");
  const entries = await second.history.entries();
  expect(entries.map(({ generation }) => generation)).toEqual([6, 5, 4, 3, 2, 1]);
  expect((await readFile(`${path}.history`, "utf8")).trimEnd().split("\n")).toHaveLength(6);
});

test("a history that cannot be written is said once, and whole when it can be again", async () => {
  const said: string[] = [];
  const file = join(directory, "not-yet", "history");
  const history = new History(file, (message) => said.push(message));
  const state = (count: number) =>
    COMMANDS.slice(0, count).reduce((before, text) => command(before, text, names), EMPTY_STATE);
  const note = async (generation: number): Promise<void> => {
    const [before, after] = [state(generation - 1), state(generation)];
    history.note({ generation, at: "2026-01-01T00:00:00.000Z", by: AMY, before, after });
    await history.flush();
  };
  await note(1);
  await note(2);
  expect(said).toEqual([expect.stringContaining("Cannot write the history of changes")]);
  await mkdir(join(directory, "not-yet"));
  await note(3);
  expect((await readFile(file, "utf8")).trimEnd().split("\n")).toHaveLength(3);
});
