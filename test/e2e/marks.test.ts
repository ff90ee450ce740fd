/** Firewall marks: netfilter gives them, a routing rule brings the packets of addresses that are not the director's. */
import { writeFileSync } from "node:fs";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { untilPrinted } from "../userspace/namespaces.ts";
import { type Daemon, DaemonHome } from "./daemon.ts";
import { Network, R1, R2, V } from "./network.ts";

/** Beyond the director, on the server: nobody's on the director itself. */
const FARM = "10.3.0.7";
const V6 = "fd09::100";
const R1_V6 = "fd01::21";
const LISTENING_6 = `
  require("node:net").createServer((socket) => socket.end(socket.localAddress + "\\n"))
    .listen(80, "::", () => console.log("listening"));
`;

let network: Network;
let home: DaemonHome;
let daemon: Daemon;

beforeAll(async () => {
  network = new Network();
  home = new DaemonHome();
  const { client, director, server } = network;
  client.batch([`route add ${FARM}/32 via 10.9.0.1`]);
  director.batch([
    `route add ${FARM}/32 via ${R1}`,
    "rule add fwmark 2 lookup 100",
    "route add local default dev lo table 100",
  ]);
  director.run(
    "nft add table inet marks { chain pre { type filter hook prerouting priority mangle; }; }",
  );
  server.batch([`address add ${FARM}/32 dev lo`]);
  for (const port of [80, 81, 443]) await network.speak(server, port);
  daemon = await home.start(director);
});

afterAll(() => {
  network[Symbol.dispose]();
  home[Symbol.dispose]();
});

beforeEach(() => {
  home.configure("-C");
  unmark();
});

/** A rule of nft's that gives a mark. */
const mark = (match: string, value: number): string =>
  network.director.run(`nft add rule inet marks pre ${match} meta mark set ${value}`);
const unmark = (): string => network.director.run("nft flush chain inet marks pre");
const resets = (): string => network.director.run("nstat -az TcpOutRsts");

test("several ports under one mark stick to one server, and others are the host's", () => {
  home.configure("-A -f 1 -s rr -p 60", `-a -f 1 -r ${R1}:0 -m`, `-a -f 1 -r ${R2}:0 -m`);
  expect(network.ask(80)).toBe("refused");
  mark(`ip daddr ${V} tcp dport { 80, 443 }`, 1);
  const first = network.ask(80);
  expect([R1, R2]).toContain(first);
  expect([network.ask(443), network.ask(80), network.ask(443)]).toEqual([first, first, first]);
  expect(network.ask(81)).toBe("refused");
  expect(home.ipvsadm("-Lnc").stdout).toMatch(/^IP {2}.*0\.0\.0\.1:0/m);
  unmark();
  expect(network.ask(80)).toBe("refused");
});

test("a range of ports is one service: by the file, without a rule of netfilter's", async () => {
  const file = (ports: string, more = ""): void => {
    writeFileSync(
      home.configuration,
      `services:
  - vip: ${V}
    port: ${ports}
    scheduler: rr
    persistence: {timeout: 60}
    destinations: [{address: ${R1}, forwarding: masquerade}, {address: ${R2}, forwarding: masquerade}]
${more}`,
    );
    expect(home.sluice(`apply ${home.configuration}`)).toMatchObject({ code: 0, stderr: "" });
  };
  file("80-81");
  const first = network.ask(80);
  expect([R1, R2]).toContain(first);
  expect([network.ask(81), network.ask(80), network.ask(443)]).toEqual([first, first, "refused"]);
  expect(home.ipvsadm("-Ln").stdout).toMatch(/^FWM {2}\d+ rr persistent 60\n/m);
  expect(home.sluice("get").stdout).toContain(`tcp:${V}:80-81`);

  // More ports, and a service of its own for one of them.
  const other = first === R1 ? R2 : R1;
  file(
    "80-443",
    `  - {vip: ${V}, port: 81, destinations: [{address: ${other}, forwarding: masquerade}]}\n`,
  );
  expect([network.ask(80), network.ask(81), network.ask(443)]).toEqual([first, other, first]);
  const exported = home.sluice("export").stdout;
  expect(exported).toContain("port: 80-443\n");
  writeFileSync(home.configuration, exported);
  expect(home.sluice(`plan ${home.configuration}`)).toMatchObject({ code: 0 });

  file("443-444");
  expect([network.ask(443), network.ask(80)]).toEqual([first, "refused"]);
  home.configure("-C");
  expect(network.ask(443)).toBe("refused");
});

test("packets to an address that is not the host's are brought by their mark", () => {
  expect([network.ask(80, FARM), network.ask(81, FARM)]).toEqual([FARM, FARM]);
  home.configure("-A -f 2 -s rr", `-a -f 2 -r ${R2}:0 -m`);
  mark("tcp dport 80", 2);
  expect([network.ask(80, FARM), network.ask(81, FARM)]).toEqual([R2, FARM]);
  expect(network.ask(80)).toBe(R2);
  unmark();
  expect(network.ask(80, FARM)).toBe(FARM);
});

test("a connection outlives its mark, and the host does not answer it", async () => {
  home.configure("-A -f 3 -s rr", `-a -f 3 -r ${R1}:0 -m`);
  mark(`ip daddr ${V} tcp dport 80`, 3);
  const before = resets();
  const connection = await network.hold(80);
  unmark();
  const forwarded = await daemon.count("forward-masquerade");
  await connection.end();
  expect(await daemon.count("forward-masquerade")).toBeGreaterThan(forwarded);
  expect(resets()).toBe(before);
  expect(network.ask(80)).toBe("refused");
});

test("services of marks survive a restart", async () => {
  home.configure("-A -f 4 -s rr", `-a -f 4 -r ${R1}:0 -m`);
  mark(`ip daddr ${V} tcp dport 1-1000`, 4);
  expect(network.ask(80)).toBe(R1);
  expect(await daemon.end("SIGKILL")).toBe(null);
  daemon = await home.start(network.director);
  expect(network.ask(80)).toBe(R1);
});

test("a datagram in fragments has the mark of its first one", async () => {
  home.configure("-A -f 5 -s rr", `-a -f 5 -r ${R1}:0 -m`);
  mark(`ip daddr ${V} udp dport 80`, 5);
  expect(await network.speaker(network.client, "ask", V, "80", "20000")).toBe("whole");
});

test("IPv6", async () => {
  const { client, director, server } = network;
  for (const host of [client, director, server]) {
    host.run("sysctl -qw net.ipv6.conf.all.disable_ipv6=0 net.ipv6.conf.all.forwarding=1");
  }
  client.batch([
    "address add fd09::2/64 dev outside nodad",
    `route add ${V6}/128 via fd09::1 dev outside`,
  ]);
  director.batch([
    "address add fd09::1/64 dev outside nodad",
    `address add ${V6}/128 dev outside nodad`,
    "address add fd01::1/64 dev inside nodad",
  ]);
  server.batch([
    `address add ${R1_V6}/64 dev inside nodad`,
    "route add fd09::/64 via fd01::1 dev inside",
  ]);
  await untilPrinted(
    server.start(process.execPath, "-e", LISTENING_6.replaceAll("80", "8080")),
    "listening",
  );
  home.configure("-A -f 7 -6 -s rr", `-a -f 7 -6 -r [${R1_V6}]:8080 -m`);
  expect(network.ask(80, V6)).toBe("refused");
  mark(`ip6 daddr ${V6} tcp dport { 80, 443 }`, 7);
  await expect.poll(() => network.ask(80, V6), { timeout: 5_000 }).toBe(R1_V6);
  expect(network.ask(443, V6)).toBe(R1_V6);
});
