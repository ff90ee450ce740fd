/** What is left of a daemon that ended, for how long, and what the next one makes of it. */
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, rmSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { untilPrinted } from "../userspace/namespaces.ts";
import { type Daemon, DaemonHome } from "./daemon.ts";
import { Network, R1, V } from "./network.ts";

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

const SERVICE = [`-A -t ${V}:80 -s rr`, `-a -t ${V}:80 -r ${R1} -m`] as const;

async function withService(...options: readonly string[]): Promise<Daemon> {
  await network.speak(network.server, 80);
  const daemon = await home.start(network.director, ...options);
  home.configure(...SERVICE);
  expect(network.ask(80)).toBe(R1);
  return daemon;
}

/** Everything of Sluice's that can be seen from outside. */
function left(): string {
  const { director } = network;
  const seen = ["nft list tables", "ip -br link", "ip rule", "ip -6 rule"].map((each) =>
    director.run(each),
  );
  const file = existsSync(home.connections(director)) ? "connections" : "";
  return `${seen.join("")}${file}`.replaceAll(/^(?!.*(sluice|0x2053|connections)).*\n?/gm, "");
}

const USERSPACE = ["--engine", "userspace"] as const;

/** What becomes of packets meanwhile: the kernel engine's programs go on. */
for (const [signal, engine, meanwhile] of [
  ["SIGTERM", "userspace", "silence"],
  ["SIGKILL", "userspace", "silence"],
  ["SIGTERM", "kernel", R1],
  ["SIGKILL", "kernel", R1],
] as const) {
  test(`after ${signal} of the ${engine} engine comes its grace, then all is as without Sluice`, async () => {
    const daemon = await withService("--grace", "6", "--engine", engine);
    await daemon.end(signal);
    expect(network.ask(80)).toBe(meanwhile);
    await expect.poll(left, { timeout: 20_000 }).toBe("");
    expect(network.ask(80)).toBe("refused");
    expect(network.ask(80, R1)).toBe(R1);
  });
}

test("without grace the ports are the host's at once, and nothing is left", async () => {
  const daemon = await withService();
  expect(existsSync(home.connections(network.director))).toBe(false);
  await daemon.end("SIGTERM");
  expect(left()).toBe("");
  expect(network.ask(80)).toBe("refused");
});

test.for(["userspace", "kernel"])(
  "a daemon without grace goes on with what one with grace left, and leaves nothing: %s",
  async (engine) => {
    const first = await withService("--grace", "60", "--engine", engine);
    await using connection = await network.talk(80);
    await first.end("SIGTERM");
    const second = await home.start(network.director, "--engine", engine);
    expect(await connection.say("still here")).toBe("still here");
    await second.end("SIGTERM");
    expect(left()).toBe("");
  },
);

test("a daemon starts and serves also where somebody removed the file", async () => {
  const first = await withService("--grace", "20");
  await first.end("SIGKILL");
  rmSync(home.connections(network.director));
  await home.start(network.director);
  expect(network.ask(80)).toBe(R1);
});

test.for(["ip sluice", "netdev sluice6"])(
  "a table '%s' of somebody's is stood beside",
  async (table) => {
    network.director.run(`nft add table ${table}`);
    await home.start(network.director);
    const tables = network.director.run("nft list tables");
    expect(tables).toContain("table ip sluice_1\n");
    expect(tables).toContain("table ip6 sluice_1\n");
  },
);

test("--no-adopt forgets: a connection of before is refused", async () => {
  const first = await withService("--grace", "60");
  await using connection = await network.talk(80);
  await first.end("SIGTERM");
  await home.start(network.director, "--no-adopt");
  expect(await connection.say("still here")).toBe("reset");
  expect(network.ask(80)).toBe(R1);
});

test("a connection outlives also services that come later than the daemon", async () => {
  await network.speak(network.server, 80);
  const first = await home.startWithoutState(network.director, "--grace", "60");
  home.configure(...SERVICE);
  await using connection = await network.talk(80);
  await first.end("SIGTERM");
  await home.startWithoutState(network.director);
  const answer = connection.say("still here");
  home.configure(...SERVICE);
  expect(await answer).toBe("still here");
  expect(home.ipvsadm("-lnc").stdout).toContain("ESTABLISHED");
});

test("what a server on the director answers does not leave untranslated", async () => {
  const { director, client } = network;
  await network.speak(director, 8080, "local");
  const first = await home.start(director, "--grace", "60");
  home.configure(`-A -t ${V}:80 -s rr`, `-a -t ${V}:80 -r 10.1.0.1:8080 -m`);
  await using connection = await network.talk(80);
  client.run(
    "nft add table ip seen; add chain ip seen in { type filter hook input priority 0; }; add rule ip seen in tcp sport 8080 counter",
  );
  await first.end("SIGKILL");
  const answer = connection.say("still here");
  expect(network.ask(80)).toBe("silence");
  await home.start(director);
  expect(await answer).toBe("still here");
  expect(client.run("nft list chain ip seen in")).toContain("counter packets 0 bytes 0");
});

test("the second of two daemons neither harms the first nor its connections", async () => {
  await withService("--grace", "60");
  await using connection = await network.talk(80);
  const second = home.launch(network.director);
  const [code] = (await once(second, "exit")) as [number];
  expect(code).toBe(1);
  expect(await connection.say("still here")).toBe("still here");
  expect(network.ask(80)).toBe(R1);
});

test("the shell that keeps the tables is killed: another does", async () => {
  const { director } = network;
  const daemon = await withService("--grace", "60", ...USERSPACE);
  await using connection = await network.talk(80);
  const keepers = () => keepersOf(home.connections(director));
  const [first] = keepers();
  process.kill(first!, "SIGKILL");
  await expect.poll(keepers, { timeout: 20_000 }).not.toEqual([first]);
  await expect.poll(keepers, { timeout: 20_000 }).toHaveLength(1);
  await daemon.end("SIGKILL");
  expect(network.ask(80)).toBe("silence");
  await home.start(director);
  expect(await connection.say("still here")).toBe("still here");
});

// biome-ignore format: a table
const slow: [what: string, engine: string, call: string][] = [
  ["has the connections' file",         "userspace", "flock:delay_exit=9000000:when=1"],
  ["waits for the kernel's programs",   "kernel",    "bpf:delay_enter=9000000:when=1"],
];

test.for(slow)("a grace that ends while the next daemon %s goes on", async ([, engine, call]) => {
  const { director } = network;
  const first = await withService("--grace", "8", ...USERSPACE);
  await using connection = await network.talk(80);
  await first.end("SIGKILL");
  // It has the connections' file, which it locks first of all, and takes no packets yet.
  const second = home.launchBy(
    director,
    `exec strace -D -qq -o /dev/null -e trace=${call.split(":")[0]} -e inject=${call} "$@"`,
    "--grace",
    "60",
    "--engine",
    engine,
  );
  let runs = false;
  const running = untilPrinted(second, "goes on with").then(() => {
    runs = true;
  });
  // Where a request is refused nobody waits for it, and it ends with the test.
  running.catch(() => {});
  while (!runs) {
    expect(network.ask(80)).not.toBe("refused");
    await sleep(0);
  }
  await running;
  expect(await connection.say("still here")).toBe("still here");
});

/** The processes that keep what this file's daemons left. */
function keepersOf(file: string): number[] {
  const { stdout } = spawnSync("pgrep", ["-f", `sluice-keeper .* ${file}$`], { encoding: "utf8" });
  return stdout.split("\n").filter(Boolean).map(Number);
}

test("what lies in the way of the connections' file is said, and stays", async () => {
  const { director } = network;
  director.run(`ln -s /nowhere ${home.connections(director)}`);
  const child = home.launch(director, "--grace", "5");
  const said = await untilPrinted(child, "the director runs");
  expect(said).toContain("connections will not outlive this process");
  expect(said).toContain("is a symbolic link, which stays");
});
