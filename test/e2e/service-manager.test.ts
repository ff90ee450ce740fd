/** The daemon as systemd has it: told when packets flow, watched by the loop that forwards them, reloaded, ended. */
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { ManagerSocket } from "../service-manager.ts";
import { DaemonHome } from "./daemon.ts";
import { Network, R1, R2, V } from "./network.ts";

/** The watchdog's time, and one in which it would have been told several times. */
const WATCHDOG_MS = 400;
const SILENCE_MS = 1_500;

const PATIENCE = { timeout: 30_000, interval: 1 };

const web = (server: string): string =>
  `services: [{vip: ${V}, port: 80, destinations: [{address: ${server}, forwarding: masquerade}]}]\n`;

test("systemd hears of readiness, reloads, the end, and that packets' loop goes round", async () => {
  using network = new Network();
  using home = new DaemonHome();
  using folder = temporaryFolder();
  await network.speak(network.server, 80);
  using manager = new ManagerSocket(join(folder.path, "notify"));
  const file = join(folder.path, "sluice.yaml");
  writeFileSync(file, web(R1));

  const asSystemd = `NOTIFY_SOCKET=${manager.name} WATCHDOG_USEC=${WATCHDOG_MS}000 exec "$@"`;
  const child = home.launchBy(network.director, asSystemd, "--config", file);
  await expect.poll(() => manager.lines, PATIENCE).toContain("READY=1");
  // Not a moment later: what is told must be true.
  expect(network.ask(80)).toBe(R1);
  expect(manager.lines).toContainEqual(
    expect.stringMatching(/^STATUS=1 service, engine (kernel|userspace)$/),
  );

  const ticks = (): number => manager.take().filter((line) => line === "WATCHDOG=1").length;
  await expect.poll(ticks, PATIENCE).toBeGreaterThan(0);
  child.kill("SIGSTOP");
  await expect.poll(ticks, PATIENCE).toBe(0);
  await sleep(SILENCE_MS);
  expect(ticks()).toBe(0);
  child.kill("SIGCONT");
  await expect.poll(ticks, PATIENCE).toBeGreaterThan(0);

  writeFileSync(file, web(R2));
  child.kill("SIGHUP");
  await expect.poll(() => manager.lines, PATIENCE).toContain("READY=1");
  const told = manager.take().filter((line) => line !== "WATCHDOG=1");
  const microseconds = expect.stringMatching(/^MONOTONIC_USEC=\d+$/);
  expect(told).toEqual(["RELOADING=1", microseconds, "READY=1"]);
  expect(home.ipvsadm("-Sn").stdout).toContain(`-r ${R2}:80`);

  writeFileSync(file, web("nowhere"));
  child.kill("SIGHUP");
  const mistake = `; the configuration is not used: ${file}:1:`;
  await expect.poll(() => manager.lines, PATIENCE).toContainEqual(expect.stringContaining(mistake));

  const ended = once(child, "exit");
  child.kill("SIGTERM");
  await expect.poll(() => manager.lines, PATIENCE).toContain("STOPPING=1");
  // Its state is written at the very end, into the folder that goes with the test.
  expect(await ended).toEqual([0, null]);
});

function temporaryFolder(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), "sluice-systemd-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}
