/** What real hosts send each other through the director arrives whole, whatever their cards leave undone. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Daemon, DaemonHome } from "./daemon.ts";
import { Network, R1, V } from "./network.ts";
import { hashOf } from "./speaker.ts";

const UPLOAD_BYTES = 1_000_000;
const DOWNLOAD_BYTES = 100_000_000;
/** More than one frame, less than a datagram's 64 kB. */
const DATAGRAM_BYTES = 20_000;

let network: Network;
let home: DaemonHome;
let daemon: Daemon;

beforeAll(async () => {
  network = new Network();
  home = new DaemonHome();
  network.hideVip();
  await network.speak(network.server, 80);
  daemon = await home.start(network.director);
});

afterAll(() => {
  network[Symbol.dispose]();
  home[Symbol.dispose]();
});

beforeEach(() => {
  home.configure("-C");
});

// biome-ignore format: a table
const methods: [method: string, option: string, answersGo: Parameters<Network["answersGo"]>[0]][] = [
  ["direct routing", "-g", "back"],
  ["NAT",            "-m", "through the director"],
];

const OFFLOADS = {
  "as the cards have them by default": "on",
  "without segmentation and receive offloads": "off",
} as const;

describe.for(Object.entries(OFFLOADS))("offloads %s", ([, setting]) => {
  beforeAll(() => {
    for (const wire of ["outside", "inside"]) {
      for (const host of [network.client, network.director, network.server]) {
        if (!host.run("ls /sys/class/net").includes(wire)) continue;
        host.run(`ethtool -K ${wire} tso ${setting} gso ${setting} gro ${setting}`);
      }
    }
  });

  test.for(methods)("%s", async ([, option, answersGo]) => {
    network.answersGo(answersGo);
    home.configure(`-A -t ${V}:80`, `-a -t ${V}:80 -r ${R1} ${option}`);
    const put = await network.speaker(network.client, "put", V, "80", `${UPLOAD_BYTES}`);
    expect(put).toBe(await hashOf(UPLOAD_BYTES));
    const got = await network.speaker(network.client, "get", V, "80", `${DOWNLOAD_BYTES}`);
    expect(got).toBe(await hashOf(DOWNLOAD_BYTES));
    expect(network.server.run("nstat -az TcpInCsumErrors")).toMatch(/TcpInCsumErrors +0 /);
    expect(await daemon.count("transmit-failed")).toBe(0);
  });

  test("NAT of datagrams larger than a frame", async () => {
    network.answersGo("through the director");
    home.configure(`-A -u ${V}:80`, `-a -u ${V}:80 -r ${R1} -m`);
    const answer = await network.speaker(network.client, "ask", V, "80", `${DATAGRAM_BYTES}`);
    expect(answer).toBe("whole");
  });
});
