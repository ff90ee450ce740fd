/** What the kernel engine's programs do without a daemon, and what the next one makes of it. */
import { once } from "node:events";
import { chownSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { close, Memory } from "../../src/engine/host/system/libc.ts";
import { destination } from "../../src/engine/kernel/abi.ts";
import { mapInformation } from "../../src/engine/kernel/bpf-call.ts";
import { type Identity, Pins } from "../../src/engine/kernel/pins.ts";
import { untilPrinted } from "../userspace/namespaces.ts";
import { type Daemon, DaemonHome } from "./daemon.ts";
import { Network, R1, V } from "./network.ts";

const SLUICE = new URL("../../bin/sluice", import.meta.url).pathname;
const KERNEL = ["--engine", "kernel", "--grace", "60"];
const SERVICE = [`-A -t ${V}:80 -s rr`, `-a -t ${V}:80 -r ${R1} -m`] as const;
const POLLED = { timeout: 20_000 };

let network: Network;
let home: DaemonHome;

beforeEach(async () => {
  network = new Network();
  home = new DaemonHome();
  home.mountPins();
  await network.speak(network.server, 80);
});

afterEach(() => {
  network[Symbol.dispose]();
  home[Symbol.dispose]();
});

/** In the director's network namespace. */
function engine(words: string): string {
  return network.director.run(`env SLUICE_SOCKET=${home.socket} ${SLUICE} engine ${words}`);
}

async function start(...options: readonly string[]): Promise<Daemon> {
  return await home.start(network.director, ...KERNEL, ...options);
}

/** Until the programs open connections by themselves: the first tell them the ways. */
async function untilCarried(daemon: Daemon): Promise<void> {
  const before = await daemon.count("kernel-opened");
  const opened = async (): Promise<number> => {
    expect(network.ask(80)).toBe(R1);
    return await daemon.count("kernel-opened");
  };
  await expect.poll(opened, POLLED).toBeGreaterThan(before + 1);
}

/** How many active connections the first server has that the programs know. */
function activeIn(pins: Pins): number {
  const fd = pins.map("destinations")!;
  using memory = Memory.shared(fd, mapInformation(fd).valueLength, "read the servers' counts");
  close(fd);
  return memory.view.getUint32(destination.active, true);
}

const counts = (): string => /Masq +\d+ +(\d+ +\d+)/.exec(home.ipvsadm("-ln").stdout)![1]!;

test("detached they open connections, of which the next daemon hears; engine detach ends all", async () => {
  const first = await start("--detach-on-exit");
  home.configure(...SERVICE);
  await untilCarried(first);
  await first.end("SIGTERM");
  expect(JSON.parse(engine("status --json"))).toMatchObject({
    connectionsMax: 1 << 20,
    interfaces: expect.arrayContaining([{ name: "sluice-lane", direction: "egress" }]),
  });
  await using connection = await network.talk(80);
  expect(await connection.say("nobody lives")).toBe("nobody lives");
  expect(network.ask(80)).toBe(R1);

  const second = await start("--detach-on-exit");
  expect(second.isRunning).toBe(true);
  await expect.poll(() => home.ipvsadm("-lnc").stdout, POLLED).toContain("ESTABLISHED");
  expect(counts()).toMatch(/^1 /);
  expect(await connection.say("still here")).toBe("still here");
  expect(() => engine("detach")).toThrow();
  await second.end("SIGTERM");

  expect(network.ask(80)).toBe(R1);
  expect(engine("detach")).toContain("is ended");
  expect(home.pinned()).toEqual([]);
  expect(network.director.run("nft list tables")).not.toMatch(/sluice/);
  expect(network.ask(80)).toBe("refused");
});

test("a killed daemon's services that are not wanted any more end when the next one runs", async () => {
  const first = await start();
  home.configure(...SERVICE, `-A -t ${V}:81 -s rr`, `-a -t ${V}:81 -r ${R1}:80 -m`);
  await untilCarried(first);
  await first.end("SIGKILL");
  expect(network.ask(80)).toBe(R1);
  writeFileSync(
    home.configuration,
    `services: [{vip: ${V}, port: 81, scheduler: rr, destinations: [{address: ${R1}, port: 80, forwarding: masquerade}]}]\n`,
  );
  await start("--config", home.configuration);
  await expect.poll(() => network.ask(80), POLLED).toBe("refused");
  expect(network.ask(81)).toBe(R1);
});

test("another version's programs are exchanged, and what they know is gone on with", async () => {
  const first = await start();
  home.configure(...SERVICE);
  await untilCarried(first);
  await first.end("SIGKILL");
  await using connection = await network.talk(80);
  const [folder] = home.pinned();
  const pins = new Pins(join(home.directory, "bpf"), folder!.replace("net-", ""));
  pins.note({ ...pins.identity()!, object: "another" });
  const child = home.launch(network.director, ...KERNEL);
  let said = "";
  child.stdout.on("data", (chunk: Buffer) => {
    said += chunk.toString();
  });
  await expect.poll(() => said, POLLED).toContain("goes on with");
  expect(said).toContain("are exchanged for those of this version");
  expect(await connection.say("still here")).toBe("still here");
  await expect.poll(counts, POLLED).toMatch(/^1 /);
  expect(pins.identity()?.object).not.toBe("another");
});

test("at XDP, too; with another hook the next daemon runs its programs there, and ends the last one's", async () => {
  const first = await start("--hook", "xdp");
  home.configure(...SERVICE);
  await untilCarried(first);
  await first.end("SIGKILL");
  const kept = () => JSON.parse(engine("status --json")) as { interfaces: { direction: string }[] };
  expect(kept()).toMatchObject({ hook: "xdp" });
  const directions = () => new Set(kept().interfaces.map(({ direction }) => direction));
  expect(directions()).toEqual(new Set(["xdpgeneric", "egress"]));
  await using connection = await network.talk(80);
  expect(await connection.say("nobody lives")).toBe("nobody lives");

  const second = await start("--hook", "xdp");
  expect(await connection.say("still here")).toBe("still here");
  await second.end("SIGKILL");
  await start();
  expect(await connection.say("and here")).toBe("and here");
  expect(directions()).toEqual(new Set(["ingress", "egress"]));
  expect(network.director.run("ip link show")).not.toContain("xdp");
});

const carried: [what: string, options: readonly string[], note: Partial<Identity>, why: string][] =
  [
    ["another number of connections", ["--connections", "5000"], {}, "and are now for 5000"],
    ["another layout", [], { layout: "another" }, "another version of Sluice left them"],
  ];

test.for(carried)("connections are carried over to %s", async ([, options, note, why]) => {
  const first = await start();
  home.configure(...SERVICE);
  await untilCarried(first);
  await using before = await network.talk(80);
  await first.end("SIGKILL");
  // No daemon has a record of it.
  await using connection = await network.talk(80);
  const [folder] = home.pinned();
  const pins = new Pins(join(home.directory, "bpf"), folder!.replace("net-", ""));
  pins.note({ ...pins.identity()!, ...note });
  const child = home.launch(network.director, ...KERNEL, ...options);
  let said = "";
  child.stdout.on("data", (chunk: Buffer) => {
    said += chunk.toString();
  });
  await expect.poll(() => said, POLLED).toContain("goes on with");
  expect(said).toContain(why);
  expect(await connection.say("still here")).toBe("still here");
  expect(await before.say("so am I")).toBe("so am I");
  await expect.poll(counts, POLLED).toMatch(/^2 /);
  expect(network.ask(80)).toBe(R1);
  expect(home.pinned()).toEqual([folder]);
});

test("what means something else is said, and begun anew", async () => {
  const first = await start();
  home.configure(...SERVICE);
  await untilCarried(first);
  await first.end("SIGKILL");
  const [folder] = home.pinned();
  const pins = new Pins(join(home.directory, "bpf"), folder!.replace("net-", ""));
  const identity = pins.identity()!;
  pins.note({ ...identity, layout: "another", shapes: { ...identity.shapes!, meaning: 0 } });
  const child = home.launch(network.director, ...KERNEL);
  let said = "";
  child.stdout.on("data", (chunk: Buffer) => {
    said += chunk.toString();
  });
  await expect.poll(() => said, POLLED).toContain("the director runs");
  expect(said).toContain("what its programs know means something else");
  expect(network.ask(80)).toBe(R1);
});

test("connections end while no daemon lives, and the next one counts none of them", async () => {
  const first = await start("--detach-on-exit");
  home.configure(...SERVICE, "--set 2 2 2");
  await untilCarried(first);
  const talks = [await network.talk(80), await network.talk(80)];
  await expect.poll(counts, POLLED).toMatch(/^2 /);
  await first.end("SIGTERM");
  const [folder] = home.pinned();
  const pins = new Pins(join(home.directory, "bpf"), folder!.replace("net-", ""));
  await expect.poll(() => activeIn(pins), POLLED).toBe(0);
  const second = await start("--detach-on-exit");
  const rows = (): number => home.ipvsadm("-lnc").stdout.match(/^TCP /gm)?.length ?? 0;
  const agree = (): boolean => /^0 +(\d+)/.exec(counts())?.[1] === `${rows()}`;
  await expect.poll(agree, POLLED).toBe(true);
  expect(await second.count("kernel-expired")).toBeGreaterThan(1);
  for (const talk of talks) await talk[Symbol.asyncDispose]();
});

test("what ends with the process's own mounts is said, and how it would not", async () => {
  using bare = new DaemonHome();
  const child = bare.launch(network.director, "--engine", "kernel", "--grace", "1");
  const said = await untilPrinted(child, "own mounts");
  expect(said).toContain(`mount -t bpf bpf ${bare.directory}/bpf`);
  child.kill("SIGKILL");
  await once(child, "exit");
});

test("what is damaged is said, and begun anew", async () => {
  const first = await start();
  home.configure(...SERVICE);
  await untilCarried(first);
  await first.end("SIGKILL");
  const [folder] = home.pinned();
  rmSync(join(home.directory, "bpf/sluice", folder!, "maps/connections"));
  const child = home.launch(network.director, ...KERNEL);
  let said = "";
  child.stdout.on("data", (chunk: Buffer) => {
    said += chunk.toString();
  });
  await expect.poll(() => said, POLLED).toContain("the director runs");
  expect(said).toContain("the kernel's programs begin anew");
  expect(network.ask(80)).toBe(R1);
});

test("without a grace, too, what was detached has time until the next daemon is told what is wanted", async () => {
  const withoutGrace = ["--detach-on-exit", "--grace", "0"];
  const first = await start(...withoutGrace);
  home.configure(...SERVICE);
  await untilCarried(first);
  await using connection = await network.talk(80);
  await first.end("SIGTERM");
  rmSync(home.state);
  await start(...withoutGrace);
  expect(network.ask(80)).toBe(R1);
  home.configure(...SERVICE);
  expect(await connection.say("still here")).toBe("still here");
  await expect.poll(counts, POLLED).toMatch(/^1 /);
});

test("a start that fails leaves what runs", async () => {
  const first = await start();
  home.configure(...SERVICE);
  await untilCarried(first);
  await first.end("SIGKILL");
  // Without nft no start gets far.
  const child = home.launchBy(
    network.director,
    'mount --bind /bin/false /usr/sbin/nft; exec "$@"',
    ...KERNEL,
  );
  const [code] = await once(child, "exit");
  expect(code).not.toBe(0);
  expect(home.pinned()).toHaveLength(1);
  expect(network.director.run("ip link show sluice-lane")).toContain("sluice-lane");
  expect(network.ask(80)).toBe(R1);
});

test("programs end where the next daemon cannot have the kernel engine", async () => {
  const first = await start();
  home.configure(...SERVICE);
  await untilCarried(first);
  await first.end("SIGKILL");
  const child = home.launchBy(
    network.director,
    'exec setpriv --bounding-set=-bpf,-sys_admin "$@"',
    "--engine",
    "auto",
  );
  await untilPrinted(child, "the director runs");
  expect(home.pinned()).toEqual([]);
  expect(network.ask(80)).toBe(R1);
  child.kill("SIGKILL");
  await once(child, "exit");
});

test("another user's stay, and the kernel engine runs without any of its own", async () => {
  const first = await start();
  home.configure(...SERVICE);
  await untilCarried(first);
  await first.end("SIGKILL");
  const [folder] = home.pinned();
  chownSync(join(home.directory, "bpf/sluice", folder!), 65_534, 65_534);
  const child = home.launch(network.director, ...KERNEL);
  let said = "";
  child.stdout.on("data", (chunk: Buffer) => {
    said += chunk.toString();
  });
  await expect.poll(() => said, POLLED).toContain("the director runs");
  expect(said).toContain("the kernel's programs end with this process");
  expect(said).toContain("is another user's (uid 65534), and stays");
  expect(home.pinned()).toEqual([folder]);
  child.kill("SIGKILL");
  await once(child, "exit");
});
