/**
 * A daemon that is killed again and again under load, the next one started at once: what its clients notice. Half of them
 * are killed in the middle of their start.
 */
import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { DaemonHome } from "../e2e/daemon.ts";
import { Network, R1, V } from "../e2e/network.ts";
import { untilPrinted } from "../userspace/namespaces.ts";
import { floodHalfOpen } from "./half-open.ts";
import type { ClientFigures } from "./restart-client.ts";

const CLIENT = new URL("./restart-client.ts", import.meta.url).pathname;
/** Longer than a start takes on the busiest machine: what comes after the grace is another matter. */
const GRACE = ["--grace", "60"];
/**
 * What was lost is sent again within a second, however often: else the test would wait for backed off timers.
 * tcp_retries2 counts for time: by itself it would end a connection of such hosts after 14 s without an answer.
 */
const PATIENT = [
  "net.ipv4.tcp_retries2=255",
  "net.ipv4.tcp_rto_max_ms=1000",
  "net.ipv4.tcp_syn_linear_timeouts=127",
  "net.ipv4.tcp_syn_retries=127",
];

/** A server's come by its own wire, or with one hop less. */
const HOST_RESETS =
  'add table ip seen; add chain ip seen in { type filter hook input priority 0; }; add rule ip seen in iifname "outside" ip ttl 64 tcp flags & rst == rst counter';

export interface RestartFigures extends ClientFigures {
  readonly rounds: number;
  /** Kinds of system calls at each of which a daemon was killed. */
  readonly callsTried: number;
  /** Of rounds in which a daemon ran: how often requests were answered, by new connections, while none lived. */
  readonly servedWhileDead: number;
  /** What the director's own stack refused: resets that did not come from a server. */
  readonly hostResets: number;
  /** Connections that the daemons after the first went on with, and those that were found half written, altogether. */
  readonly adopted: number;
  readonly damaged: number;
  /** What a daemon took from the start of its process until it ran, in milliseconds. */
  readonly startMedianMs: number;
  readonly startSlowestMs: number;
}

/** What was lost is sent again in some of them. */
const RUNS_MS = 1_200;

/** System calls of a start, by which something changes that others see. */
const CALLS = [
  "kill",
  "clone",
  "unshare",
  "flock",
  "bind",
  "ftruncate",
  "pwrite64",
  "write",
  "sendto",
];

/** One moment of a start after the other: before its main thread's first call of a kind, before the second, ... */
class Moments {
  readonly #calls: readonly string[];
  #number = 0;
  /** Kinds that are done. */
  done = 0;

  constructor(calls: readonly string[]) {
    this.#calls = calls;
  }

  /** A script, as launchBy() takes it, that has a daemon killed at the next moment. */
  next(): string {
    const call = this.#calls[this.done % this.#calls.length]!;
    const kills = `inject=${call}:signal=SIGKILL:when=${++this.#number}`;
    // strace(1) runs beside the daemon (-D), not as its parent.
    return `exec strace -D -qq -o /dev/null -e trace=${call} -e signal=none -e ${kills} "$@"`;
  }

  /** A start had no more of them. */
  outlived(): void {
    this.#number = 0;
    this.done++;
  }
}

/**
 * Kills the daemon `rounds` times: every third when it runs, those between at one moment of their start after the
 * other. Connections through it are masqueraded (port
 * 80) and directly routed (port 81).
 */
export async function killUnderLoad(
  rounds: number,
  {
    calls = CALLS,
    floodRate = 0,
    isChecked = false,
    engine = "userspace",
    runsMs = RUNS_MS,
    onRound = () => {},
  }: {
    readonly calls?: readonly string[];
    /** First packets a second, from anywhere, that nobody answers: so many half-open entries are adopted besides. */
    readonly floodRate?: number;
    /** Whether servers are checked, one of them through the VIP. */
    readonly isChecked?: boolean;
    /** Of "kernel" programs go on while no daemon lives. */
    readonly engine?: "userspace" | "kernel";
    /** How long one that runs may go on at most until it is killed. */
    readonly runsMs?: number;
    readonly onRound?: (round: number) => void;
  } = {},
): Promise<RestartFigures> {
  using network = new Network();
  using home = new DaemonHome();
  const { server, director, client } = network;
  // Before there are sockets: they keep what they began with, and those accepted have it from the one that listens.
  for (const host of [client, server]) host.run(`sysctl -eqw ${PATIENT.join(" ")}`);
  for (const port of [80, 81]) await network.speak(server, port);
  network.hideVip();
  server.batch([
    "rule add from 10.9.0.100 lookup 100",
    "route add default via 10.2.0.1 table 100",
    // The director's probes are answered where they came from.
    "route add 10.1.0.0/16 dev inside table 100",
  ]);
  client.run(`nft ${HOST_RESETS}`);
  if (engine === "kernel") home.mountPins();
  const options = [...GRACE, "--engine", engine];
  let daemon = home.launch(director, ...options);
  await untilPrinted(daemon, "the director runs");
  home.configure(
    `-A -t ${V}:80 -s rr`,
    `-a -t ${V}:80 -r ${R1} -m`,
    `-A -t ${V}:81 -s rr`,
    `-a -t ${V}:81 -r ${R1} -g`,
  );
  if (isChecked) await check(home);
  if (floodRate > 0) floodHalfOpen(network, home, floodRate);
  const load = client.startNode(CLIENT, `${V}:80`, `${V}:81`);
  await untilPrinted(load, "holding");
  const startsMs: number[] = [];
  let said = "";
  let runs = true;
  let servedWhileDead = 0;
  const moments = new Moments(calls);
  for (let round = 0; round < rounds; round++) {
    await kill(daemon);
    if (engine === "kernel" && runs && (await isServed(load))) servedWhileDead++;
    onRound(round);
    const begin = performance.now();
    // The last has to run for what the clients still wait for.
    const isWhole = round % 3 === 0 || round === rounds - 1;
    daemon = isWhole
      ? home.launch(director, ...options)
      : home.launchBy(director, moments.next(), ...options);
    daemon.stdout.on("data", (chunk: Buffer) => {
      said += chunk.toString();
    });
    runs = await untilPrinted(daemon, "goes on with").then(
      () => true,
      () => false,
    );
    if (isWhole) startsMs.push(performance.now() - begin);
    else if (runs) moments.outlived();
    if (runs) await sleep(Math.random() * runsMs);
  }
  load.stdin.end();
  const told = JSON.parse(await untilPrinted(load, "}\n")) as ClientFigures;
  const seen = client.run("nft list chain ip seen in");
  // The last one leaves nothing.
  await kill(daemon);
  daemon = home.launch(director, "--engine", engine);
  await untilPrinted(daemon, "the director runs");
  await end(daemon, "SIGTERM");
  const pinned = home.pinned();
  if (pinned.length > 0) throw new Error(`Left behind: ${pinned.join(", ")}`);
  startsMs.sort((one, other) => one - other);
  return {
    ...told,
    rounds,
    callsTried: moments.done,
    servedWhileDead,
    hostResets: Number(/packets (\d+)/.exec(seen)![1]),
    adopted: sum(said, /goes on with (\d+)/g),
    damaged: sum(said, /(\d+) were not whole/g),
    startMedianMs: Math.round(startsMs[startsMs.length >> 1] ?? 0),
    startSlowestMs: Math.round(startsMs.at(-1) ?? 0),
  };
}

/** Requests that are answered beside those that a daemon had begun to answer. */
const SERVED = 8;
const SERVED_MS = 4_000;

/** Whether requests are answered now: so many are waited for, not for ever. */
async function isServed(load: ChildProcessWithoutNullStreams): Promise<boolean> {
  let first: number | undefined;
  let served = 0;
  const hear = (chunk: Buffer): void => {
    for (const [, count] of chunk.toString().matchAll(/^(\d+) answered$/gm)) {
      first ??= Number(count);
      served = Number(count) - first;
    }
  };
  load.stdout.on("data", hear);
  const until = performance.now() + SERVED_MS;
  while (served < SERVED && performance.now() < until) {
    load.stdin.write("?\n");
    await sleep(20);
  }
  load.stdout.off("data", hear);
  return served >= SERVED;
}

/** The same services, by a file that has them checked. */
async function check(home: DaemonHome): Promise<void> {
  const service = (port: number, forwarding: string): string => `
  - vip: ${V}
    port: ${port}
    scheduler: rr
    check: {type: tcp, interval: 200ms, timeout: 1s, retry: 200ms, fall: 5, rise: 1}
    destinations: [{address: ${R1}, forwarding: ${forwarding}}]`;
  writeFileSync(
    home.configuration,
    `services:${service(80, "masquerade")}${service(81, "route")}\n`,
  );
  const { code, stderr } = home.sluice(`apply --wait ${home.configuration}`);
  if (code !== 0) throw new Error(`sluice apply ended with ${code}: ${stderr}`);
}

function sum(text: string, what: RegExp): number {
  return [...text.matchAll(what)].reduce((total, [, number]) => total + Number(number), 0);
}

function kill(daemon: ChildProcessWithoutNullStreams): Promise<void> {
  return end(daemon, "SIGKILL");
}

async function end(daemon: ChildProcessWithoutNullStreams, signal: NodeJS.Signals): Promise<void> {
  if (daemon.exitCode !== null || daemon.signalCode !== null) return;
  const ended = once(daemon, "exit");
  daemon.kill(signal);
  await ended;
}
