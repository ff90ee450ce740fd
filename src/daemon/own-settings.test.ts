import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Hono } from "hono";
import pino from "pino";
import { afterEach, beforeEach, expect, test } from "vitest";
import { selfSigned } from "../../test/certificates.ts";
import { unusedPort } from "../../test/loopback.ts";
import { MemoryEngine } from "../../test/memory-engine.ts";
import { quietStatus } from "../../test/quiet-status.ts";
import type { ApiSettings, DaemonSettings } from "../configuration/daemon-settings.ts";
import type { NotifySettings } from "../configuration/notify.ts";
import { Control } from "../control/control.ts";
import { Events } from "../control/events.ts";
import { publishing } from "./log.ts";
import { OwnSettings } from "./own-settings.ts";

const NOTHING: DaemonSettings = { metrics: undefined, api: undefined, notify: [] };

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "own-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

async function opened() {
  const stack = new AsyncDisposableStack();
  const engine = new MemoryEngine();
  const control = await Control.start(engine, undefined);
  stack.defer(() => control.end());
  const status = quietStatus(engine);
  stack.use(status.findings);
  const events = new Events({ epoch: "e" });
  const said: string[] = [];
  const hooks = publishing(events);
  const lines = pino({ hooks }, { write: (line: string) => void said.push(line) });
  const log = {
    lines,
    events,
    complain() {},
    flush() {},
    lost: () => 0,
    end: () => Promise.resolve(),
  };
  const api = new Hono();
  const own = stack.use(new OwnSettings({ control, api, status, version: "1", log, options: {} }));
  return { own, events, said, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

/** A place of the API, whose certificate is a pair of files of this name. */
function place(name: string, port: number): ApiSettings {
  const { certificate, key } = selfSigned("localhost");
  const files = { certificate: join(folder, `${name}.crt`), key: join(folder, `${name}.key`) };
  writeFileSync(files.certificate, certificate);
  writeFileSync(files.key, key);
  return { address: "127.0.0.1", port, ...files, tokens: join(folder, "tokens.json") };
}

function isOpen({ address, port }: { address: string; port: number }): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, address, () => resolve(true));
    socket.on("connect", () => socket.destroy());
    socket.on("error", () => resolve(false));
  });
}

/** A program that leaves a file. */
function teller(name: string): { settings: NotifySettings; told: () => string } {
  const file = join(folder, name);
  const command = ["/bin/sh", "-c", `echo "$SLUICE_EVENT" >> ${file}`];
  const way = { kind: "exec", command, hasWords: false } as const;
  const settings = { way, services: [], destinations: [], only: [], atEnd: true, timeoutMs: 9_000 };
  return { settings, told: () => (existsSync(file) ? readFileSync(file, "utf8") : "") };
}

test("a change that cannot be taken back keeps nothing else from being so, and is told of", async () => {
  await using told = await opened();
  const { own, said } = told;
  const { port } = await unusedPort();
  const before = place("before", port);
  await own.start({ ...NOTHING, api: before });
  const metrics = await unusedPort();
  const change = await own.prepare({ ...NOTHING, metrics, api: place("after", port) });
  expect(await isOpen(metrics)).toBe(true);
  rmSync(before.certificate);
  await change.undo();
  expect(await isOpen(metrics)).toBe(false);
  expect(said.join("")).toContain("could not be undone");
});

test("files that are read again are those that were asked for last", async () => {
  await using told = await opened();
  const { own, said } = told;
  const { port } = await unusedPort();
  const before = place("before", port);
  await own.start({ ...NOTHING, api: before });
  const after = place("after", port);
  (await own.prepare({ ...NOTHING, api: after })).commit();
  rmSync(before.certificate);
  own.reread();
  expect(said.join("")).not.toContain("certificate-refused");
  rmSync(after.certificate);
  own.reread();
  expect(said.join("")).toContain("certificate-refused");
});

test("receivers are in force once a change is, and no earlier one comes after it", async () => {
  await using told = await opened();
  const { own, events } = told;
  await own.start();
  const [first, second] = [teller("first"), teller("second")];
  (await own.prepare({ ...NOTHING, notify: [first.settings] })).commit();
  (await own.prepare({ ...NOTHING, notify: [second.settings] })).commit();
  events.publish({ name: "bug", message: "a bug", facts: {} });
  await own.farewell();
  expect(second.told()).toBe("bug\n");
  expect(first.told()).toBe("");
});

test("who is told by what cannot be had refuses the change, and all is as it was", async () => {
  await using told = await opened();
  const { own } = told;
  await own.start();
  const metrics = await unusedPort();
  const way = { kind: "webhook", url: "no URL" } as const;
  const notify = [{ ...teller("nobody").settings, way }];
  await expect(own.prepare({ ...NOTHING, metrics, notify })).rejects.toThrow("Invalid URL");
  expect(await isOpen(metrics)).toBe(false);
});
