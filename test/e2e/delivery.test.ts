/** Where packets go when the network around the director is not at its best, or changes. */
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { type Daemon, DaemonHome } from "./daemon.ts";
import { D, Network, NOBODY, PATIENT_SECONDS, R1, R2, V } from "./network.ts";

let network: Network;
let home: DaemonHome;
let daemon: Daemon;

beforeAll(async () => {
  network = new Network();
  home = new DaemonHome();
  network.director.run("sysctl -qw net.ipv4.ip_forward=0");
  await network.speak(network.server, 80);
  daemon = await home.start(network.director);
});

afterAll(() => {
  network[Symbol.dispose]();
  home[Symbol.dispose]();
});

beforeEach(() => {
  home.configure("-C", `-A -t ${V}:80 -s rr`);
});

test("NAT works from the moment on at which the host forwards", () => {
  home.configure(`-a -t ${V}:80 -r ${R1} -m`);
  expect(network.ask(80)).toBe("silence");
  network.director.run("sysctl -qw net.ipv4.ip_forward=1");
  expect(network.ask(80)).toBe(R1);
  // Taken as a masqueraded server's, passed as no connection's, and forwarded by the host after all.
  expect(network.ask(80, R1)).toBe(R1);
});

test("a neighbour that nobody knows is asked for", async () => {
  home.configure(`-a -t ${V}:80 -r ${R1} -m`);
  network.director.batch(["neigh flush dev inside", "neigh flush dev outside"]);
  expect(network.ask(80)).toBe(R1);
});

test.for(["-g", "-m", "-i"])(
  "a client is told that its server does not answer ARP (%s)",
  async (method) => {
    home.configure(`-a -t ${V}:80 -r ${NOBODY} ${method}`);
    const before = await daemon.count("neighbour-silent");
    expect(network.ask(80, V, PATIENT_SECONDS)).toBe("unreachable");
    expect(await daemon.count("neighbour-silent")).toBeGreaterThan(before);
  },
);

test("a server that has moved to another card is found again", () => {
  home.configure(`-a -t ${V}:80 -r ${R1} -m`);
  expect(network.ask(80)).toBe(R1);
  // It announces itself, as one does that takes over for another.
  network.server.run("sysctl -qw net.ipv4.conf.inside.arp_notify=1");
  network.server.batch(["link set inside address 02:00:00:00:00:77"]);
  expect(network.ask(80)).toBe(R1);
});

test("a VIP that the host loses is balanced no longer, and again when it is back", async () => {
  home.configure(`-a -t ${V}:80 -r ${R1} -m`);
  expect(network.ask(80)).toBe(R1);
  network.director.batch([`address delete ${V}/32 dev outside`]);
  // The kernel's news of it comes a moment later than its answer to `ip`.
  await expect.poll(() => network.ask(80), { timeout: 5_000 }).not.toBe(R1);
  network.director.batch([`address add ${V}/32 dev outside`]);
  await expect.poll(() => network.ask(80), { timeout: 5_000 }).toBe(R1);
});

test("a wire that goes down and comes up again works again", async () => {
  home.configure(`-a -t ${V}:80 -r ${R1} -m`);
  network.director.batch(["link set inside down"]);
  await expect.poll(() => network.ask(80), { timeout: 5_000 }).not.toBe(R1);
  network.director.batch(["link set inside up"]);
  await expect.poll(() => network.ask(80), { timeout: 5_000 }).toBe(R1);
});

test("an interface that comes later works", async () => {
  home.configure(`-a -t ${V}:80 -r 10.3.0.2 -m`);
  network.director.batch([
    `link add late type veth peer name late netns ${network.server.name}`,
    "address add 10.3.0.1/24 dev late",
    "link set late up",
  ]);
  network.server.batch(["address add 10.3.0.2/24 dev late", "link set late up"]);
  await expect.poll(() => network.ask(80), { timeout: 5_000 }).toBe("10.3.0.2");
});

test("a destination on the director itself is served by its own stack", async () => {
  await network.speak(network.director, 80, "the director itself");
  home.configure(`-a -t ${V}:80 -r ${D} -g`, `-a -t ${V}:80 -r ${R1} -m`);
  const answers = [network.ask(80), network.ask(80)].sort();
  expect(answers).toEqual([R1, "the director itself"]);
});

test("two servers get their turns", () => {
  home.configure(`-a -t ${V}:80 -r ${R1} -m`, `-a -t ${V}:80 -r ${R2} -m`);
  const answers = Array.from({ length: 4 }, () => network.ask(80));
  expect(answers).toEqual([R2, R1, R2, R1]);
});
