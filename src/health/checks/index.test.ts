import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Outcome, ProbeTarget } from "../checker.ts";
import { exec, outcomeOf } from "./exec.ts";
import { file } from "./file.ts";
import { CHECKERS } from "./index.ts";
import { CHECK_KINDS } from "./settings.ts";
import { tcp } from "./tcp.ts";

const NOBODY: ProbeTarget = { address: "127.0.0.1", port: 1 };
const never = new AbortController().signal;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sluice-checks-"));
});
afterAll(() => rm(folder, { recursive: true }));

test("each kind has settings, and what carries it out", () => {
  expect(Object.keys(CHECKERS).sort()).toEqual(Object.keys(CHECK_KINDS).sort());
});

describe("tcp", () => {
  test("a connection that is accepted is up, one that is refused is down", async () => {
    const server = createServer((socket) => socket.on("error", () => {})).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const target = { address: "127.0.0.1", port };
    expect(await tcp(target, {}, never)).toEqual({ up: true, why: "connected" });
    server.close();
    await once(server, "close");
    expect(await tcp(target, {}, never)).toEqual({ up: false, why: "connection refused" });
  });

  test("one that is over before it began is down", async () => {
    expect(await tcp(NOBODY, {}, AbortSignal.abort(new DOMException("", "TimeoutError")))).toEqual({
      up: false,
      why: "no answer in time, waited for a connection",
    });
  });
});

describe("exec", () => {
  const run = (
    command: string | string[],
    dynamic = false,
    signal: AbortSignal = never,
  ): Promise<Outcome> => exec({ address: "192.0.2.1", port: 80 }, { command, dynamic }, signal);

  // biome-ignore format: a table
  const programs: [command: string | string[], dynamic: boolean, outcome: Outcome][] = [
    ["/bin/true",                                       false, { up: true, why: "exit code 0" }],
    ["/bin/false",                                      false, { up: false, why: "exit code 1" }],
    [["/bin/sh", "-c", "echo no such user >&2; exit 3"], false, { up: false, why: "exit code 3: no such user" }],
    [["/bin/sh", "-c", "exit 12"],                       true,  { up: true, why: "exit code 12, weight 10", weight: 10 }],
    ["/bin/sh -c 'exit 2'",                             true,  { up: true, why: "exit code 2, weight 0", weight: 0 }],
    ["/bin/sh -c 'test $SLUICE_ADDRESS:$SLUICE_PORT = 192.0.2.1:80'", false, { up: true, why: "exit code 0" }],
    ["/nonexistent/program",                            false, { up: false, why: expect.stringMatching(/^cannot run: .*ENOENT/) }],
    [["/bin/sh", "-c", "kill -9 $$"],                    false, { up: false, why: "ended by SIGKILL" }],
    ["/bin/true \0",                                    false, { up: false, why: expect.stringMatching(/^cannot run: /) }],
  ];

  test.for(programs)("%j, dynamic %j", async ([command, dynamic, outcome]) => {
    expect(await run(command, dynamic)).toEqual(outcome);
  });

  test("a program that hangs ends with its time, and what it started does", async () => {
    const outcome = await run(
      ["/bin/sh", "-c", "sleep 1000 & wait"],
      false,
      AbortSignal.timeout(200),
    );
    expect(outcome).toEqual({ up: false, why: "no answer in time" });
  });

  test("dynamic codes are keepalived's", () => {
    expect(outcomeOf(1, true, "")).toEqual({ up: false, why: "exit code 1" });
    expect(outcomeOf(255, true, "")).toMatchObject({ up: true, weight: 253 });
    expect(outcomeOf(5, false, "")).toMatchObject({ up: false });
  });
});

describe("file", () => {
  // biome-ignore format: a table
  const texts: [text: string, settings: object, outcome: Partial<Outcome>][] = [
    ["7\n",       {},                                { up: true }],
    ["7",         { dynamic: true },                 { up: true, weight: 7 }],
    ["-7 # why",  { dynamic: true, multiplier: -2 }, { up: true, weight: 14 }],
    ["0",         {},                                { up: false }],
    ["-1",        {},                                { up: false }],
    ["",          {},                                { up: false }],
    ["7x",        {},                                { up: false }],
    ["999999999", { dynamic: true },                 { up: true, weight: 65_535 }],
  ];

  test.for(texts)("%j with %j", async ([text, settings, outcome]) => {
    const path = join(folder, "weight");
    await writeFile(path, text);
    expect(await file(NOBODY, { path, ...settings }, never)).toMatchObject(outcome);
  });

  test("one that is not there is down", async () => {
    expect(await file(NOBODY, { path: join(folder, "none") }, never)).toMatchObject({ up: false });
  });
});
