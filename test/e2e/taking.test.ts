/** A service's packets are the director's while it exists, and the host's before and after, however it ends. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { DaemonHome } from "./daemon.ts";
import { Network, R1, V } from "./network.ts";

let network: Network;
let home: DaemonHome;

beforeEach(async () => {
  network = new Network();
  home = new DaemonHome();
  await network.speak(network.director, 80, "the director itself");
  await network.speak(network.server, 80);
});

afterEach(() => {
  network[Symbol.dispose]();
  home[Symbol.dispose]();
});

const SERVICE = [`-A -t ${V}:80 -s rr`, `-a -t ${V}:80 -r ${R1} -m`];
const tables = (): string => network.director.run("nft list tables");
const interfaces = (): string => network.director.run("ip -br link");

test("the host's own server sees a service's clients before it exists and after its deletion", async () => {
  await home.start(network.director);
  expect(network.ask(80)).toBe("the director itself");
  home.configure(...SERVICE);
  expect(network.ask(80)).toBe(R1);
  home.configure(`-D -t ${V}:80`);
  expect(network.ask(80)).toBe("the director itself");
});

test("SIGTERM ends the daemon cleanly: nothing is left, and the host has its clients back", async () => {
  const daemon = await home.start(network.director);
  home.configure(...SERVICE);
  expect(network.ask(80)).toBe(R1);
  expect(await daemon.end("SIGTERM")).toBe(0);
  expect(tables()).toBe("");
  expect(interfaces()).not.toContain("sluice");
  expect(network.ask(80)).toBe("the director itself");
});

test("SIGKILL leaves nothing in the way; the next daemon has the service again", async () => {
  const killed = await home.start(network.director);
  home.configure(...SERVICE);
  expect(network.ask(80)).toBe(R1);
  expect(await killed.end("SIGKILL")).toBe(null);
  await expect.poll(tables, { timeout: 1_000, interval: 50 }).toBe("");
  expect(network.ask(80)).toBe("the director itself");
  await expect.poll(interfaces, { timeout: 10_000 }).not.toContain("sluice");
  const next = await home.start(network.director);
  expect(home.ipvsadm("-Sn").stdout).toBe(
    `-A -t ${V}:80 -s rr\n-a -t ${V}:80 -r ${R1}:80 -m -w 1\n`,
  );
  expect(network.ask(80)).toBe(R1);
  expect(await next.end("SIGTERM")).toBe(0);
  expect(interfaces()).not.toContain("sluice");
});

test("a second daemon in the same network is refused, and the first one goes on", async () => {
  const first = await home.start(network.director);
  home.configure(...SERVICE);
  using other = new DaemonHome();
  await expect(other.start(network.director)).rejects.toThrow("another Sluice");
  expect(network.ask(80)).toBe(R1);
  expect(network.ask(81)).toBe("refused");
  expect(first.isRunning).toBe(true);
});

test("a lost nft is replaced", async () => {
  const daemon = await home.start(network.director);
  home.configure(...SERVICE);
  const nft = network.director.run(`pgrep -P ${daemon.pid} nft`).trim();
  process.kill(Number(nft), "SIGKILL");
  await expect
    .poll(() => network.director.run(`pgrep -P ${daemon.pid}`).trim(), { timeout: 5_000 })
    .not.toBe(nft);
  await expect.poll(tables, { timeout: 5_000 }).not.toBe("");
  await expect.poll(() => network.ask(80), { timeout: 5_000 }).toBe(R1);
  home.configure(`-D -t ${V}:80`);
  expect(network.ask(80)).toBe("the director itself");
});
