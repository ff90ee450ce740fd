/** What a file says of the daemon itself: mail about a server that is down, other listeners and receivers by a reload, and the end. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Received } from "../smtp-server.ts";
import { untilPrinted } from "../userspace/namespaces.ts";
import { DaemonHome } from "./daemon.ts";
import { Network, R1 } from "./network.ts";

const SMTP_SERVER = new URL("../smtp-server-main.ts", import.meta.url).pathname;

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

/** Nobody listens on the server's port. */
const SERVICES = `services:
  - vip: 10.9.0.100
    port: 80
    check: {type: tcp, interval: 1, timeout: 1, fall: 1, via: direct}
    destinations: [{address: ${R1}, forwarding: masquerade}]
  - vip: 10.9.0.100
    port: 81
    destinations: [{address: ${R1}, forwarding: masquerade}]
`;

test("a server that is down is told of by mail; a reload changes listeners and receivers; the end is told", async () => {
  const smtp = network.director.startNode(SMTP_SERVER, "2525");
  await untilPrinted(smtp, "listening");
  const mails: Received[] = [];
  smtp.stdout.on("data", (chunk: string) => {
    for (const line of String(chunk).trim().split("\n")) mails.push(JSON.parse(line) as Received);
  });
  const log = join(home.directory, "told");
  writeFileSync(join(home.directory, "tell"), `#!/bin/sh\necho "$*" >> ${log}\n`, { mode: 0o755 });
  const mail = "{to: ops@example.com, server: '127.0.0.1:2525', name: LVS1, from: lvs@example.com}";
  const write = (own: string): void => writeFileSync(home.configuration, `${own}\n${SERVICES}`);
  write(`metrics: {listen: 9469}\nnotify: [{mail: ${mail}, events: [destination]}]`);
  const daemon = await home.start(network.director, "--config", home.configuration);

  await expect.poll(() => mails.length, { timeout: 20_000 }).toBe(1);
  const { from, to, text } = mails[0]!;
  expect({ from, to }).toEqual({ from: "lvs@example.com", to: ["ops@example.com"] });
  const unfolded = text.replaceAll(/\n[ \t]+/g, " ");
  expect(unfolded).toContain(
    `Subject: [LVS1] Realserver [${R1}]:tcp:80 of virtual server [10.9.0.100]:tcp:80 - DOWN\n`,
  );
  expect(unfolded).toContain("=> CHECK failed on service : ");

  const listening = () => {
    const ports = network.director.run("ss -Hltn").match(/127\.0\.0\.1:94\d\d|0\.0\.0\.0:94\d\d/g);
    return (ports ?? []).toSorted();
  };
  const names = () => home.sluice("events --no-follow --json").stdout;
  expect(listening()).toEqual(["127.0.0.1:9469"]);
  // The same port, by all addresses: the listener's own place is no stranger's.
  write("metrics: {listen: 0.0.0.0:9469}");
  daemon.signal("SIGHUP");
  await expect.poll(listening, { timeout: 20_000 }).toEqual(["0.0.0.0:9469"]);
  expect(network.director.run("curl -sS http://127.0.0.1:9469/metrics")).toContain(
    "sluice_services",
  );

  // A port that somebody else has: nothing of the file is in force.
  write(`metrics: {listen: 2525}\ntimeouts: {udp: 77}`);
  daemon.signal("SIGHUP");
  await expect.poll(names, { timeout: 20_000 }).toContain("configuration-refused");
  expect(names()).toContain("EADDRINUSE");
  expect(listening()).toEqual(["0.0.0.0:9469"]);
  expect(home.sluice("export").stdout).not.toContain("77");

  write(`metrics: {listen: 9471}
notify: [{exec: [${home.directory}/tell], events: [destination-down, quorum-lost], atEnd: true}]`);
  daemon.signal("SIGHUP");
  await expect.poll(listening, { timeout: 20_000 }).toEqual(["127.0.0.1:9471"]);
  expect(names()).toContain("metrics-closed");
  expect(await daemon.end("SIGTERM")).toBe(0);
  expect(existsSync(log) ? readFileSync(log, "utf8") : "").toBe(
    `RS [${R1}]:tcp:81 [10.9.0.100]:tcp:81 DOWN\nVS [10.9.0.100]:tcp:81 DOWN\n`,
  );
  expect(mails).toHaveLength(1);
});
