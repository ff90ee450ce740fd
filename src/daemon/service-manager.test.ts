import { randomBytes } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ManagerSocket } from "../../test/service-manager.ts";
import { ServiceManager, watchdogOf } from "./service-manager.ts";

const NAME = `sluice-notify-${randomBytes(6).toString("hex")}`;
const PLACES = [join(tmpdir(), NAME), `@${NAME}`];

const quiet = {
  onTrouble: (message: string) => {
    throw new Error(message);
  },
};

test.for(PLACES)("who listens at %s is told of start, reloads and end", async (name) => {
  using socket = new ManagerSocket(name);
  const environment: Record<string, string> = { NOTIFY_SOCKET: name, PATH: "/bin" };
  using manager = ServiceManager.open(environment, quiet)!;
  expect(environment).toEqual({ PATH: "/bin" });

  manager.ready(() => "2 services");
  expect(socket.take()).toEqual(["READY=1", "STATUS=2 services"]);

  const first = Promise.withResolvers<string | undefined>();
  const second = Promise.withResolvers<string | undefined>();
  manager.during(first.promise);
  manager.during(second.promise);
  const microseconds = expect.stringMatching(/^MONOTONIC_USEC=\d+$/);
  expect(socket.take()).toEqual(["RELOADING=1", microseconds]);
  first.resolve(undefined);
  await first.promise;
  expect(socket.take()).toEqual([]);
  second.resolve("not used: x.yaml:1:2: wrong\nx.yaml:2:2: wrong, too");
  await expect
    .poll(() => socket.take())
    .toEqual(["READY=1", "STATUS=2 services; not used: x.yaml:1:2: wrong"]);

  manager.during(Promise.resolve(undefined));
  await expect.poll(() => [...socket.lines]).toContain("STATUS=2 services");
  socket.take();
  manager.stopping();
  expect(socket.take()).toEqual(["STOPPING=1", "STATUS=ending"]);
});

test("a reload that is asked for before all is ready belongs to the start", async () => {
  using socket = new ManagerSocket(`@${NAME}-early`);
  using manager = ServiceManager.open({ NOTIFY_SOCKET: socket.name }, quiet)!;
  const reload = Promise.withResolvers<undefined>();
  manager.during(reload.promise);
  manager.ready(() => "");
  expect(socket.take()).toEqual([]);
  reload.resolve(undefined);
  await expect.poll(() => socket.take()).toEqual(["READY=1"]);
});

test("nobody listens: said once, and all goes on", () => {
  const said: string[] = [];
  const onTrouble = (message: string): void => void said.push(message);
  using manager = ServiceManager.open({ NOTIFY_SOCKET: `@${NAME}-gone` }, { onTrouble })!;
  manager.ready(() => "1 service");
  manager.stopping();
  expect(said).toEqual(["the service manager cannot be told: ECONNREFUSED"]);
});

test.for(["relative/path", "@", "/", `/${"x".repeat(108)}`])("%j is no socket's name", (name) => {
  const said: string[] = [];
  const onTrouble = (message: string): void => void said.push(message);
  expect(ServiceManager.open({ NOTIFY_SOCKET: name }, { onTrouble })).toBe(undefined);
  expect(said).toEqual([
    `the service manager is not told: NOTIFY_SOCKET ${name} is no unix socket`,
  ]);
});

// biome-ignore format: a table
const watchdogs: [environment: Record<string, string>, ms: number | undefined][] = [
  [{},                                              undefined],
  [{ WATCHDOG_USEC: "30000000" },                   30_000],
  [{ WATCHDOG_USEC: "30000000", WATCHDOG_PID: "7" }, 30_000],
  [{ WATCHDOG_USEC: "30000000", WATCHDOG_PID: "8" }, undefined],
  [{ WATCHDOG_USEC: "0" },                          undefined],
  [{ WATCHDOG_USEC: "soon" },                       undefined],
];

test.for(watchdogs)("%j", ([environment, ms]) => {
  expect(watchdogOf(environment, 7)).toBe(ms);
});
