/** VIPs that the daemon adds to an interface and announces: on a real interface, with a neighbour who has them elsewhere. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Status, StatusVip } from "../../src/api/messages.ts";
import { untilPrinted } from "../userspace/namespaces.ts";
import { type Daemon, DaemonHome } from "./daemon.ts";
import { Network, R1, V } from "./network.ts";

const PATIENCE = { timeout: 30_000 };

const W = "10.9.0.200";
const W6 = "2001:db8:9::200";
const WRONG = "02:00:00:00:00:99";

let network: Network;
let home: DaemonHome;

beforeEach(async () => {
  network = new Network();
  home = new DaemonHome();
  for (const host of [network.client, network.director]) {
    host.run("sysctl -qw net.ipv6.conf.outside.disable_ipv6=0");
  }
});

afterEach(() => {
  network[Symbol.dispose]();
  home[Symbol.dispose]();
});

const SERVICES = `services:
  - vip: ${W}
    port: 80
    destinations: [{address: ${R1}, forwarding: masquerade}]
`;

function configure(...vips: readonly string[]): void {
  writeFileSync(home.configuration, `vips: [${vips.join(", ")}]\n${SERVICES}`);
}

function apply(): void {
  const { code, stderr } = home.sluice(`apply ${home.configuration}`);
  expect([code, stderr]).toEqual([0, ""]);
}

/** What the director has on the interface, without what the kernel itself put there. */
function addresses(device = "outside"): string[] {
  const text = network.director.run(`ip -o address show dev ${device} scope global`);
  return [...text.matchAll(/inet6? (\S+)/g)].map(([, prefix]) => prefix!);
}

function vips(): readonly StatusVip[] {
  return (JSON.parse(home.sluice("status --json").stdout) as Status).vips;
}

const stands = (): string[] => vips().map(({ address, stand }) => `${address} ${stand}`);

/** Where the client thinks that an address is. */
function neighbour(address: string): string | undefined {
  return /lladdr (\S+)/.exec(network.client.run(`ip neigh show ${address} dev outside`))?.[1];
}

const told = (daemon: Daemon, text: string): number =>
  daemon.messages.filter((message) => message.includes(text)).length;

const THERE_BEFORE = ["10.9.0.1/16", `${V}/32`];

test("VIPs of the file come, are announced to neighbours, and go; what was there before stays", async () => {
  await network.speak(network.server, 80);
  const daemon = await home.start(network.director);
  const mac = network.director.mac("outside");
  network.client.run(`ip neigh replace ${W} lladdr ${WRONG} dev outside nud stale`);
  network.client.run(`ip -6 neigh replace ${W6} lladdr ${WRONG} dev outside nud stale`);
  const ear = network.client.startNode(new URL("hear-announcements.ts", import.meta.url).pathname);
  let heard = "";
  ear.stdout.on("data", (chunk: Buffer) => {
    heard += chunk.toString();
  });
  await untilPrinted(ear, "listening");
  const times = (address: string): number => heard.split(`${address} ${mac}\n`).length - 1;

  configure(
    `{address: ${W}, interface: outside, label: "outside:web", announce: {again: 0.5}}`,
    `{address: "${W6}", interface: outside, announce: {count: 2, again: 0, refresh: 0.2}}`,
    `{address: ${V}, interface: outside, announce: false}`,
  );
  const planned = home.sluice(`plan ${home.configuration}`).stdout;
  expect(planned).toContain(
    `+ VIP ${W}  prefix /32, interface outside, label outside:web, announce 5 at once, again after 500 ms\n`,
  );
  apply();
  await expect.poll(() => addresses()).toEqual([...THERE_BEFORE, `${W}/32`, `${W6}/128`]);
  await expect.poll(() => [neighbour(W), neighbour(W6)]).toEqual([mac, mac]);
  await expect.poll(() => times(W), PATIENCE).toBe(10);
  await expect.poll(() => times(W6), PATIENCE).toBeGreaterThan(4);
  expect(network.director.run(`ip -o address show dev outside to ${W}`)).toContain("outside:web");
  // Duplicates were not looked for, and the host's own connections do not begin there.
  expect(network.director.run(`ip -6 -o address show dev outside to ${W6}`)).toMatch(
    /deprecated.*nodad|nodad.*deprecated/,
  );
  expect(network.ask(80, W)).toBe(R1);
  const page = home.sluice("status").stdout;
  expect(page).toMatch(new RegExp(`^ {2}${W}/32 on outside +there for .*, announced `, "m"));
  expect(page).toMatch(
    new RegExp(`^ {2}${V}/32 on outside +there for .*, as before Sluice: it stays\n`, "m"),
  );
  expect(home.sluice("export").stdout).toContain(
    `- address: ${W}\n    interface: outside\n    label: outside:web\n`,
  );

  // Another label, and one less.
  configure(`{address: ${W}, interface: outside, label: "outside:w"}`);
  apply();
  await expect
    .poll(() => network.director.run(`ip -o address show dev outside to ${W}`))
    .toContain("outside:w\\");
  await expect.poll(() => addresses()).toEqual([...THERE_BEFORE, `${W}/32`]);

  expect(await daemon.end("SIGTERM")).toBe(0);
  expect(addresses()).toEqual(THERE_BEFORE);
});

test("after a SIGKILL the next daemon knows which it may remove", async () => {
  configure(`{address: ${W}/16, interface: outside}`, `{address: ${V}, interface: outside}`);
  const first = await home.start(network.director, "--config", home.configuration);
  await expect.poll(stands, PATIENCE).toEqual([`${W} there`, `${V} there`]);
  await first.end("SIGKILL");
  expect(addresses()).toEqual([...THERE_BEFORE, `${W}/16`]);

  configure();
  const second = await home.start(network.director, "--config", home.configuration);
  await expect.poll(() => addresses()).toEqual(THERE_BEFORE);
  expect(await second.end("SIGTERM")).toBe(0);
  expect(addresses()).toEqual(THERE_BEFORE);
});

test("one that another hand takes away is told, and comes back as the file says", async () => {
  const daemon = await home.start(network.director);
  configure(`{address: ${W}, interface: outside}`);
  apply();
  await expect.poll(stands).toEqual([`${W} there`]);
  network.director.run(`ip address del ${W}/32 dev outside`);
  await expect.poll(stands).toEqual([`${W} taken-away`]);
  const { code, stdout } = home.sluice("status");
  expect(code).toBe(3);
  expect(stdout).toContain(`  VIP ${W}/32 on outside\n    another hand took it away (for `);
  expect(addresses()).toEqual(THERE_BEFORE);
  apply();
  await expect.poll(stands).toEqual([`${W} there`]);

  writeFileSync(
    home.configuration,
    `drift: reconcile\nvips: [{address: ${W}, interface: outside}]\n${SERVICES}`,
  );
  apply();
  const putBack = (): number => told(daemon, "is there again");
  await expect.poll(putBack).toBe(1);
  network.director.run(`ip address del ${W}/32 dev outside`);
  await expect.poll(putBack, PATIENCE).toBe(2);
  expect(addresses()).toContain(`${W}/32`);
});

test("an interface that is not there, or down, is waited for; what goes with it comes back", async () => {
  const daemon = await home.start(network.director);
  configure(`{address: "${W6}", interface: late}`, `{address: ${W}, interface: late}`);
  apply();
  await expect.poll(stands).toEqual([`${W6} no-interface`, `${W} no-interface`]);
  network.director.run("ip link add late type veth peer name early");
  await expect.poll(stands).toEqual([`${W6} interface-down`, `${W} interface-down`]);
  network.director.run("sysctl -qw net.ipv6.conf.late.disable_ipv6=0");
  for (const device of ["early", "late"]) network.director.run(`ip link set ${device} up`);
  await expect.poll(() => addresses("late")).toEqual([`${W}/32`, `${W6}/128`]);
  // An IPv6 address goes with its interface's being up.
  network.director.batch(["link set late down", "link set late up"]);
  await expect.poll(() => addresses("late"), PATIENCE).toEqual([`${W}/32`, `${W6}/128`]);
  network.director.run("ip link set late down");
  await expect.poll(stands).toEqual([`${W6} interface-down`, `${W} interface-down`]);
  network.director.run("ip link del late");
  await expect.poll(stands).toEqual([`${W6} no-interface`, `${W} no-interface`]);
  expect(told(daemon, "another hand")).toBe(0);
});

test("an interface that comes and goes all the time is not another hand", async () => {
  const daemon = await home.start(network.director);
  configure(`{address: "${W6}", interface: late}`, `{address: ${W}, interface: late}`);
  apply();
  network.director.run("ip link add late type veth peer name early");
  network.director.run("sysctl -qw net.ipv6.conf.late.disable_ipv6=0");
  network.director.run("ip link set early up");
  // So many that reading them takes its time.
  network.director.batch(
    Array.from({ length: 2_000 }, (_, n) => `address add 10.66.${n >> 8}.${n & 255} dev early`),
  );
  for (let times = 0; times < 60; times++) {
    // Each is a change that has the daemon look, at another moment of the next one's.
    network.director.batch([
      "link set late up",
      ...Array.from({ length: times % 8 }, (_, index) => `link set late mtu ${1400 + index}`),
      "link set late down",
      "link set late up",
    ]);
    await setTimeout(times);
    network.director.batch(["link set late down"]);
  }
  network.director.batch(["link set late up"]);
  await expect.poll(() => addresses("late"), PATIENCE).toEqual([`${W}/32`, `${W6}/128`]);
  expect(told(daemon, "another hand")).toBe(0);
  network.director.run("ip link del late");
});

test("the kernel's refusal is told, and tried again", async () => {
  await home.start(network.director);
  network.director.run("sysctl -qw net.ipv6.conf.outside.disable_ipv6=1");
  configure(`{address: "${W6}", interface: outside}`);
  apply();
  await expect.poll(stands).toEqual([`${W6} refused`]);
  expect(home.sluice("status").stdout).toContain("netlink: EACCES");
  network.director.run("sysctl -qw net.ipv6.conf.outside.disable_ipv6=0");
  await expect.poll(stands, PATIENCE).toEqual([`${W6} there`]);
});

test("with the first of a network's addresses the others do not go", async () => {
  await home.start(network.director);
  configure(
    `{address: 10.20.0.1/24, interface: outside}`,
    `{address: 10.20.0.2/24, interface: outside}`,
  );
  apply();
  await expect.poll(() => addresses().slice(2)).toEqual(["10.20.0.1/24", "10.20.0.2/24"]);
  network.director.run("ip address add 10.20.0.3/24 dev outside");
  configure(`{address: 10.20.0.2/24, interface: outside}`);
  apply();
  await expect
    .poll(() => addresses().slice(2).toSorted())
    .toEqual(["10.20.0.2/24", "10.20.0.3/24"]);
  await expect.poll(stands).toEqual(["10.20.0.2 there"]);
});

test("a note that is damaged costs nothing but what it said", async () => {
  const inode = /\d+/.exec(network.director.run("readlink /proc/self/ns/net"))![0];
  writeFileSync(join(home.directory, `vips.${inode}`), "{");
  configure(`{address: ${W}, interface: outside}`);
  const daemon = await home.start(network.director, "--config", home.configuration);
  await expect.poll(stands, PATIENCE).toEqual([`${W} there`]);
  expect(await daemon.end("SIGTERM")).toBe(0);
  expect(addresses()).toEqual(THERE_BEFORE);
});
