/** What operators do on a running director, on real packets: drain, look at connections, end them, look back, go back. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { ConnectionCount, Drains, HistoryReply } from "../../src/api/messages.ts";
import { DaemonHome } from "./daemon.ts";
import { Network, R1, R2, V } from "./network.ts";

const PATIENCE = { timeout: 20_000 };

let network: Network;
let home: DaemonHome;

beforeEach(async () => {
  network = new Network();
  home = new DaemonHome();
  await network.speak(network.server, 80);
});

afterEach(() => {
  network[Symbol.dispose]();
  home[Symbol.dispose]();
});

const json = <Told>(words: string): Told => JSON.parse(home.sluice(words).stdout) as Told;
const drains = (): Drains["drains"] => json<Drains>("drain --json").drains;

// What the kernel engine keeps over a SIGKILL it keeps for the grace.
const ENGINES = [
  ["userspace", "--grace", "0"],
  ["kernel", "--grace", "60"],
] as const;

test.for(ENGINES)(
  "a server is drained: persistence brings it nobody new, a restart forgets nothing, and then it goes, engine %s",
  async ([engine, ...grace]) => {
    if (engine === "kernel") home.mountPins();
    const options = ["--engine", engine, ...grace];
    const first = await home.start(network.director, ...options);
    home.configure(
      `-A -t ${V}:80 -s rr -p 600`,
      `-a -t ${V}:80 -r ${R1}:80 -m`,
      `-a -t ${V}:80 -r ${R2}:80 -m -w 0`,
    );
    const held = await network.hold(80);
    expect(network.ask(80)).toBe(R1);
    home.configure(`-e -t ${V}:80 -r ${R2}:80 -m -w 1`);
    expect(network.ask(80)).toBe(R1);

    const { code, stdout } = home.sluice(`drain --timeout none --then remove ${R1}`);
    expect([code, stdout]).toEqual([
      0,
      expect.stringMatching(
        /^tcp:\S+ -> 10\.1\.0\.21:80 {2}drained for \ds, until its last connection ends, then it goes\n {2}\d connections? remains? \([^\n]*\n {4}10\.9\.0\.2:\d+ {2}[A-Z_]+ {2}\d+s\n/,
      ),
    ]);
    expect(network.ask(80)).toBe(R2);

    await first.end("SIGKILL");
    const second = await home.start(network.director, ...options);
    expect(drains()).toMatchObject([{ destination: `${R1}:80`, afterwards: "remove", weight: 1 }]);
    expect(network.ask(80)).toBe(R2);

    // What is left of closed connections is not waited for any longer.
    expect(home.sluice("connections --kill state=TIME_WAIT").code).toBe(0);
    expect(home.sluice("connections --kill state=CLOSE").code).toBe(0);
    await held.end();
    expect(home.sluice(`connections --kill server=${R1}`).code).toBe(0);
    await expect.poll(drains, PATIENCE).toEqual([]);
    expect(home.ipvsadm("-S -n").stdout).not.toContain(R1);
    expect(await second.end("SIGTERM")).toBe(0);
  },
);

for (const [way, engine] of [
  ["-m", "userspace"],
  ["-g", "userspace"],
  ["-g", "kernel"],
  ["-m", "kernel"],
] as const) {
  test(`--force resets both sides of what remains, ${way}, engine ${engine}`, async () => {
    if (way === "-g") {
      network.answersGo("back");
      network.hideVip();
    }
    await home.start(network.director, "--engine", engine);
    home.configure(`-A -t ${V}:80 -s rr`, `-a -t ${V}:80 -r ${R1}:80 ${way}`);
    const established = (): string =>
      network.server.run("ss -Htn state established sport = :80").trim();
    await using talk = await network.talk(80);
    for (let time = 0; time < 5; time++) expect(await talk.say("before")).toBe("before");
    expect(established()).not.toBe("");
    const { code, stdout } = home.sluice(`drain --force --wait ${R1}`);
    expect([code, stdout]).toEqual([0, expect.stringContaining("no connections remain")]);
    expect(await talk.say("after")).toBe("reset");
    expect(established()).toBe("");
    expect(home.sluice(`undrain ${R1}`).stdout).toBe(`tcp:${V}:80 -> ${R1}:80: weight 1 again\n`);
    expect(drains()).toEqual([]);
  });
}

test("connections are counted, and changes have an author, a way back, and a file that they drift from", async () => {
  const file = join(home.directory, "sluice.yaml");
  const say = (drift: string): void =>
    writeFileSync(
      file,
      `drift: ${drift}
remove: {drain: 1m}
services:
  - {name: web, vip: ${V}, port: 80, destinations: [{address: ${R1}, forwarding: masquerade, weight: 2}]}
`,
    );
  say("keep");
  await home.start(network.director);
  expect(home.sluice(`apply ${file}`).code).toBe(0);
  const held = await network.hold(80);
  const told = json<ConnectionCount>("connections --by server service=web --json");
  expect(told).toMatchObject({ count: 1, groups: [{ name: `${R1}:80`, count: 1 }] });

  home.configure(`-e -t ${V}:80 -r ${R1}:80 -m -w 7`, `-A -t ${V}:81`);
  const { entries } = json<HistoryReply>("history --json");
  expect(entries[0]).toMatchObject({
    by: { uid: 0, name: "root", command: "ipvsadm" },
    says: [`+ TCP ${V}:81  scheduler wlc`],
  });
  expect(entries.at(-1)!.by.command).toBe("sluice apply");
  expect(home.sluice("status").stdout).toContain(
    "2 differences since by other hands, which is kept",
  );
  expect(home.sluice("diff").stdout).toContain(`+ tcp:${V}:81`);
  expect(home.sluice(`rollback ${entries.at(-1)!.generation}`).stdout).toContain("weight 7 → 2");
  expect(home.sluice("status").stdout).toContain("what stands is as it says");

  say("reconcile");
  expect(home.sluice(`apply ${file}`).code).toBe(0);
  home.configure(`-e -t ${V}:80 -r ${R1}:80 -m -w 9`);
  await expect.poll(() => home.ipvsadm("-S -n").stdout, PATIENCE).toContain("-w 2");
  await held.end();

  // Who leaves the file is drained first.
  const one = (server: string): string =>
    `remove: {drain: 1m}\nservices: [{vip: ${V}, port: 80, destinations: [{address: ${server}, forwarding: masquerade}]}]\n`;
  const holding = await network.hold(80);
  writeFileSync(file, one(R2));
  expect(home.sluice(`apply ${file}`).stdout).toContain("drain for 60s at most, then remove");
  expect(drains()).toMatchObject([{ destination: `${R1}:80`, cause: "file" }]);
  expect(network.ask(80)).toBe(R2);
  writeFileSync(file, one(R1));
  expect(home.sluice(`apply ${file}`).code).toBe(0);
  expect(drains()).toMatchObject([{ destination: `${R2}:80`, cause: "file" }]);
  expect(network.ask(80)).toBe(R1);
  await holding.end();
}, 60_000);
