/** What makes packets vanish without a word is told: by `sluice status`, and once by the log, also when it is over. */
import { spawnSync } from "node:child_process";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Status, StatusFinding } from "../../src/api/messages.ts";
import { type Daemon, DaemonHome } from "./daemon.ts";
import { Network, NOBODY, PATIENT_SECONDS, R1, R2, V } from "./network.ts";

let network: Network;
let home: DaemonHome;
let daemon: Daemon;

beforeEach(async () => {
  network = new Network();
  home = new DaemonHome();
  await network.speak(network.server, 80);
  daemon = await home.start(network.director);
});

afterEach(() => {
  network[Symbol.dispose]();
  home[Symbol.dispose]();
});

interface Explained {
  readonly count: number;
  readonly means: string;
}

const NOWHERE = "10.77.0.1";
const STRANGER = "10.9.0.200";

function findings(): readonly StatusFinding[] {
  const { stdout } = home.sluice("status --json");
  return (JSON.parse(stdout) as Status).findings;
}

const codes = (): string[] => findings().map(({ code }) => code);

/** The trouble begins, is told by all that tell, and is over. */
async function isTold(code: string, message: string, mend: () => void): Promise<void> {
  await expect.poll(codes, { timeout: 30_000 }).toEqual([code]);
  const [finding] = findings();
  const { code: exitCode, stdout } = home.sluice("status");
  expect(exitCode).toBe(3);
  expect(stdout).toContain("What is wrong (1):\n");
  expect(stdout).toContain(`  ${finding!.about}\n    ${finding!.says} (for `);
  expect(stdout).toContain(`    to do: ${finding!.remedy}\n`);
  expect(`${finding!.about}: ${finding!.says}`).toContain(message);
  const logged = (): string[] =>
    daemon.messages
      .filter((line) => line.includes(message))
      .map((line) => (line.startsWith("over: ") ? "over" : "begun"));
  await expect.poll(logged).toEqual(["begun"]);
  mend();
  await expect.poll(codes, { timeout: 30_000 }).toEqual([]);
  await expect.poll(logged).toEqual(["begun", "over"]);
  expect(home.sluice("status").stdout).toContain("\nNothing is known to be wrong.\n");
}

test("nothing is wrong where all is well", async () => {
  home.configure(`-A -t ${V}:80 -s rr`, `-a -t ${V}:80 -r ${R1} -m`);
  expect(network.ask(80)).toBe(R1);
  const { code, stdout } = home.sluice("status");
  expect(stdout).toContain(`process ${daemon.pid}, for `);
  expect(stdout).toMatch(
    /^Engine {7}(kernel|userspace), at netfilter's hooks, behind the host's firewall$/m,
  );
  expect(stdout).toContain("Services     1, with 1 server\nConnections  1 of at most 1048576\n");
  expect(stdout).toContain("Nothing is known to be wrong.\n");
  expect(code).toBe(0);
  const all = JSON.parse(home.sluice("reasons --all --json").stdout) as Record<string, Explained>;
  expect(Object.keys(all)).toContain("ring-full");
  expect(Object.entries(all).filter(([, { means }]) => means === "")).toEqual([]);
  expect(home.sluice("reasons").stdout).toMatch(/^\d+ +forward-masquerade +sent on to a server, /);
});

test("a VIP that is not the host's", async () => {
  home.configure(`-A -t ${STRANGER}:80 -s rr`, `-a -t ${STRANGER}:80 -r ${R1} -m`);
  await isTold(
    "vip-not-local",
    `TCP ${STRANGER}:80: ${STRANGER} is no address of this host`,
    () => {
      const [{ remedy } = { remedy: "" }] = findings();
      expect(remedy).toBe(`ip address add ${STRANGER}/32 dev outside`);
      network.director.run(remedy);
    },
  );
  expect(network.ask(80, STRANGER)).toBe(R1);
});

test("masquerading without forwarding", async () => {
  network.director.run("sysctl -qw net.ipv4.ip_forward=0");
  home.configure(`-A -t ${V}:80 -s rr`, `-a -t ${V}:80 -r ${R1} -m`);
  expect(network.ask(80)).toBe("silence");
  await isTold("not-forwarding", "this host does not forward IPv4 packets", () => {
    const [{ remedy } = { remedy: "" }] = findings();
    network.director.run(remedy);
  });
  expect(network.ask(80)).toBe(R1);
});

test("a server without a route", async () => {
  home.configure(`-A -t ${V}:80 -s rr`, `-a -t ${V}:80 -r ${NOWHERE} -m`);
  await isTold("no-route", `no route leads to the server ${NOWHERE}`, () => {
    network.director.batch([`route add ${NOWHERE} via ${R1}`]);
  });
});

test("a server that does not answer ARP", async () => {
  home.configure(`-A -t ${V}:80 -s rr`, `-a -t ${V}:80 -r ${NOBODY} -m`);
  expect(network.ask(80, V, PATIENT_SECONDS)).toBe("unreachable");
  const message = `the server ${NOBODY} does not answer ARP on inside`;
  await isTold("neighbour-silent", message, () => {
    network.server.batch([`address add ${NOBODY}/16 dev inside`]);
  });
  expect(network.ask(80)).toBe(NOBODY);
});

// biome-ignore format: a table
const firewalls: [what: string, rule: string][] = [
  ["the input chain",    "chain in { type filter hook input priority 0; ip daddr 10.9.0.100 drop; };"],
  ["before the routing", "chain raw { type filter hook prerouting priority -300; tcp dport 80 drop; };"],
];

test.for(firewalls)("a firewall that drops a service's packets in %s", async ([, rule]) => {
  home.configure(`-A -t ${V}:80 -s rr`, `-a -t ${V}:80 -r ${R1} -m`);
  expect(network.ask(80)).toBe(R1);
  expect(codes()).toEqual([]);
  network.director.run(`nft add table ip firewall { ${rule} }`);
  expect(network.ask(80)).toBe("silence");
  const message = "first packets of clients arrived, and none came as far as the input hook";
  await isTold("filtered", message, () => {
    network.director.run("nft delete table ip firewall");
    expect(network.ask(80)).toBe(R1);
  });
});

test("a UDP service behind a firewall", async () => {
  home.configure(`-A -u ${V}:53 -s rr`, `-a -u ${V}:53 -r ${R1} -m`);
  network.director.run(
    "nft add table ip firewall { chain in { type filter hook input priority 0; udp dport 53 drop; }; }",
  );
  for (let time = 0; time < 4; time++) network.client.status(`echo >/dev/udp/${V}/53`);
  await expect.poll(codes, { timeout: 30_000 }).toEqual(["filtered"]);
});

test("a firewall that keeps some clients out is nobody's business", async () => {
  home.configure(`-A -t ${V}:80 -s rr`, `-a -t ${V}:80 -r ${R1} -m`);
  network.client.batch(["address add 10.9.0.3/16 dev outside"]);
  network.director.run(
    "nft add table ip firewall { chain in { type filter hook input priority 0; ip saddr 10.9.0.3 drop; }; }",
  );
  for (let time = 0; time < 3; time++) {
    expect(network.client.status(`curl -s --interface 10.9.0.3 -m 1 http://${V}`)).not.toBe(0);
    expect(network.ask(80)).toBe(R1);
    expect(codes()).toEqual([]);
  }
});

test("a client on the director itself, with direct routing", async () => {
  network.hideVip();
  network.answersGo("back");
  home.configure(`-A -t ${V}:80 -s rr`, `-a -t ${V}:80 -r ${R2} -g`);
  expect(network.ask(80)).toBe(V);
  expect(codes()).toEqual([]);
  const words = ["netns", "exec", network.director.name, "timeout", "1", "bash", "-c"];
  expect(spawnSync("ip", [...words, `exec 3<>/dev/tcp/${V}/80`]).status).not.toBe(0);
  const message = `TCP ${V}:80: a client on this host itself asks it`;
  await isTold("local-client", message, () => home.configure(`-e -t ${V}:80 -r ${R2} -m`));
});
