/** Probes the VIP's own way in real namespaces: a director and its servers on two wires. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Conversation } from "../../../test/userspace/conversation.ts";
import { connect, Namespace, untilPrinted } from "../../../test/userspace/namespaces.ts";

const PROGRAM = new URL("../../../test/userspace/probe-path-host.ts", import.meta.url).pathname;

const SLUICE = new URL("../../sluice.ts", import.meta.url).pathname;

/**
 * Listens on each address that it is told, at port 80 of TCP and 53 of UDP, and answers with the one it was asked at; at port
 * 82 once it has heard 4000 bytes.
 */
const SERVER = `
  const addresses = process.argv.slice(1);
  const ready = [];
  for (const address of addresses) {
    const server = require("node:net").createServer((socket) => socket.on("error", () => {}).end(address));
    ready.push(new Promise((resolve) => server.listen({ host: address, port: 80 }, resolve)));
    const listener = require("node:net").createServer((socket) => {
      let heard = 0;
      socket.on("error", () => {}).on("data", ({ length }) => (heard += length) < 4000 || socket.end(address));
    });
    ready.push(new Promise((resolve) => listener.listen({ host: address, port: 82 }, resolve)));
    const socket = require("node:dgram").createSocket(address.includes(":") ? "udp6" : "udp4");
    socket.on("message", (_, from) => socket.send(address, from.port, from.address));
    ready.push(new Promise((resolve) => socket.bind(53, address, resolve)));
  }
  Promise.all(ready).then(() => console.log("listening"));
`;

let director: Namespace;
let healthy: Namespace;
/** Its services listen on its own addresses only, though it has the VIPs. */
let deaf: Namespace;

beforeEach(async () => {
  director = new Namespace("director");
  healthy = new Namespace("healthy");
  deaf = new Namespace("deaf");
  connect(director, "eth0", healthy, "eth0");
  connect(director, "eth1", deaf, "eth0");
  director.run("sysctl -qw net.ipv4.conf.all.rp_filter=1");
  director.batch([
    "addr add 10.0.0.1/24 dev eth0",
    "addr add 10.1.0.1/24 dev eth1",
    "addr add 2001:db8::1/64 dev eth0 nodad",
    "addr add 2001:db8:1::1/64 dev eth1 nodad",
    ...VIPS.map((vip) => `addr add ${vip} dev lo`),
  ]);
  for (const [server, net] of [
    [healthy, 0],
    [deaf, 1],
  ] as const) {
    server.run("sysctl -qw net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2");
    server.batch([
      `addr add 10.${net}.0.2/24 dev eth0`,
      `addr add 2001:db8:${net}::2/64 dev eth0 nodad`,
      ...VIPS.map((vip) => `addr add ${vip} dev lo`),
    ]);
  }
  await Promise.all([
    untilPrinted(healthy.start(process.execPath, "-e", SERVER, ...VIPS), "listening"),
    untilPrinted(
      deaf.start(process.execPath, "-e", SERVER, "10.1.0.2", "2001:db8:1::2"),
      "listening",
    ),
  ]);
});

afterEach(() => {
  for (const each of [director, healthy, deaf]) each[Symbol.dispose]();
});

const VIPS = ["10.0.0.100", "10.0.0.101", "2001:db8::100"];
const PATHS = [
  "10.0.0.100>10.0.0.2",
  "10.0.0.101>10.0.0.2",
  "10.0.0.100>10.1.0.2",
  "2001:db8::100>2001:db8::2",
  "2001:db8::100>2001:db8:1::2",
];

async function start(...paths: readonly string[]): Promise<Conversation> {
  const conversation = new Conversation(director.startNode(PROGRAM));
  expect(await conversation.hear()).toBe("ready");
  expect(await conversation.ask(`want ${paths.join(" ")}`)).toBe("done");
  return conversation;
}

/** What comes of each of these, asked one after the other. */
async function answers(host: Conversation, asked: readonly string[]): Promise<string[]> {
  const heard: string[] = [];
  for (const each of asked) heard.push(`${each}: ${await host.ask(each)}`);
  return heard;
}

test("a probe finds what a client's packet would find", async () => {
  const host = await start(...PATHS);
  expect(
    await answers(host, [
      "tcp 10.0.0.100>10.0.0.2 80",
      "tcp 10.0.0.101>10.0.0.2 80",
      "udp 10.0.0.100>10.0.0.2 53",
      "tcp 2001:db8::100>2001:db8::2 80",
      "udp 2001:db8::100>2001:db8::2 53",
      "tcp 10.0.0.100>10.1.0.2 80",
      "udp 10.0.0.100>10.1.0.2 53",
      "tcp 2001:db8::100>2001:db8:1::2 80",
      "udp 2001:db8::100>2001:db8:1::2 53",
    ]),
  ).toEqual([
    "tcp 10.0.0.100>10.0.0.2 80: 10.0.0.100",
    "tcp 10.0.0.101>10.0.0.2 80: 10.0.0.101",
    "udp 10.0.0.100>10.0.0.2 53: 10.0.0.100",
    "tcp 2001:db8::100>2001:db8::2 80: 2001:db8::100",
    "udp 2001:db8::100>2001:db8::2 53: 2001:db8::100",
    "tcp 10.0.0.100>10.1.0.2 80: ECONNREFUSED",
    "udp 10.0.0.100>10.1.0.2 53: ECONNREFUSED",
    "tcp 2001:db8::100>2001:db8:1::2 80: ECONNREFUSED",
    "udp 2001:db8::100>2001:db8:1::2 53: ECONNREFUSED",
  ]);
  await host.end();
  expect(director.run("nft list tables")).toBe("");
});

test("an echo request goes there, too", async () => {
  const host = await start(...PATHS);
  const all = PATHS.map((path) => `ping ${path} 0`);
  // The kernel answers also where no service listens.
  expect(await answers(host, all)).toEqual(all.map((each) => `${each}: echo reply`));
  healthy.batch(["addr del 10.0.0.101/32 dev lo", "addr del 2001:db8::100/128 dev lo"]);
  expect(await answers(host, [...all, "ping 10.0.0.2 0", "ping 2001:db8::2 0"])).toEqual([
    `${all[0]}: echo reply`,
    `${all[1]}: no answer in time, waited for an echo reply`,
    `${all[2]}: echo reply`,
    `${all[3]}: no answer in time, waited for an echo reply`,
    `${all[4]}: echo reply`,
    "ping 10.0.0.2 0: echo reply",
    "ping 2001:db8::2 0: echo reply",
  ]);
  // Without the right to an ICMP socket it is a raw one.
  director.run("sysctl -qw net.ipv4.ping_group_range=1\t0");
  expect(await answers(host, [all[0]!, all[1]!])).toEqual([
    `${all[0]}: echo reply`,
    `${all[1]}: no answer in time, waited for an echo reply`,
  ]);
});

test("the host's own connections to servers go where they went", async () => {
  const host = await start(...PATHS);
  expect(
    await answers(host, ["tcp 10.1.0.2 80", "udp 10.1.0.2 53", "tcp 2001:db8:1::2 80"]),
  ).toEqual([
    "tcp 10.1.0.2 80: 10.1.0.2",
    "udp 10.1.0.2 53: 10.1.0.2",
    "tcp 2001:db8:1::2 80: 2001:db8:1::2",
  ]);
});

test("a server that loses the VIP is silent, and answers when it has it again", async () => {
  const host = await start(...PATHS);
  const both = ["tcp 10.0.0.100>10.0.0.2 80", "tcp 2001:db8::100>2001:db8::2 80"];
  healthy.batch(["addr del 10.0.0.100/32 dev lo", "addr del 2001:db8::100/128 dev lo"]);
  expect(await answers(host, both)).toEqual(both.map((each) => `${each}: silence`));
  healthy.batch(["addr add 10.0.0.100/32 dev lo", "addr add 2001:db8::100/128 dev lo"]);
  expect(await answers(host, both)).toEqual([
    `${both[0]}: 10.0.0.100`,
    `${both[1]}: 2001:db8::100`,
  ]);
});

test("a probe of a server behind a tunnel comes through it", async () => {
  const taker = healthy.startNode(SLUICE, "decapsulate", "--on", "eth0", "--gue-port", "6080");
  await untilPrinted(taker, "taking apart");
  const paths = [
    "10.0.0.100>10.0.0.2@ipip",
    "10.0.0.100>10.0.0.2@gre",
    "10.0.0.101>10.0.0.2@gue",
    "2001:db8::100>2001:db8::2@ipip",
    "10.0.0.100>10.1.0.2@ipip",
    "10.0.0.101>10.0.0.2",
  ];
  const host = await start(...paths);
  expect(
    await answers(host, [
      ...paths.map((path) => `tcp ${path} 80`),
      "udp 10.0.0.100>10.0.0.2@ipip 53",
      "ping 10.0.0.100>10.0.0.2@ipip 0",
      "ping 2001:db8::100>2001:db8::2@ipip 0",
      "tcp 10.0.0.100>10.0.0.2@ipip 81",
      "tcp 10.0.0.100>10.0.0.2@gre 82",
      "tcp 2001:db8::100>2001:db8::2@ipip 82",
    ]),
  ).toEqual([
    "tcp 10.0.0.100>10.0.0.2@ipip 80: 10.0.0.100",
    "tcp 10.0.0.100>10.0.0.2@gre 80: 10.0.0.100",
    "tcp 10.0.0.101>10.0.0.2@gue 80: 10.0.0.101",
    "tcp 2001:db8::100>2001:db8::2@ipip 80: 2001:db8::100",
    // Nobody takes it apart there.
    "tcp 10.0.0.100>10.1.0.2@ipip 80: silence",
    "tcp 10.0.0.101>10.0.0.2 80: 10.0.0.101",
    "udp 10.0.0.100>10.0.0.2@ipip 53: 10.0.0.100",
    "ping 10.0.0.100>10.0.0.2@ipip 0: echo reply",
    "ping 2001:db8::100>2001:db8::2@ipip 0: echo reply",
    "tcp 10.0.0.100>10.0.0.2@ipip 81: ECONNREFUSED",
    // Segments leave room for the tunnel's headers.
    "tcp 10.0.0.100>10.0.0.2@gre 82: 10.0.0.100",
    "tcp 2001:db8::100>2001:db8::2@ipip 82: 2001:db8::100",
  ]);
  director.run("ip link delete sluice-probes");
  await expect
    .poll(() => host.ask("tcp 10.0.0.100>10.0.0.2@ipip 80"), { timeout: 10_000 })
    .toBe("10.0.0.100");
  await host.kill();
  await expect.poll(() => director.run("ip -br link"), { timeout: 10_000 }).not.toMatch("sluice");
});

test("probes follow one another on few ports", async () => {
  const host = await start(...PATHS);
  for (let round = 0; round < 12; round++) {
    expect(await host.ask("tcp 10.0.0.100>10.0.0.2 80")).toBe("10.0.0.100");
  }
});

test("paths that are no longer wanted are gone, new ones are there", async () => {
  const host = await start("10.0.0.100>10.0.0.2");
  expect(await host.ask("tcp 10.0.0.101>10.0.0.2 80")).toBe("later");
  await host.ask("want 10.0.0.101>10.0.0.2 10.0.0.100>10.0.0.1 10.0.0.100>2001:db8::2");
  expect(await host.ask("tcp 10.0.0.100>10.0.0.2 80")).toBe("later");
  expect(await host.ask("tcp 10.0.0.101>10.0.0.2 80")).toBe("10.0.0.101");
  expect(await host.ask("tcp 10.0.0.100>10.0.0.1 80")).toBe("direct: the server is this host");
  expect(await host.ask("tcp 10.0.0.100>2001:db8::2 80")).toMatch(/^direct: .* another family/);
  expect(director.run("nft list ruleset")).not.toContain("eth1");
});

test("an interface that is made anew is watched anew", async () => {
  const host = await start(...PATHS);
  director.run("ip link delete eth0");
  connect(director, "eth0", healthy, "eth0");
  director.batch(["addr add 10.0.0.1/24 dev eth0"]);
  healthy.batch(["addr add 10.0.0.2/24 dev eth0"]);
  await expect
    .poll(() => host.ask("tcp 10.0.0.100>10.0.0.2 80"), { timeout: 10_000 })
    .toBe("10.0.0.100");
});

test("nothing is left when the process is killed", async () => {
  const host = await start(...PATHS);
  expect(director.run("nft list tables")).toContain("sluice_probes");
  await host.kill();
  await expect.poll(() => director.run("nft list tables"), { timeout: 10_000 }).toBe("");
  const next = await start(...PATHS);
  expect(await next.ask("tcp 10.0.0.100>10.0.0.2 80")).toBe("10.0.0.100");
});

test("nft may end", async () => {
  const host = await start(...PATHS);
  for (const pid of execFileSync("ip", ["netns", "pids", director.name], { encoding: "utf8" })
    .split("\n")
    .filter(Boolean)) {
    if (readFileSync(`/proc/${pid}/comm`, "utf8").trim() === "nft") process.kill(Number(pid));
  }
  expect([await host.hear(), await host.hear()]).toEqual(["lost", "restored"]);
  expect(await host.ask("tcp 10.0.0.100>10.0.0.2 80")).toBe("10.0.0.100");
});
