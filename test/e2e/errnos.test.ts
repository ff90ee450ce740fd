/**
 * Whatever errno the kernel answers with, the daemon goes on: strace(1) has it refuse system calls of the running daemon
 * while packets, neighbours, routes, timers, callers, a lost nft and a lost lane ask for them; then it serves again.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Daemon, DaemonHome } from "./daemon.ts";
import { Network, R1, V } from "./network.ts";

/** A VIP of the daemon's own, which another hand takes away again and again. */
const W = "10.9.0.200";

/** Longer than the daemon's slowest timer takes. */
const WHILE_MS = 1_100;

let network: Network;
let home: DaemonHome;
let daemon: Daemon;

beforeAll(async () => {
  network = new Network();
  home = new DaemonHome();
  await network.speak(network.server, 80, R1);
  daemon = await home.start(network.director, "--engine", "kernel");
  home.configure(`-A -t ${V}:80 -s rr`, `-a -t ${V}:80 -r ${R1} -m`, `-A -u ${V}:53 -s rr`);
  writeFileSync(
    home.configuration,
    `others: keep\ndrift: reconcile\nvips: [{address: ${W}, interface: outside, announce: {again: 0.1, refresh: 0.1}}]\n`,
  );
  expect(home.sluice(`apply ${home.configuration}`).code).toBe(0);
  // The memory is looked at each second.
  expect(home.sluice("sysctl -w net.ipv4.vs.drop_entry=1").code).toBe(0);
});

afterAll(() => {
  network[Symbol.dispose]();
  home[Symbol.dispose]();
});

// biome-ignore format: a table
const refusals: [calls: string, errno: string, counted: string | undefined][] = [
  ["sendmmsg",                "ENOBUFS",      "congested"],
  ["sendmmsg",                "ENOMEM",       "transmit-failed"],
  ["sendmmsg",                "EPERM",        "transmit-failed"],
  ["sendmmsg",                "EINTR",        "transmit-failed"],
  ["sendmmsg",                "ENETDOWN",     "transmit-failed"],
  ["sendto",                  "ENOBUFS",      "E|full"],
  ["sendto",                  "ENOMEM",       "E"],
  ["sendto",                  "EINTR",        "E"],
  ["recvfrom",                "ENOMEM",       "E"],
  ["recvfrom",                "ENOBUFS",      "E"],
  ["recvfrom",                "EINTR",        "E"],
  ["recvfrom",                "EAGAIN",       "E"],
  ["openat",                  "EMFILE",       undefined],
  ["openat,socket,pipe2,socketpair", "EMFILE", "E"],
  ["openat,socket,pipe2,socketpair", "ENFILE", "E"],
  ["socket",                  "EACCES",       undefined],
  ["pread64",                 "EIO",          "memory-EIO"],
  ["pread64",                 "ENOMEM",       "memory-ENOMEM"],
  ["getsockopt",              "ENOMEM",       undefined],
  ["setsockopt",              "ENOMEM",       undefined],
  ["accept4,accept",          "EMFILE",       undefined],
  ["accept4,accept",          "ENOMEM",       undefined],
  ["accept4,accept",          "ECONNABORTED", undefined],
  ["clone,clone3,fork,vfork", "EAGAIN",       undefined],
  ["clone,clone3,fork,vfork", "ENOMEM",       undefined],
  ["setns,ioctl",             "ENOMEM",       "mend"],
  ["bind",                    "EADDRINUSE",   "mend"],
  ["bind",                    "ENOMEM",       "mend"],
  ["bpf",                     "ENOMEM",       "kernel-refused-ENOMEM"],
];

test.for(refusals)("%s: %s", async ([calls, errno, counted]) => {
  const before = await total(counted);
  await whileRefused(calls, errno, async () => {
    await everything();
  });
  expect(daemon.isRunning).toBe(true);
  await expect.poll(() => network.ask(80), { timeout: 60_000 }).toBe(R1);
  const outside = (): string => network.director.run("ip address show dev outside");
  await expect.poll(outside, { timeout: 60_000 }).toContain(W);
  expect(home.ipvsadm("-Ln").code).toBe(0);
  if (counted !== undefined) expect(await total(counted)).toBeGreaterThan(before);
});

async function whileRefused(
  calls: string,
  errno: string,
  work: () => Promise<void>,
): Promise<void> {
  const inject = ["-e", `trace=${calls}`, "-e", `inject=${calls}:error=${errno}`];
  const words = ["-f", "-o", "/dev/null", ...inject, "-p", String(daemon.pid)];
  const strace = spawn("strace", words, { stdio: ["ignore", "ignore", "pipe"] });
  const ended = once(strace, "exit");
  const attached = Promise.withResolvers<void>();
  strace.stderr.on("data", (text) => {
    if (String(text).includes("attached")) attached.resolve();
  });
  try {
    await Promise.race([
      attached.promise,
      ended.then(() => Promise.reject(new Error("strace ended before it attached"))),
    ]);
    await work();
  } finally {
    strace.kill("SIGINT");
    await ended;
  }
}

/** Has the daemon use all that it asks of the kernel. */
async function everything(): Promise<void> {
  const { director, client } = network;
  const caller = connect(home.socket);
  caller.on("error", () => {});
  for (const wire of ["inside", "outside"]) director.status(`ip neigh flush dev ${wire}`);
  director.batch(["route replace 198.51.100.0/24 via 10.1.0.77"]);
  // A connection, a service without servers, and a next hop that does not answer.
  client.status(`exec 3<>/dev/tcp/${V}/80 & echo x >/dev/udp/${V}/53; sleep 0.3`);
  director.status(`ip address del ${W}/32 dev outside`);
  // What was set up on the host is mended meanwhile, or afterwards.
  director.status("ip link del sluice-lane");
  director.status(`pkill -KILL -P ${daemon.pid} nft`);
  director.batch(["route delete 198.51.100.0/24"]);
  await sleep(WHILE_MS);
  client.status(`exec 3<>/dev/tcp/${V}/80 & sleep 0.3`);
  caller.destroy();
}

/** What is counted under names like `pattern`. */
async function total(pattern: string | undefined): Promise<number> {
  if (pattern === undefined) return 0;
  const counts = await daemon.reasons();
  const matching = Object.entries(counts).filter(([name]) => new RegExp(pattern).test(name));
  return matching.reduce((sum, [, count]) => sum + count, 0);
}
