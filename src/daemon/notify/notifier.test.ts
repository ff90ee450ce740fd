import { once } from "node:events";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { NotifySettings } from "../../configuration/notify.ts";
import { Events } from "../../control/events.ts";
import { Notifier, type NotifierOptions } from "./notifier.ts";
import { openWay } from "./way.ts";
import { wordsFor } from "./words.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "notify-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const COMMON = { services: [], destinations: [], only: [], atEnd: false, timeoutMs: 5_000 };
const SERVICE = "tcp:10.0.0.1:80";

function down(destination = "10.0.0.2:80") {
  const facts = { service: SERVICE, destination, why: "connection refused" };
  return { name: "destination-down", message: "a destination is down", facts };
}

function exec(command: readonly string[], hasWords = true): Pick<NotifySettings, "way"> {
  return { way: { kind: "exec", command, hasWords } };
}

function webhook(url: string): Pick<NotifySettings, "way"> {
  return { way: { kind: "webhook", url } };
}

type Wanted = Pick<NotifySettings, "way"> & Partial<NotifySettings>;

function notifier(...wanted: Wanted[]) {
  return notifierWith({}, ...wanted);
}

function notifierWith(options: Partial<NotifierOptions>, ...wanted: Wanted[]) {
  const events = new Events({ epoch: "e" });
  const troubles: string[] = [];
  const onTrouble = (receiver: string, why: string) => void troubles.push(`${receiver}: ${why}`);
  const all = new Notifier(events, { after: 0, onTrouble, retryMs: 1, ...options });
  const set = (...next: Wanted[]) => all.set(next.map((each) => ({ ...COMMON, ...each })));
  set(...wanted);
  return { events, troubles, all, set, [Symbol.dispose]: () => all[Symbol.dispose]() };
}

/** A program that keeps its words and what it reads. */
function script(rest = ""): { path: string; kept: () => string } {
  const path = join(folder, "told");
  const file = join(folder, "kept");
  writeFileSync(path, `#!/bin/sh\necho "$SLUICE_EVENT: $*" >> ${file}\ncat >> ${file}\n${rest}\n`);
  chmodSync(path, 0o755);
  return { path, kept: () => (existsSync(file) ? readFileSync(file, "utf8") : "") };
}

test("a program is told in keepalived's words, one event after the other", async () => {
  const { path, kept } = script();
  using told = notifier({ ...exec([path, "first"]), only: ["destination", "quorum"] });
  told.events.publish(down());
  told.events.publish({ name: "finding-began", message: "no", facts: {} });
  told.events.publish({ name: "quorum-lost", message: "lost", facts: { service: SERVICE } });
  await expect.poll(kept).toContain("quorum-lost");
  const [first, facts, second] = kept().split("\n");
  expect(first).toBe("destination-down: first RS [10.0.0.2]:tcp:80 [10.0.0.1]:tcp:80 DOWN");
  expect(JSON.parse(facts!)).toMatchObject({ service: SERVICE, why: "connection refused" });
  expect(second).toBe("quorum-lost: first VS [10.0.0.1]:tcp:80 DOWN");
  expect(told.troubles).toEqual([]);
});

test("a program may have its own words alone, about one service and destination", async () => {
  const { path, kept } = script();
  using told = notifier({
    ...exec([path, "mine"], false),
    services: ["fwmark:7", "tcp:10.0.0.1:080"],
    destinations: ["10.0.0.2:80"],
    only: ["destination-down"],
  });
  told.events.publish(down("10.0.0.3:80"));
  told.events.publish({ name: "destination-up", message: "up", facts: down().facts });
  told.events.publish({ ...down(), facts: { ...down().facts, service: "udp:10.0.0.1:80" } });
  told.events.publish(down());
  await expect.poll(kept).toContain("refused");
  expect(kept().match(/^destination-.*/gm)).toEqual(["destination-down: mine"]);
});

test("a program that fails, is not there, or hangs is said once", async () => {
  const { path } = script("exit 3");
  using failing = notifier(exec([path]));
  using missing = notifier(exec([join(folder, "nothing")]));
  // For this errno, and others, spawn() throws instead of telling.
  using impossible = notifier(exec([join(path, "nothing")]));
  using hanging = notifier({ ...exec(["sleep", "1000"], false), timeoutMs: 50 });
  for (const { events } of [failing, missing, impossible, hanging]) {
    events.publish({ name: "bug", message: "1", facts: {} });
    events.publish({ name: "bug", message: "2", facts: {} });
  }
  await expect.poll(() => failing.troubles).toEqual([`${path}: it ended with 3`]);
  await expect.poll(() => missing.troubles[0]).toContain("ENOENT");
  await expect.poll(() => impossible.troubles[0]).toContain("ENOTDIR");
  await expect.poll(() => hanging.troubles).toEqual(["sleep 1000: it took too long"]);
});

test("a URL is posted what happened, again when it failed", async () => {
  const bodies: unknown[] = [];
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      bodies.push(JSON.parse(body));
      response.writeHead(bodies.length === 1 ? 503 : 204).end();
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  using told = notifier(webhook(`http://127.0.0.1:${port}/hook?token=secret`));
  told.events.publish(down());
  await expect.poll(() => bodies.length).toBe(2);
  expect(bodies[1]).toMatchObject({ event: "destination-down", data: { service: SERVICE } });
  expect(told.troubles).toEqual([]);
  server.closeAllConnections();
  server.close();
});

test("what cannot be posted is said without the URL's secrets", async () => {
  using told = notifier(webhook("http://127.0.0.1:1/hook?token=secret"));
  told.events.publish(down());
  await expect.poll(() => told.troubles.length).toBe(1);
  expect(told.troubles[0]).toMatch(/^http:\/\/127\.0\.0\.1:1: /);
  expect(told.troubles[0]).not.toContain("secret");
});

test("other receivers: who stays keeps its queue, who is new hears of what comes, who goes is told what was", async () => {
  const [stays, goes, comes] = ["stays", "goes", "comes"].map((name) => {
    const file = join(folder, name);
    return { ...exec(["/bin/sh", "-c", `echo "$SLUICE_EVENT" >> ${file}`], false), file };
  });
  const heard = ({ file }: { file: string }) =>
    existsSync(file) ? readFileSync(file, "utf8").trim().split("\n") : [];
  using told = notifier({ way: stays!.way }, { way: goes!.way });
  told.events.publish({ name: "one", message: "1", facts: {} });
  told.set({ way: stays!.way }, { way: comes!.way });
  told.events.publish({ name: "two", message: "2", facts: {} });
  await expect.poll(() => heard(comes!)).toEqual(["two"]);
  await expect.poll(() => heard(stays!)).toEqual(["one", "two"]);
  await expect.poll(() => heard(goes!)).toEqual(["one"]);
});

test("who goes and hangs is not waited for for ever; what is lost is said", async () => {
  const hanging = { ...exec(["sleep", "1000"], false), timeoutMs: 1_000_000 };
  using told = notifierWith({ leaveMs: 1 }, hanging);
  for (const name of ["one", "two", "three"]) told.events.publish({ name, message: "", facts: {} });
  told.set();
  await expect.poll(() => told.troubles).toEqual(["sleep 1000: 3 events were lost meanwhile"]);
});

test("a receiver is opened before anything happens; that it cannot be is said once", async () => {
  const asked: string[] = [];
  const open: typeof openWay = (way) => {
    asked.push(way.kind);
    return asked.length === 1 ? openWay(way) : Promise.reject(new Error("its file is gone"));
  };
  const { path, kept } = script();
  using told = notifierWith({ open }, exec([path]), webhook("http://127.0.0.1:1/"));
  expect(asked).toEqual(["exec", "webhook"]);
  told.events.publish(down());
  told.events.publish(down());
  await expect.poll(() => kept().match(/^destination-down/gm)).toHaveLength(2);
  expect(told.troubles).toEqual(["a receiver by webhook: its file is gone"]);
});

test("at the end those are told that all is down who want it, and are waited for", async () => {
  const { path, kept } = script();
  using told = notifier({ ...exec([path]), atEnd: true }, exec(["/bin/sh", "-c", `kill $PPID`]));
  await told.all.farewell([down()], 10_000);
  expect(kept()).toContain("destination-down: RS [10.0.0.2]:tcp:80 [10.0.0.1]:tcp:80 DOWN");
  expect(told.events.last).toBe(0);
});

test("the end does not wait for ever", async () => {
  using told = notifier({ ...exec(["sleep", "1000"], false), atEnd: true });
  await told.all.farewell([down()], 1);
  expect(told.troubles).toEqual([]);
});

test.each([
  [
    "destination-up",
    { service: "fwmark:7", destination: "[2001:db8::2]:80" },
    "RS [2001:db8::2]:none:80 FWM 7 UP",
  ],
  ["quorum-gained", { service: "udp:[2001:db8::1]:53" }, "VS [2001:db8::1]:udp:53 UP"],
  ["director-runs", { message: "the director runs" }, "director-runs the director runs"],
])("%s in words", (name, facts, words) => {
  expect(wordsFor({ number: 1, name, text: JSON.stringify(facts) })?.join(" ")).toBe(words);
});
