/** What goes wrong around health checks: a thousand servers at once, and the wall clock. */
import { type ChildProcess, execFileSync } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { HealthStatus } from "../../src/api/messages.ts";
import { untilPrinted } from "../userspace/namespaces.ts";
import { Daemon, DaemonHome } from "./daemon.ts";
import { Network, R1, V } from "./network.ts";

const PATIENCE = { timeout: 60_000, interval: 200 };
const CLOCK = new URL("./stepping-clock.c", import.meta.url).pathname;

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

const health = (): HealthStatus =>
  (JSON.parse(home.sluice("status --json").stdout) as { health: HealthStatus }).health;

/** How many are up and down for certain. */
function counted(): { up: number; down: number } {
  const all = health().services.flatMap(({ destinations }) => destinations);
  const known = all.filter(({ isKnown }) => isKnown);
  const up = known.filter((each) => each.health === "up").length;
  return { up, down: known.length - up };
}

/** Listens on these ports of every address, and says nothing. */
async function listen(ports: readonly number[]): Promise<ChildProcess> {
  const script = `Promise.all(${JSON.stringify(ports)}.map((port) => new Promise((resolve) =>
    require("node:net").createServer((socket) => socket.on("error", () => {}).resume().end()).listen(port, "0.0.0.0", 4096, resolve))))
    .then(() => console.log("listening"))`;
  const child = network.server.start(process.execPath, "-e", script);
  await untilPrinted(child, "listening");
  return child;
}

async function kill(child: ChildProcess): Promise<void> {
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
}

const ENGINES = ["userspace", "kernel"];

test.for(ENGINES)(
  "a thousand servers go down at once and return: each service is told of once, engine %s",
  async (engine) => {
    const ports = Array.from({ length: 10 }, (_, index) => 8_000 + index);
    const servers = Array.from({ length: 100 }, (_, index) => `10.1.16.${index + 1}`);
    // All are one host's, and are asked through the VIP.
    network.director.batch([`route add 10.1.16.0/20 via ${R1}`]);
    network.server.batch(["route add local 10.1.16.0/20 dev lo"]);
    network.hideVip();
    const services = ports.map(
      (port, index) => `
  - vip: ${V}
    port: ${port}
    scheduler: rr
    check: {type: tcp, interval: 1s, timeout: 1s, retry: 300ms, fall: 2, rise: 1}
    destinations: [${servers.map((address) => `{address: ${address.replace(/16/, `${16 + index}`)}}`).join(", ")}]`,
    );
    writeFileSync(
      home.configuration,
      `services:${services.join("")}
  - {vip: ${V}, port: 90, scheduler: rr, destinations: [{address: ${R1}, forwarding: masquerade}]}
`,
    );
    await network.speak(network.server, 90, "beside");
    let listener = await listen(ports);
    const options = ["--engine", engine, "--config", home.configuration];
    const daemon = await home.start(network.director, ...options);
    await expect.poll(counted, PATIENCE).toEqual({ up: 1_000, down: 0 });

    await kill(listener);
    await expect.poll(counted, PATIENCE).toEqual({ up: 0, down: 1_000 });
    expect(network.ask(90)).toBe("beside");
    listener = await listen(ports);
    await expect.poll(counted, PATIENCE).toEqual({ up: 1_000, down: 0 });
    expect(network.ask(90)).toBe("beside");

    const told = (text: string): number =>
      daemon.messages.filter((message) => message.includes(text)).length;
    expect([told("lost its quorum"), told("has its quorum")]).toEqual([10, 10]);
    // Not a line for each.
    expect(told("a destination is")).toBeLessThan(400);
    expect(await daemon.end("SIGTERM")).toBe(0);
  },
);

test.for(ENGINES)("a step of the wall clock changes nothing, engine %s", async (engine) => {
  const library = join(home.directory, "stepping-clock.so");
  execFileSync("clang", ["-shared", "-fPIC", "-O2", "-o", library, CLOCK, "-ldl"]);
  const clock = join(home.directory, "clock");
  const step = (hours: number): void => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(BigInt(hours) * 3_600n);
    // In place: it is mapped.
    writeFileSync(clock, bytes, { flag: "r+" });
  };
  writeFileSync(clock, Buffer.alloc(8));
  writeFileSync(
    home.configuration,
    `
services:
  - vip: ${V}
    port: 80
    scheduler: rr
    check: {type: tcp, interval: 100ms, timeout: 10s, retry: 50ms, fall: 2, rise: 1}
    destinations: [{address: ${R1}, forwarding: masquerade}]
`,
  );
  let server = await listen([80]);
  const script = `LD_PRELOAD=${library} SLUICE_CLOCK_STEP=${clock} exec "$@"`;
  const options = ["--engine", engine, "--config", home.configuration];
  const child = home.launchBy(network.director, script, ...options);
  await untilPrinted(child, "the director runs");
  const daemon = new Daemon(child, home.socket);
  await expect.poll(counted, PATIENCE).toEqual({ up: 1, down: 0 });
  const offsetHours = (): number => {
    const { since } = health().services[0]!.destinations[0]!;
    return Math.round((Date.parse(since!) - Date.now()) / 3_600_000);
  };
  for (const hours of [1, -2]) {
    step(hours);
    await kill(server);
    await expect.poll(counted, PATIENCE).toEqual({ up: 0, down: 1 });
    expect(offsetHours()).toBe(hours);
    server = await listen([80]);
    await expect.poll(counted, PATIENCE).toEqual({ up: 1, down: 0 });
  }
  const changes = (): string[] =>
    daemon.messages.filter((message) => message.includes("a destination is"));
  const twice = [1, 2].flatMap(() => ["a destination is down", "a destination is up"]);
  await expect.poll(changes, PATIENCE).toEqual(twice);
  expect(await daemon.end("SIGTERM")).toBe(0);
});
