/**
 * For how long do clients still come to a server that died?
 *
 * Asked: from a server's end to the last new connection that was sent there, by how it ended and how often it is asked.
 */
import { type ChildProcess, execFileSync } from "node:child_process";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { LabFailure } from "../../src/lab/failure.ts";
import { firstLine, type Host } from "../../src/lab/network/host.ts";
import { buildNetwork } from "../../src/lab/network/hosts.ts";
import { type LabPlan, portOf } from "../../src/lab/network/plan.ts";
import type { InsideBenchmark } from "../inside.ts";
import { figuresOf } from "./figures.ts";
import {
  ENDS,
  type End,
  EVERY_MS,
  type FailoverFigures,
  PATIENCE_MS,
  QUIET_MS,
  RUNS,
  type Sample,
  SETTINGS,
  SETTLED_MAX_MS,
  type Settings,
} from "./settings.ts";

export const FAILOVER: InsideBenchmark<readonly FailoverFigures[]> = {
  name: "failover",
  measure: measureAll,
};

export const FAILOVER_METHOD = `\
A client, a director and two servers of direct routing, hosts in network namespaces. The client begins a connection every
${EVERY_MS} ms, from another port each, and gives it ${PATIENCE_MS} ms. One server ends at a moment that no clock of the director's knows: its process is killed (its
host refuses), its interface is set down, or its machine goes (process and cable at once). Checks are TCP through the VIP, with
\`retry\` as \`interval\`, \`rise\` 1, no jitter; whoever is down is taken out. "Out" is from the end to the beginning of the last
connection that got nothing, as a median and the longest of ${RUNS}; "failed" of new connections meanwhile. "Back" is from the
server's return to the first connection that it serves. keepalived (Debian's, on the kernel's IPVS) is measured the same way with
the same settings in a guest, User Mode Linux, by the guest's own clock: its TCP_CHECK asks the server's own address.`;

const LAN = "192.168.150";
const VIP = `${LAN}.100`;

const PLAN: LabPlan = {
  name: "dr",
  family: "inet",
  title: "failover",
  vip: VIP,
  client: `${LAN}.1`,
  realPort: 80,
  realServers: [],
  prefixLength: 24,
  hosts: [
    host("client", 1, "client"),
    host("node01", 11, "Sluice"),
    host("node02", 12, "real server"),
    host("node03", 13, "real server"),
  ],
};

/** Says its name to whoever connects. */
const SERVER = `require("node:net").createServer((socket) => socket.on("error", () => {}).end(process.argv[1]))
  .listen(80, () => console.log("listening"))`;
const CLIENT = new URL("client.ts", import.meta.url).pathname;

async function measureAll(progress: (text: string) => void): Promise<readonly FailoverFigures[]> {
  const { client, node01, node02, node03 } = await buildNetwork(PLAN);
  await run(node01, `ip address add ${VIP}/32 dev lo`);
  for (const server of [node02, node03]) {
    await run(
      server,
      `echo 1 >/proc/sys/net/ipv4/conf/all/arp_ignore
      echo 2 >/proc/sys/net/ipv4/conf/all/arp_announce
      ip address add ${VIP}/32 dev lo`,
    );
  }
  const mortal = new Server(node02);
  await mortal.start();
  await new Server(node03).start();
  const figures: FailoverFigures[] = [];
  for (const settings of SETTINGS) {
    const director = await startDirector(node01, settings);
    const attempts = new Attempts(client);
    await attempts.until(({ who }) => who === node02.name);
    for (const end of ENDS) {
      const samples: Sample[] = [];
      for (let each = 0; each < RUNS; each++) {
        samples.push(await sample(mortal, attempts, settings, end));
        const { outMs } = samples.at(-1)!;
        progress(`every ${settings.intervalMs} ms, ${end}: out after ${outMs.toFixed(0)} ms`);
      }
      figures.push(figuresOf({ balancer: "sluice", settings, end }, samples));
    }
    attempts.end();
    director.kill("SIGTERM");
    await delay(1_000);
  }
  return figures;
}

async function sample(
  server: Server,
  attempts: Attempts,
  { intervalMs }: Settings,
  end: End,
): Promise<Sample> {
  await delay(Math.random() * intervalMs);
  const ended = now();
  await server.end(end);
  await attempts.quiet(ended);
  const out = attempts.lastFailure(ended) ?? ended;
  const meanwhile = attempts.between(ended, out);
  const failed = meanwhile.filter(({ who }) => who === undefined).length;
  const returned = now();
  await server.start();
  const back = await attempts.until(({ at, who }) => at > returned && who === server.name);
  await attempts.quiet(back.at);
  return {
    outMs: out - ended,
    failedPercent: (failed * 100) / Math.max(1, meanwhile.length),
    backMs: back.at - returned,
  };
}

/** The one that ends and returns. */
class Server {
  readonly #host: Host;
  readonly #port: string;
  #process: ChildProcess | undefined;

  constructor(host: Host) {
    this.#host = host;
    const plan = PLAN.hosts.find(({ name }) => name === host.name)!;
    this.#port = portOf(plan, plan.cards[0]!);
  }

  get name(): string {
    return this.#host.name;
  }

  async start(): Promise<void> {
    if (this.#process === undefined) {
      this.#process = this.#host.start([process.execPath, "-e", SERVER, this.name]);
      await firstLine(this.#process);
    }
    await run(this.#host, "ip link set eth0 up");
    execFileSync("ip", ["link", "set", this.#port, "up"]);
  }

  async end(how: End): Promise<void> {
    // What takes no time first: the moment is taken just before.
    if (how === "machine") execFileSync("ip", ["link", "set", this.#port, "down"]);
    if (how === "interface") await run(this.#host, "ip link set eth0 down");
    else {
      this.#process?.kill("SIGKILL");
      this.#process = undefined;
    }
  }
}

interface Attempt {
  readonly at: number;
  /** Undefined: nobody answered. */
  readonly who: string | undefined;
}

/** What the client tells of its connections, in the order in which they ended. */
class Attempts {
  readonly #all: Attempt[] = [];
  readonly #child: ChildProcess;

  constructor(client: Host) {
    const words = [VIP, "80", `${EVERY_MS}`, `${PATIENCE_MS}`];
    this.#child = client.start([process.execPath, CLIENT, ...words]);
    createInterface({ input: this.#child.stdout! }).on("line", (line) => {
      const [at, who] = line.split(" ");
      this.#all.push({ at: Number(at), who: who === "-" ? undefined : who });
    });
  }

  end(): void {
    this.#child.kill("SIGKILL");
  }

  /** The first that is as wanted. */
  async until(isWanted: (attempt: Attempt) => boolean): Promise<Attempt> {
    const began = now();
    for (;;) {
      const found = this.#all.find(isWanted);
      if (found !== undefined) return found;
      if (now() - began > SETTLED_MAX_MS) throw new LabFailure("The servers do not answer");
      await delay(EVERY_MS);
    }
  }

  /** Resolves when none failed for a while. */
  async quiet(since: number): Promise<void> {
    const began = now();
    while (now() - (this.lastFailure(since) ?? since) < QUIET_MS) {
      if (now() - began > SETTLED_MAX_MS) throw new LabFailure("A dead server stays in work");
      await delay(EVERY_MS);
    }
  }

  lastFailure(since: number): number | undefined {
    const failed = this.between(since, Number.POSITIVE_INFINITY).filter(
      ({ who }) => who === undefined,
    );
    return failed.reduce<number | undefined>((last, { at }) => Math.max(last ?? at, at), undefined);
  }

  between(first: number, last: number): Attempt[] {
    return this.#all.filter(({ at }) => at >= first && at <= last);
  }
}

async function startDirector(
  director: Host,
  { intervalMs, timeoutMs, fall }: Settings,
): Promise<ChildProcess> {
  const times = `interval: ${intervalMs}ms, retry: ${intervalMs}ms, timeout: ${timeoutMs}ms, jitter: 0`;
  await run(
    director,
    `cat >/run/sluice.yaml <<'END'
services:
  - vip: ${VIP}
    port: 80
    scheduler: rr
    check: {type: tcp, ${times}, fall: ${fall}, rise: 1}
    destinations: [{address: ${LAN}.12}, {address: ${LAN}.13}]
END`,
  );
  const words = ["--no-state", "--config", "/run/sluice.yaml", "--grace", "0"];
  const child = director.start(["sluice", "daemon", ...words]);
  child.stderr?.pipe(process.stderr);
  child.stdout?.resume();
  return child;
}

async function run(where: Host, command: string): Promise<void> {
  const { code, output } = await where.run(`set -e\n${command}`);
  if (code !== 0) throw new LabFailure(`${where.name} cannot be set up: ${output.trim()}`);
}

/** As the client's processes have it. */
function now(): number {
  return performance.timeOrigin + performance.now();
}

function host(name: LabPlan["hosts"][number]["name"], number: number, role: string) {
  const card = { name: "eth0", segment: "lan", address: `${LAN}.${number}` } as const;
  return { name, role, cards: [card] };
}
