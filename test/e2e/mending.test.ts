/** Whatever somebody does to what Sluice has set up on the host, it is mended and said, and packets flow again. */
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { type Daemon, DaemonHome } from "./daemon.ts";
import { D, Network, R1, V } from "./network.ts";

const LANE = "sluice-lane";
const LOCAL = "the director's own server";

/** Stands before nft(8): as long as `folder`/hold is there it makes no table of IPv6, which comes after that of IPv4. */
const HESITANT_NFT = (folder: string): string => `#!/bin/sh
PATH=\${PATH#*:}
while IFS= read -r line; do
  case $line in "add table ip6 "*) while [ -e ${folder}/hold ]; do : >${folder}/holds; sleep .02; done;; esac
  printf '%s\\n' "$line"
done | nft "$@"
`;

let network: Network;
let home: DaemonHome;
let daemon: Daemon;

beforeAll(async () => {
  network = new Network();
  home = new DaemonHome();
  await network.speak(network.server, 80, R1);
  await network.speak(network.director, 8080, LOCAL);
  writeFileSync(join(home.directory, "nft"), HESITANT_NFT(home.directory), { mode: 0o700 });
  vi.stubEnv("PATH", `${home.directory}:${process.env.PATH}`);
  daemon = await home.start(network.director);
  vi.unstubAllEnvs();
  home.configure(
    `-A -t ${V}:80 -s rr`,
    `-a -t ${V}:80 -r ${R1} -m`,
    // Into the host's stack by the lane, and its answers out of it by the routing rule.
    `-A -t ${V}:82 -s rr`,
    `-a -t ${V}:82 -r ${D}:8080 -m`,
  );
  expect(network.ask(80)).toBe(R1);
  expect(network.ask(82)).toBe(LOCAL);
});

afterAll(() => {
  network[Symbol.dispose]();
  home[Symbol.dispose]();
});

// biome-ignore format: a table
const mischief: [command: string, counted: string | undefined][] = [
  [`ip link del ${LANE}`,                                       "mended-lane"],
  [`ip link del ${LANE}`,                                       "mended-lane"],
  [`ip link set ${LANE} down`,                                  "mended-lane"],
  [`ip link set ${LANE} mtu 1400`,                              "mended-lane"],
  [`ip link set ${LANE} address 02:00:00:00:00:99`,             "mended-lane"],
  [`ip link set ${LANE} name renamed`,                          "mended-lane"],
  [`ip addr flush dev ${LANE}`,                                 "mended-lane"],
  [`sysctl -qw net.ipv4.conf.${LANE}.rp_filter=1`,              "mended-lane"],
  [`sysctl -qw net.ipv4.conf.${LANE}.accept_local=0`,           "mended-lane"],
  [`sysctl -qw net.ipv4.conf.${LANE}.forwarding=0`,             "mended-lane"],
  [`ip route flush dev ${LANE}`,                                "mended-ways"],
  [`ip route flush table all dev ${LANE}`,                      "mended-ways"],
  [`ip neigh del 169.254.77.2 dev ${LANE}`,                     "mended-ways"],
  ["ip rule del pref 1",                                        "mended-rule"],
  ["nft flush ruleset",                                         undefined],
];

test.for(mischief)("%s", async ([command, counted]) => {
  const before = await times(counted);
  network.director.run(command);
  if (counted !== undefined) {
    await expect.poll(() => times(counted), { timeout: 10_000 }).toBeGreaterThan(before);
  }
  await expect.poll(() => network.ask(82), { timeout: 10_000 }).toBe(LOCAL);
  await expect.poll(() => network.ask(80), { timeout: 10_000 }).toBe(R1);
});

test("the process that would remove the routing rule is killed", async () => {
  const before = await times("mended-rule");
  network.director.run(`pkill -KILL -P ${daemon.pid} sh`);
  await expect.poll(() => times("mended-rule"), { timeout: 10_000 }).toBeGreaterThan(before);
  expect(network.ask(82)).toBe(LOCAL);
});

test("the lane's end is taken to another network namespace", async () => {
  const before = await times("mended-lane");
  network.director.run(`ip link set ${LANE} netns ${network.client.name}`);
  await expect.poll(() => times("mended-lane"), { timeout: 10_000 }).toBeGreaterThan(before);
  await expect.poll(() => network.ask(82), { timeout: 10_000 }).toBe(LOCAL);
  expect(network.client.run("ip -br link")).not.toContain(LANE);
});

test("the lane is removed, and its index taken by another interface", async () => {
  const before = await times("mended-lane");
  takeIndex("taker");
  await expect.poll(() => times("mended-lane"), { timeout: 10_000 }).toBeGreaterThan(before);
  await expect.poll(() => network.ask(82), { timeout: 20_000 }).toBe(LOCAL);
  await expect.poll(() => network.ask(80), { timeout: 20_000 }).toBe(R1);
  // The new tables stood beside the old ones: at no time would the host have answered for itself.
  const tables = () => network.director.run("nft list tables ip").match(/sluice(_\d+)?$/gm);
  await expect.poll(tables, { timeout: 10_000 }).toEqual(["sluice_1"]);
});

test("that happens again while tables are made for the lane that came before", async () => {
  const [hold, holds] = ["hold", "holds"].map((name) => join(home.directory, name)) as [
    string,
    string,
  ];
  writeFileSync(hold, "");
  takeIndex("second");
  await expect.poll(() => existsSync(holds), { timeout: 10_000 }).toBe(true);
  const before = await times("mended-lane");
  takeIndex("third");
  await expect.poll(() => times("mended-lane"), { timeout: 10_000 }).toBeGreaterThan(before);
  rmSync(hold);
  await expect.poll(() => network.ask(82), { timeout: 20_000 }).toBe(LOCAL);
  await expect.poll(() => network.ask(80), { timeout: 20_000 }).toBe(R1);
});

/** Removes the lane, and has another interface take its index before the daemon looks. */
function takeIndex(name: string): void {
  const [{ ifindex }] = JSON.parse(network.director.run(`ip -j link show ${LANE}`));
  process.kill(daemon.pid, "SIGSTOP");
  network.director.batch([
    `link del ${LANE}`,
    `link add ${name} index ${ifindex} type veth peer name ${name}-peer`,
  ]);
  process.kill(daemon.pid, "SIGCONT");
}

test("nothing is mended when nobody does anything", async () => {
  const mended = async () => Object.entries(await daemon.reasons()).filter(isMended);
  const before = await mended();
  await new Promise((resolve) => setTimeout(resolve, 5_000));
  expect(await mended()).toEqual(before);
});

const isMended = ([name]: [string, number]) => name.startsWith("mend");

async function times(reason: string | undefined): Promise<number> {
  return reason === undefined ? 0 : daemon.count(reason);
}
