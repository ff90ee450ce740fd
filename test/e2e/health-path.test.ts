/** A daemon asks its servers through their VIPs: who lacks the VIP gets no clients, and gets them again with it. */
import { writeFileSync } from "node:fs";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { HealthStatus } from "../../src/api/messages.ts";
import { connect, Namespace, untilPrinted } from "../userspace/namespaces.ts";
import { DaemonHome } from "./daemon.ts";

const PATIENCE = { timeout: 30_000, interval: 50 };
const SPEAKER = new URL("./speaker.ts", import.meta.url).pathname;
const SLUICE = new URL("../../src/sluice.ts", import.meta.url).pathname;

const VIP = "10.0.0.100";
const SERVERS = ["10.0.0.11", "10.0.0.12"] as const;
/** Behind a tunnel. */
const FAR = "10.0.0.13";

/** One network of all: a bridge. */
let wire: Namespace;
let director: Namespace;
let servers: Namespace[];
let home: DaemonHome;

beforeEach(() => {
  wire = new Namespace("wire");
  director = new Namespace("director");
  home = new DaemonHome();
  wire.batch(["link add br0 type bridge", "link set br0 up"]);
  plug(director, 1);
  director.batch([`addr add ${VIP}/32 dev eth0`]);
  servers = [11, 12, 13].map((number) => {
    const server = new Namespace(`server-${number}`);
    server.run("sysctl -qw net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2");
    plug(server, number);
    return server;
  });
});

afterEach(() => {
  for (const each of [home, director, ...servers, wire]) each[Symbol.dispose]();
});

function plug(host: Namespace, number: number): void {
  connect(wire, `p${number}`, host, "eth0");
  wire.batch([`link set p${number} master br0`]);
  host.batch([`addr add 10.0.0.${number}/24 dev eth0`]);
}

const hasVip = (server: Namespace | undefined, has: boolean): void =>
  server!.batch([`addr ${has ? "add" : "del"} ${VIP}/32 dev lo`]);

/** `10.0.0.11:80 up`, a line each. */
function told(): string[] {
  const { health } = JSON.parse(home.sluice("status --json").stdout) as { health: HealthStatus };
  return health.services.flatMap(({ destinations }) =>
    destinations.map(({ destination, health: what }) => `${destination} ${what}`),
  );
}

const listed = (): string[] =>
  [...home.ipvsadm("-L -n").stdout.matchAll(/-> (10\S+)/g)].map(([, at]) => at!).sort();

test("servers that lose the VIP get no clients, whatever listens on their own addresses", async () => {
  const QUICK = "interval: 200ms, timeout: 300ms, retry: 50ms, fall: 2, rise: 1";
  writeFileSync(
    home.configuration,
    `
checks: {through: {type: tcp, ${QUICK}}, straight: {type: tcp, via: direct, ${QUICK}}}
services:
  - {vip: ${VIP}, port: 80, scheduler: rr, check: through, destinations: [
      {address: ${SERVERS[0]}}, {address: ${SERVERS[1]}}, {address: ${FAR}, forwarding: {tunnel: gue, port: 6080}}]}
  - {vip: ${VIP}, port: 90, scheduler: rr, check: straight, destinations: [{address: ${SERVERS[0]}}]}
  - {vip: ${VIP}, port: 91, protocol: udp, scheduler: rr, check: {type: udp, ${QUICK}}, destinations: [{address: ${SERVERS[1]}}]}
`,
  );
  for (const server of servers) {
    hasVip(server, true);
    for (const port of ["80", "90"])
      await untilPrinted(server.startNode(SPEAKER, "serve", port, "-"), "listening");
  }
  const last = servers[1]!.startNode(SPEAKER, "serve", "91", "-");
  await untilPrinted(last, "listening");
  const far = servers[2]!;
  const taker = far.startNode(SLUICE, "decapsulate", "--on", "eth0", "--gue-port", "6080");
  await untilPrinted(taker, "taking apart");
  const daemon = await home.start(director, "--config", home.configuration);
  const all = [`${SERVERS[0]}:80`, `${SERVERS[1]}:80`, `${FAR}:80`];
  const always = [`${SERVERS[0]}:90`, `${SERVERS[1]}:91`];
  const up = [...all, ...always].map((each) => `${each} up`);
  // Held to be up until they have been asked.
  await expect.poll(() => /asked/.test(home.sluice("status --json").stdout), PATIENCE).toBe(false);
  expect(told()).toEqual(up);
  expect(listed()).toEqual([...always, ...all].sort());

  hasVip(servers[0], false);
  hasVip(far, false);
  const two = [`${all[0]} down`, up[1], `${all[2]} down`, up[3], up[4]];
  await expect.poll(told, PATIENCE).toEqual(two);
  expect(listed()).toEqual([...always, `${SERVERS[1]}:80`].sort());

  hasVip(servers[0], true);
  hasVip(far, true);
  await expect.poll(told, PATIENCE).toEqual(up);
  expect(listed()).toEqual([...always, ...all].sort());

  // ICMP tells of what a server refuses that is asked through the VIP.
  last.kill("SIGKILL");
  await expect.poll(told, PATIENCE).toEqual([...up.slice(0, -1), `${SERVERS[1]}:91 down`]);

  // The process that asks and what it made on the host go with the daemon.
  expect(director.run("nft list tables")).toContain("sluice_probes");
  await daemon.end("SIGKILL");
  await expect.poll(() => director.run("nft list tables"), PATIENCE).toBe("");
  await expect.poll(() => director.run("ip -br link"), PATIENCE).not.toContain("sluice");
});
