/** Real servers die, hang, refuse and return, and a daemon that asks them sends their clients where they are served. */
import { type ChildProcess, spawnSync } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { HealthStatus } from "../../src/api/messages.ts";
import { untilPrinted } from "../userspace/namespaces.ts";
import { DaemonHome } from "./daemon.ts";
import { Network, R1, R2, V } from "./network.ts";

const PATIENCE = { timeout: 30_000, interval: 50 };
const SPEAKER = new URL("./speaker.ts", import.meta.url).pathname;

let network: Network;
let home: DaemonHome;

beforeEach(() => {
  network = new Network();
  home = new DaemonHome();
});

afterEach(() => {
  network[Symbol.dispose]();
  home[Symbol.dispose]();
});

/** A server at this address alone. */
async function serve(address: string, port = 80): Promise<ChildProcess> {
  const child = network.server.startNode(SPEAKER, "serve", String(port), "-", address);
  await untilPrinted(child, "listening");
  return child;
}

async function kill(server: ChildProcess): Promise<void> {
  const ended = once(server, "exit");
  server.kill("SIGKILL");
  await ended;
}

const QUICK = "interval: 200ms, timeout: 300ms, retry: 50ms, fall: 2, rise: 1";

const two = (rest: string): string => `
checks: {quick: {type: tcp, ${QUICK}}}
defaults: {service: {scheduler: rr}, destination: {forwarding: masquerade}}
services:
  - vip: ${V}
    port: 80
    check: quick
    destinations: [{address: ${R1}}, {address: ${R2}}]
    ${rest}
`;

function health(): HealthStatus {
  return JSON.parse(home.sluice("status --json").stdout).health as HealthStatus;
}

/** `10.1.0.21:80 up 1`, a line each; `?` while it is not known. */
function told(): string[] {
  return health().services.flatMap(({ destinations }) =>
    destinations.map(
      ({ destination, health: what, isKnown, weight }) =>
        `${destination} ${what}${isKnown ? "" : "?"} ${weight ?? "out"}`,
    ),
  );
}

/** Who answers when it is asked four times. */
const answers = (port = 80): string =>
  [...new Set([1, 2, 3, 4].map(() => network.ask(port)))].sort().join(" ");

test("servers that die, hang, refuse and return are out of work and in again", async () => {
  const servers = [await serve(R1), await serve(R2)];
  writeFileSync(home.configuration, two(""));
  const daemon = await home.start(network.director, "--config", home.configuration);
  await expect.poll(told, PATIENCE).toEqual([`${R1}:80 up 1`, `${R2}:80 up 1`]);
  expect(answers()).toBe(`${R1} ${R2}`);

  // It dies: connections are refused.
  await kill(servers[0]!);
  await expect.poll(told, PATIENCE).toEqual([`${R1}:80 down out`, `${R2}:80 up 1`]);
  expect(answers()).toBe(R2);
  expect(health().services[0]!.destinations[0]).toMatchObject({ why: "connection refused" });
  // Who is out can be drained all the same, so that it returns without new connections.
  expect(home.sluice(`describe ${R1}`).stdout).toMatch(
    /Out of work.*\n(.*\n)*.* down for .*, taken out: connection refused/,
  );
  expect(home.sluice(`drain ${R1}`).code).toBe(0);
  expect(home.sluice(`undrain ${R1}`).stdout).toBe(`tcp:${V}:80 -> ${R1}:80: weight 1 again\n`);
  servers[0] = await serve(R1);
  await expect.poll(told, PATIENCE).toEqual([`${R1}:80 up 1`, `${R2}:80 up 1`]);
  expect(answers()).toBe(`${R1} ${R2}`);

  // It hangs: nothing comes back.
  network.server.run("nft add table ip hang");
  network.server.run("nft add chain ip hang in { type filter hook input priority 0 ; }");
  network.server.run(`nft add rule ip hang in ip daddr ${R2} tcp dport 80 drop`);
  await expect.poll(told, PATIENCE).toEqual([`${R1}:80 up 1`, `${R2}:80 down out`]);
  expect(health().services[0]!.destinations[1]).toMatchObject({
    why: "no answer in time, waited for a connection",
  });
  expect(answers()).toBe(R1);

  // A restart keeps in mind who was down, and nobody's wish was changed.
  expect(home.sluice("export").stdout).toContain(`address: ${R2}`);
  expect(home.ipvsadm("-L -n").stdout).not.toContain(R2);
  // Its child ends with it.
  const { prober } = health();
  await daemon.end("SIGKILL");
  await expect.poll(() => isRunning(prober!.pid!), PATIENCE).toBe(false);
  await home.start(network.director, "--config", home.configuration);
  expect(told()[1]).toMatch(/ down\?? out$/);
  network.server.run("nft delete table ip hang");
  await expect.poll(told, PATIENCE).toEqual([`${R1}:80 up 1`, `${R2}:80 up 1`]);
});

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/\) Z /.test(spawnSync("cat", [`/proc/${pid}/stat`], { encoding: "utf8" }).stdout);
  } catch {
    return false;
  }
}

test("somebody is sorry; the hand's weights stay; the process that asks may die", async () => {
  const server = await serve(R1);
  await serve(R1, 90);
  writeFileSync(
    home.configuration,
    two(`health: {onFailure: inhibit, sorry: {address: ${R1}, port: 90}}`),
  );
  const daemon = await home.start(network.director);
  // Whoever checks nothing has nobody who asks.
  expect(health()).toEqual({ prober: null, services: [] });
  expect(home.sluice(`apply --wait ${home.configuration}`).code).toBe(0);
  expect(told()).toEqual([`${R1}:80 up 1`, `${R2}:80 down 0`]);
  expect(home.ipvsadm(`-e -t ${V}:80 -r ${R1} -m -w 7`).code).toBe(0);
  expect(home.ipvsadm(`-e -t ${V}:80 -r ${R2} -m -w 5`).code).toBe(0);
  expect(told()).toEqual([`${R1}:80 up 7`, `${R2}:80 down 0`]);

  await kill(server);
  await expect.poll(() => health().services[0]!.sorry, PATIENCE).toBe(`${R1}:90`);
  expect(home.sluice("status").code).toBe(3);
  const listing = home.ipvsadm("-S -n").stdout;
  expect(listing).toContain(`-r ${R1}:90 -m -w 1`);
  expect(listing).toContain(`-r ${R2}:80 -m -w 0`);

  // Its process dies: what it found holds, and another goes on.
  const pid = health().prober!.pid!;
  process.kill(pid, "SIGKILL");
  await serve(R1);
  await expect.poll(() => health().prober!.pid ?? pid, PATIENCE).not.toBe(pid);
  await serve(R2);
  await expect.poll(told, PATIENCE).toEqual([`${R1}:80 up 7`, `${R2}:80 up 5`]);
  expect(daemon.messages.filter((message) => message.includes("asks servers ended"))).toHaveLength(
    1,
  );
  expect(health().services[0]!.sorry).toBeNull();

  // What is no longer checked is as the operator has it.
  writeFileSync(home.configuration, two("").replace("check: quick", "checks: []"));
  expect(home.sluice(`apply ${home.configuration}`).code).toBe(0);
  expect(health().services).toEqual([]);
  await daemon.end("SIGTERM");
});
