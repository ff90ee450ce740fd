/**
 * Where attacks take place: ordinary clients, a director with `sluice daemon`, real servers (test/e2e/network.ts), and
 * an attacker on a wire of its own, behind whom the director's default route leads.
 *
 *     attacker ---dark--- 10.8.0.1, fd08::1 (director)
 *
 * V:80 is the service of the ordinary clients; V:81 and [fd09::100]:80 are others.
 */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "../../src/api/client.ts";
import { DaemonHome } from "../e2e/daemon.ts";
import { D, Network, R1, R2, V } from "../e2e/network.ts";
import { Conversation } from "../userspace/conversation.ts";
import { connect, Namespace } from "../userspace/namespaces.ts";
import type { FloodOrder } from "./flood.ts";
import type { Report } from "./prober.ts";

export const ENGINES = ["userspace", "kernel"] as const;

export type EngineName = (typeof ENGINES)[number];

export interface StageSettings {
  readonly daemonOptions?: readonly string[];
  /** File descriptors that the daemon may have. */
  readonly descriptors?: number;
  /** Nobody reads what the daemon logs. */
  readonly isLogUnread?: boolean;
  /** Command lines of ipvsadm, and settings as sluice sysctl takes them, besides. */
  readonly commands?: readonly string[];
  readonly sysctls?: readonly string[];
  /** Services besides, for addresses that nobody asks for. */
  readonly services?: number;
}

export const V6 = "fd09::100";
export const SERVICE_PORT = 80;
export const OTHER_PORT = 81;

const IPVSADM = new URL("../../bin/ipvsadm", import.meta.url).pathname;
const PROBER = new URL("./prober.ts", import.meta.url).pathname;
const FLOOD = new URL("./flood.ts", import.meta.url).pathname;
const REQUESTS_PER_SECOND = 50;
const HELD_CONNECTIONS = 20;

const READY_ATTEMPTS = 200;
const READY_POLL_MS = 100;
const END_MS = 5_000;
const COMPLAINT_CHARACTERS = 2_000;

/** Of each of the many services. */
export const SERVERS_OF_MANY = 10;

const COMMANDS = [
  `-A -t ${V}:${SERVICE_PORT} -s rr`,
  `-a -t ${V}:${SERVICE_PORT} -r ${R1}:80 -m`,
  `-A -t ${V}:${OTHER_PORT} -s rr`,
  `-a -t ${V}:${OTHER_PORT} -r ${R2}:${OTHER_PORT} -m`,
  `-A -t [${V6}]:80 -s rr`,
  `-a -t [${V6}]:80 -r [fd01::21]:80 -m`,
];

export class Stage implements AsyncDisposable {
  readonly network = new Network();
  readonly attacker = new Namespace("attacker");
  readonly home = new DaemonHome();
  readonly #settings: StageSettings;
  readonly #engine: EngineName;
  #daemon: ChildProcessWithoutNullStreams | undefined;
  #clients: Conversation | undefined;
  #said = "";

  private constructor(settings: StageSettings, engine: EngineName) {
    this.#settings = settings;
    this.#engine = engine;
  }

  /** The daemon balances, and the ordinary clients ask. */
  static async open(settings: StageSettings, engine: EngineName): Promise<Stage> {
    const stage = new Stage(settings, engine);
    try {
      stage.#layDarkWire();
      // `ip netns exec` has the daemon's own end with it.
      if (engine === "kernel") stage.home.mountPins();
      for (const port of [SERVICE_PORT, OTHER_PORT]) {
        await stage.network.speak(stage.network.server, port);
      }
      await stage.startDaemon();
      stage.home.configure(...COMMANDS, ...(settings.commands ?? []));
      await stage.restore(manyServices(settings.services ?? 0));
      for (const each of settings.sysctls ?? []) stage.home.sluice(`sysctl -w ${each}`);
      const words = [V, `${SERVICE_PORT}`, `${REQUESTS_PER_SECOND}`, `${HELD_CONNECTIONS}`];
      const clients = new Conversation(stage.network.client.startNode(PROBER, ...words));
      await clients.hear();
      stage.#clients = clients;
      return stage;
    } catch (error) {
      await stage[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Starts the daemon, on the state that is there; resolves when it answers. */
  async startDaemon(): Promise<void> {
    const { daemonOptions = [], descriptors, isLogUnread = false } = this.#settings;
    const { director } = this.network;
    const child = this.home.launch(director, "--engine", this.#engine, ...daemonOptions);
    this.#daemon = child;
    if (descriptors !== undefined)
      director.run(`prlimit --pid ${child.pid} --nofile=${descriptors}`);
    if (!isLogUnread) child.stdout.on("data", (chunk) => this.#hear(chunk));
    child.stderr.on("data", (chunk) => this.#hear(chunk));
    for (let attempt = 0; attempt < READY_ATTEMPTS && this.isRunning; attempt++) {
      if (this.home.ipvsadm("-L -n").code === 0) return;
      await sleep(READY_POLL_MS);
    }
    throw new Error(`The daemon does not answer: ${this.#said}`);
  }

  /** Has ipvsadm -R carry lines out; our own event loop goes on, so that we end with whoever started us. */
  async restore(lines: readonly string[]): Promise<void> {
    if (lines.length === 0) return;
    const env = { ...process.env, SLUICE_SOCKET: this.home.socket };
    const child = spawn(IPVSADM, ["-R"], { env });
    child.stdin.end(`${lines.join("\n")}\n`);
    child.stdout.resume();
    let complaint = "";
    child.stderr.on("data", (chunk) => {
      complaint += chunk;
    });
    const [code] = (await once(child, "close")) as [number | null];
    if (code !== 0) throw new Error(`ipvsadm -R ended with ${code}: ${complaint}`);
  }

  /** With the services of the beginning and nothing else, whatever became of them. */
  async serveAnew(): Promise<void> {
    const client = new Client(this.home.socket);
    await client.call("flush", {}, undefined);
    const timeouts = { tcp: 900, tcpFin: 120, udp: 300 };
    await client.call("setTimeouts", {}, timeouts);
    client.close();
    await this.restore([...COMMANDS, ...(this.#settings.commands ?? [])]);
  }

  get isRunning(): boolean {
    const daemon = this.#daemon;
    return daemon !== undefined && daemon.exitCode === null && daemon.signalCode === null;
  }

  get daemon(): ChildProcessWithoutNullStreams {
    return this.#daemon!;
  }

  async killDaemon(): Promise<void> {
    const ended = once(this.daemon, "exit");
    this.daemon.kill("SIGKILL");
    await ended;
  }

  /** What the daemon said last. */
  get lastWords(): string {
    return this.#said.trim().slice(-COMPLAINT_CHARACTERS);
  }

  /** The daemon's resident memory in MB; 0 when it has ended. */
  memory(): number {
    try {
      const status = readFileSync(`/proc/${this.daemon.pid}/status`, "utf8");
      return Math.round(Number(/VmRSS:\s*(\d+) kB/.exec(status)?.[1] ?? 0) / 1024);
    } catch {
      return 0;
    }
  }

  /** What the daemon counts, by reason; nothing when it does not answer. */
  async reasons(): Promise<Readonly<Record<string, number>>> {
    if (!this.isRunning) return {};
    return await new Client(this.home.socket).call("reasons", {}, undefined).catch(() => ({}));
  }

  /** How the ordinary clients fared since the last time. */
  async clients(): Promise<Report> {
    return JSON.parse(await this.#clients!.ask("report")) as Report;
  }

  /** The attacker's frames to the director; resolves with how many a second they were. */
  async flood(
    order: Omit<FloodOrder, "target">,
    address: string = V,
    port = SERVICE_PORT,
  ): Promise<number> {
    const target = {
      source: this.attacker.mac("dark"),
      destination: this.network.director.mac("dark"),
      address,
      port,
    };
    const child = this.attacker.startNode(FLOOD, "dark", JSON.stringify({ ...order, target }));
    const answer = await new Conversation(child).hear();
    return (JSON.parse(answer) as { rate: number }).rate;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#clients?.end().catch(() => undefined);
    await this.#endDaemon();
    this.attacker[Symbol.dispose]();
    this.network[Symbol.dispose]();
    this.home[Symbol.dispose]();
  }

  /** As an operator would; what does not end goes with the namespaces. */
  async #endDaemon(): Promise<void> {
    if (!this.isRunning) return;
    const ended = once(this.daemon, "exit");
    this.daemon.kill("SIGCONT");
    this.daemon.kill("SIGTERM");
    await Promise.race([ended, sleep(END_MS)]);
  }

  #hear(chunk: Buffer): void {
    this.#said = (this.#said + chunk.toString()).slice(-COMPLAINT_CHARACTERS);
  }

  #layDarkWire(): void {
    const { director, server } = this.network;
    const { attacker } = this;
    attacker.run("sysctl -qw net.ipv4.ip_forward=0 net.ipv6.conf.all.forwarding=0");
    connect(attacker, "dark", director, "dark");
    director.run(
      "sysctl -qw net.ipv6.conf.dark.disable_ipv6=0 net.ipv6.conf.inside.disable_ipv6=0 net.ipv6.conf.all.forwarding=1",
    );
    server.run("sysctl -qw net.ipv6.conf.inside.disable_ipv6=0");
    attacker.batch(["address add 10.8.0.2/24 dev dark", "address add fd08::2/64 dev dark nodad"]);
    director.batch([
      "address add 10.8.0.1/24 dev dark",
      "address add fd08::1/64 dev dark nodad",
      `address add ${V6}/128 dev dark nodad`,
      "address add fd01::1/64 dev inside nodad",
      "route add default via 10.8.0.2",
    ]);
    server.batch([
      "address add fd01::21/64 dev inside nodad",
      "route add default via fd01::1",
      `route add default via ${D}`,
    ]);
  }
}

/** Of the many services the one with this number. */
export function manyService(number: number) {
  return { address: `10.7.${number >> 8}.${number & 0xff}`, port: 80 };
}

/** Of each of the many services the server with this number. */
export function manyServer(number: number) {
  return { address: `10.1.1.${number + 1}`, port: 80 };
}

function manyServices(count: number): string[] {
  return Array.from({ length: count }, (_, number) => {
    const service = manyService(number);
    const key = `-t ${service.address}:${service.port}`;
    const servers = Array.from({ length: SERVERS_OF_MANY }, (_, server) => {
      const { address, port } = manyServer(server);
      return `-a ${key} -r ${address}:${port} -m -w 1`;
    });
    return [`-A ${key} -s wlc`, ...servers];
  }).flat();
}
