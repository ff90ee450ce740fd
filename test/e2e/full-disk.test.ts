/** What becomes of connections when the file system that their table lies in is full. */
import { execFileSync } from "node:child_process";
import { afterEach, beforeEach, expect, test } from "vitest";
import { floodHalfOpen, HALF_OPEN_PORT } from "../attack/half-open.ts";
import { DaemonHome } from "./daemon.ts";
import { Network, R1, V } from "./network.ts";

let network: Network;
let home: DaemonHome;

beforeEach(() => {
  network = new Network();
  home = new DaemonHome();
  // Room for some thousand entries.
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "sluice-test", home.directory]);
});

afterEach(() => {
  network[Symbol.dispose]();
  execFileSync("umount", ["--lazy", home.directory]);
  home[Symbol.dispose]();
});

test("a full file system takes no connection that is there; new ones wait for room", async () => {
  await network.speak(network.server, 80);
  const services = [`-A -t ${V}:80 -s rr`, `-a -t ${V}:80 -r ${R1} -m`];
  const first = await home.startWithoutState(network.director, "--grace", "60");
  home.configure(...services);
  await using connection = await network.talk(80);
  const flood = floodHalfOpen(network, home, 5_000);
  await expect
    .poll(() => first.messages.join(), { timeout: 60_000 })
    .toContain("the file system of the connection table's file is full");
  expect(await connection.say("still here")).toBe("still here");
  flood.kill("SIGKILL");
  home.sluice(`connections --kill virtual=${V}:${HALF_OPEN_PORT}`);
  await expect.poll(() => network.ask(80), { timeout: 60_000 }).toBe(R1);
  expect(await connection.say("still here")).toBe("still here");
  await first.end("SIGKILL");
  // Leaves nothing.
  await home.startWithoutState(network.director);
  const answer = connection.say("still here");
  home.configure(...services);
  expect(await answer).toBe("still here");
});
