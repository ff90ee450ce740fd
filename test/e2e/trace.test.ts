/** `sluice trace` tells what became of real packets, whichever engine moved them, and no more than it may. */
import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { WireTracedPacket } from "../../src/api/messages.ts";
import { readCapture } from "../../src/net/pcapng-reader.ts";
import { DaemonHome } from "./daemon.ts";
import { C, Network, R1, R2, V } from "./network.ts";

const SLUICE = new URL("../../src/sluice.ts", import.meta.url).pathname;
const POLLED = { timeout: 10_000, interval: 50 };

let network: Network;
let home: DaemonHome;
let watching: Watching | undefined;

beforeEach(() => {
  network = new Network();
  home = new DaemonHome();
});

afterEach(() => {
  watching?.[Symbol.dispose]();
  watching = undefined;
  network[Symbol.dispose]();
  home[Symbol.dispose]();
});

class Watching implements Disposable {
  readonly #child: ChildProcessWithoutNullStreams;
  #out = "";

  constructor(...words: readonly string[]) {
    this.#child = spawn(
      process.execPath,
      ["--disable-warning=ExperimentalWarning", SLUICE, "trace", ...words],
      { env: { ...process.env, SLUICE_SOCKET: home.socket } },
    );
    this.#child.stdout.on("data", (chunk: Buffer) => {
      this.#out += chunk.toString();
    });
    this.#child.stderr.pipe(process.stderr);
  }

  get lines(): string[] {
    return this.#out.split("\n").slice(0, -1);
  }

  get packets(): WireTracedPacket[] {
    return this.lines.map((line) => JSON.parse(line)).filter((each) => each.packet !== undefined);
  }

  /** Untold ones. */
  get untold(): number {
    const told = this.lines.map((line) => (JSON.parse(line) as { untold?: number }).untold ?? 0);
    return told.reduce((sum, each) => sum + each, 0);
  }

  [Symbol.dispose](): void {
    this.#child.kill();
  }
}

/** Connections come and go until what is told of them is what is waited for. */
async function seen(isThere: () => boolean): Promise<void> {
  const told = (): boolean => {
    network.ask(80);
    return isThere();
  };
  await expect.poll(told, POLLED).toBe(true);
}

function isFirst({ flags, by }: WireTracedPacket): boolean {
  return flags === "S" && by === "scheduler";
}

const BALANCED = [
  `-A -t ${V}:80 -s wlc`,
  `-a -t ${V}:80 -r ${R1}:80 -m`,
  `-a -t ${V}:80 -r ${R2}:80 -m -w 2`,
];

test("a connection is told packet by packet: opened, found, answered, with its scheduler's reasons", async () => {
  await network.speak(network.server, 80);
  await home.start(network.director, "--engine", "userspace");
  home.configure(...BALANCED);
  watching = new Watching("--json", `client=${C}`, "protocol=tcp");
  const told = watching;
  await seen(() => told.packets.some(isFirst));
  const first = told.packets.find(isFirst)!;
  expect(first).toMatchObject({
    engine: "userspace",
    service: `TCP ${V}:80`,
    scheduler: "wlc",
    verdict: "forward",
    reason: "forward-masquerade",
    connection: { virtual: `${V}:80`, state: "SYN_RECV" },
    sent: { interface: "inside", destination: first.choice },
    headers: null,
  });
  expect(first.candidates.map(({ destination }) => destination).toSorted()).toEqual([
    `${R1}:80`,
    `${R2}:80`,
  ]);
  expect(first.candidates[0]).toMatchObject({ destination: first.choice, mayBeChosen: true });
  const isAnswer = ({ reason, flags, connection }: WireTracedPacket): boolean =>
    reason === "forward-reply" && flags === "S." && connection?.client === first.connection?.client;
  await expect.poll(() => told.packets.some(isAnswer), POLLED).toBe(true);
  const answer = told.packets.find(isAnswer)!;
  expect(answer).toMatchObject({ by: "connection", sent: { source: `${V}:80` } });
});

test("packets are chosen by what became of them, in words and in a capture", async () => {
  await network.speak(network.server, 80);
  await home.start(network.director, "--engine", "userspace");
  home.configure(`-A -t ${V}:80`, `-a -t ${V}:80 -r ${R1}:80 -m -w 0`);
  const file = join(home.directory, "trace.pcapng");
  watching = new Watching("reason=drop", "--pcap", file);
  const told = watching;
  await seen(() => told.lines.length > 0);
  expect(watching.lines[0]).toMatch(
    / TCP 10\.9\.0\.2:\d+ > 10\.9\.0\.100:80 \[S\], \d+ bytes \(userspace\): TCP 10\.9\.0\.100:80; wlc chose none of 10\.1\.0\.21:80 \(weight 0, 0\+0, load 0, not eligible\); drop-no-destination$/,
  );
  const capture = readCapture(readFileSync(file));
  if (typeof capture === "string") expect.fail(capture);
  const [packet] = capture.packets;
  expect(packet).toMatchObject({ direction: "in", comment: watching.lines[0] });
  expect(packet!.data.length).toBe(packet!.originalLength);
});

describe("what the kernel forwards by itself", () => {
  test("is told, too, and by whom", async () => {
    await network.speak(network.server, 80);
    await home.start(network.director, "--engine", "kernel");
    home.configure(...BALANCED.slice(0, 2));
    const file = join(home.directory, "trace.pcapng");
    watching = new Watching("--json", `virtual=${V}:80`, "--pcap", file);
    await using talk = await network.talk(80);
    const byKernel = async (): Promise<string[]> => {
      await talk.say("hello");
      const known = watching!.packets.filter(({ engine }) => engine === "kernel");
      return [...new Set(known.map(({ reason }) => reason))].toSorted();
    };
    await expect.poll(byKernel, POLLED).toEqual(["forward-masquerade", "forward-reply"]);
    const told = watching.packets.filter(({ engine }) => engine === "kernel");
    const request = told.find(({ reason }) => reason === "forward-masquerade")!;
    expect(request).toMatchObject({
      arrival: "outside",
      service: `TCP ${V}:80`,
      by: "connection",
      connection: { server: `${R1}:80`, state: "ESTABLISHED" },
      sent: { destination: `${R1}:80`, interface: "inside", nextHop: R1 },
    });
    const reply = told.find(({ reason }) => reason === "forward-reply")!;
    expect(reply).toMatchObject({
      packet: { source: `${R1}:80` },
      sent: { source: `${V}:80`, interface: "outside", nextHop: C },
    });
    const isOpening = ({ engine, by }: WireTracedPacket): boolean =>
      engine === "kernel" && by === "scheduler";
    const all = watching;
    await seen(() => all.packets.some(isOpening));
    expect(all.packets.find(isOpening)).toMatchObject({
      flags: "S",
      scheduler: "wlc",
      choice: `${R1}:80`,
      candidates: [{ destination: `${R1}:80` }],
      sent: { destination: `${R1}:80` },
    });
    const capture = readCapture(readFileSync(file));
    if (typeof capture === "string") expect.fail(capture);
    expect(capture.packets.map(({ comment }) => comment).join("\n")).toContain("(kernel): found");
  });
});

test("a flood is told in part, and how much of it is not", async () => {
  await home.start(network.director, "--engine", "userspace");
  home.configure(`-A -u ${V}:53 -o`, `-a -u ${V}:53 -r ${R1}:53 -m`);
  watching = new Watching("--json", "--rate", "5");
  const burst = `for i in $(seq 300); do echo x > /dev/udp/${V}/53; done`;
  const told = (): number => {
    spawnSync("ip", ["netns", "exec", network.client.name, "bash", "-c", burst]);
    return watching!.untold;
  };
  await expect.poll(told, POLLED).toBeGreaterThan(100);
  expect(watching.packets.length).toBeLessThan(watching.untold);
});

test("mistakes are told, with what would be right", async () => {
  await home.start(network.director, "--engine", "userspace");
  // biome-ignore format: a table
  const mistakes: [words: string, says: string][] = [
    ["colour=red",       "colour=red: expected one of client="],
    ["client=nonsense",  "client: expected an address"],
    ["connection=old",   "connection: expected new or found"],
    ["protocol=ip",      "protocol: expected tcp, udp, sctp or icmp"],
    ["--rate 0",         "--rate 0: expected a number from 1"],
    ["--rate 999999",    "rate: expected packets a second from 1 to 10000"],
    ["--pcap /nowhere/x", "--pcap /nowhere/x: cannot be written: ENOENT"],
  ];
  for (const [words, says] of mistakes) {
    const { code, stderr } = home.sluice(`trace ${words}`);
    expect([words, code === 0, stderr]).toEqual([words, false, expect.stringContaining(says)]);
  }
});
