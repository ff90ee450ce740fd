/**
 * The network of the end-to-end benchmark: a client, a real server, and a balancer of each kind on a host of its own,
 * all built like the laboratories' (src/lab).
 */
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { LabFailure } from "../src/lab/failure.ts";
import { firstLine, type Host } from "../src/lab/network/host.ts";
import { buildNetwork, type Hosts } from "../src/lab/network/hosts.ts";
import type { LabPlan } from "../src/lab/network/plan.ts";
import { LOADS, wrk } from "./wrk.ts";

const LAN = "192.168.150";
const OUTSIDE = "203.0.113";
const SERVER = `${LAN}.12`;
const DR_VIP = `${LAN}.100`;
const YARDSTICK_VIP = `${LAN}.101`;
const NAT_VIP = `${OUTSIDE}.100`;
const GATEWAY = `${LAN}.11`;

const PLAN: LabPlan = {
  name: "dr",
  family: "inet",
  title: "benchmark",
  vip: DR_VIP,
  client: `${LAN}.1`,
  realPort: 80,
  realServers: [],
  prefixLength: 24,
  hosts: [
    host("client", 1, "wrk"),
    host("node01", 11, "Sluice"),
    { ...host("node02", 12, "real server"), cards: [card("eth0", "lan", SERVER)] },
    host("node03", 13, "HAProxy"),
  ],
};

export const VARIANTS = [
  "direct",
  "yardstick",
  "sluice-dr",
  "sluice-nat",
  "kernel-dr",
  "kernel-nat",
  "haproxy",
] as const;
export type Variant = (typeof VARIANTS)[number];

export interface Bench {
  readonly client: Host;
  /** Where the client asks. */
  readonly urls: Readonly<Record<Variant, string>>;
  /** The real server's process, as /proc counts. */
  readonly server: number;
  /** Has the variant's balancer ready: its process, none for "direct". */
  readonly ready: (variant: Variant) => Promise<number | undefined>;
}

export async function buildBench(): Promise<Bench> {
  await unfilterBridges();
  const hosts = await buildNetwork(PLAN);
  await configure(hosts);
  const server = await startServer(hosts.node02);
  const haproxy = await startHaproxy(hosts.node03);
  const sluice = new Sluice(hosts.node01, hosts.client);
  await startYardstick(hosts.node01);
  return {
    client: hosts.client,
    server,
    urls: {
      direct: `http://${SERVER}/`,
      yardstick: `http://${YARDSTICK_VIP}/`,
      "sluice-dr": `http://${DR_VIP}/`,
      "sluice-nat": `http://${NAT_VIP}/`,
      "kernel-dr": `http://${DR_VIP}/`,
      "kernel-nat": `http://${NAT_VIP}/`,
      haproxy: `http://${OUTSIDE}.13/`,
    },
    ready: async (variant) => {
      if (variant === "direct" || variant === "yardstick") return undefined;
      if (variant === "haproxy") return haproxy;
      return await sluice.with(variant.startsWith("kernel") ? "kernel" : "userspace");
    },
  };
}

/** A switch has no firewall: where br_netfilter is loaded, every frame would go through netfilter at every bridge. */
async function unfilterBridges(): Promise<void> {
  for (const tool of ["iptables", "ip6tables", "arptables"]) {
    await writeFile(`/proc/sys/net/bridge/bridge-nf-call-${tool}`, "0").catch(() => {
      // Where the setting is missing, so is the cost.
    });
  }
}

/** As the laboratories have it, and more ports for connections by the thousand. */
async function configure({ client, node01, node02, node03 }: Hosts): Promise<void> {
  const morePorts = "echo 1024 65535 >/proc/sys/net/ipv4/ip_local_port_range";
  await run(client, morePorts);
  await run(
    node01,
    `ip address add ${DR_VIP}/32 dev eth0
    ip address add ${YARDSTICK_VIP}/32 dev eth0
    ip address add ${NAT_VIP}/32 dev eth1
    echo 1 >/proc/sys/net/ipv4/ip_forward`,
  );
  await run(
    node02,
    `echo 1 >/proc/sys/net/ipv4/conf/all/arp_ignore
    echo 2 >/proc/sys/net/ipv4/conf/all/arp_announce
    ip address add ${DR_VIP}/32 dev lo
    ip address add ${YARDSTICK_VIP}/32 dev lo
    ip route add default via ${GATEWAY}`,
  );
  // HAProxy's own connections: a port whose connection has ended serves again at once.
  await run(node03, `${morePorts}; echo 1 >/proc/sys/net/ipv4/tcp_tw_reuse`);
}

const HAPROXY_DEFAULTS = `
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  timeout http-request 60s
  timeout http-keep-alive 60s
`;

function startServer(server: Host): Promise<number> {
  return startHaproxyWith(
    server,
    `
global
  maxconn 2000
  nbthread 1
defaults
  mode http${HAPROXY_DEFAULTS}
frontend responder
  bind *:80
  http-request return status 200 content-type text/plain string "It works.\\n"
`,
  );
}

function startHaproxy(balancer: Host): Promise<number> {
  return startHaproxyWith(
    balancer,
    `
global
  maxconn 2000
defaults
  mode tcp${HAPROXY_DEFAULTS}
listen balancer
  bind *:80
  server one ${SERVER}:80
`,
  );
}

const YARDSTICK = new URL("yardstick-process.ts", import.meta.url).pathname;

/** It stays: other addresses' frames it only passes. */
async function startYardstick(director: Host): Promise<void> {
  // So that its neighbour is known.
  await run(director, `ping -c 1 -W 5 ${SERVER} >/dev/null`);
  const child = director.start([
    process.execPath,
    "--disable-warning=ExperimentalWarning",
    YARDSTICK,
    "eth0",
    YARDSTICK_VIP,
    SERVER,
  ]);
  let complaint = "";
  child.stderr?.on("data", (chunk: Buffer) => {
    complaint += chunk.toString();
  });
  const said = await firstLine(child).catch(() => "");
  if (said !== "ready") throw new LabFailure(`The yardstick does not run: ${complaint.trim()}`);
}

async function startHaproxyWith(where: Host, configuration: string): Promise<number> {
  await run(where, `cat >/run/haproxy.cfg <<'END'${configuration}END`);
  const argv = ["haproxy", "-db", "-f", "/run/haproxy.cfg"];
  return await start(where, argv, "ss -Hltn 'sport = :80' | grep -q .");
}

/**
 * Asked of a daemon that has just begun, for each VIP and kind of load, before anything is counted: V8 compiles what
 * is used often, and the other balancer has run for rounds.
 */
const WARM_UP_SECONDS = 1;

/** The director's daemon, one engine at a time. */
class Sluice {
  readonly #director: Host;
  readonly #client: Host;
  #engine = "";
  #pid = 0;

  constructor(director: Host, client: Host) {
    this.#director = director;
    this.#client = client;
  }

  async with(engine: "kernel" | "userspace"): Promise<number> {
    if (engine === this.#engine) return this.#pid;
    if (this.#pid !== 0) await stop(this.#pid);
    this.#pid = await startSluice(this.#director, engine);
    this.#engine = engine;
    await this.#warmUp();
    return this.#pid;
  }

  async #warmUp(): Promise<void> {
    for (const vip of [DR_VIP, NAT_VIP]) {
      for (const load of LOADS) {
        await run(this.#client, wrk(`http://${vip}/`, load, WARM_UP_SECONDS));
      }
    }
  }
}

async function stop(pid: number): Promise<void> {
  process.kill(pid, "SIGTERM");
  while (existsSync(`/proc/${pid}`)) await delay(READY_POLL_MS);
}

async function startSluice(director: Host, engine: string): Promise<number> {
  const options = ["--no-state", "--engine", engine, "--grace", "0", "--log-level", "warn"];
  const argv = ["sluice", "daemon", ...options];
  const pid = await start(director, argv, "ipvsadm -L -n >/dev/null");
  await run(
    director,
    `ipvsadm -A -t ${DR_VIP}:80 -s rr
    ipvsadm -a -t ${DR_VIP}:80 -r ${SERVER}:80 -g
    ipvsadm -A -t ${NAT_VIP}:80 -s rr
    ipvsadm -a -t ${NAT_VIP}:80 -r ${SERVER}:80 -m`,
  );
  return pid;
}

/** Tells the process id as /proc counts it, which may be another process namespace's counting. */
const ANNOUNCE = 'read -r pid rest </proc/self/stat; echo "$pid"; exec "$@"';

const READY_ATTEMPTS = 100;
const READY_POLL_MS = 100;
const COMPLAINT_CHARACTERS_MAX = 4_000;

/** Resolves when `isReady` succeeds on the host. */
async function start(where: Host, argv: readonly string[], isReady: string): Promise<number> {
  const child = where.start(["sh", "-c", ANNOUNCE, "sh", ...argv]);
  let complaint = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on("data", (chunk: Buffer) => {
      complaint = (complaint + chunk.toString()).slice(-COMPLAINT_CHARACTERS_MAX);
    });
  }
  const pid = Number(await firstLine(child));
  for (let attempt = 0; attempt < READY_ATTEMPTS && child.exitCode === null; attempt++) {
    if ((await where.run(isReady)).code === 0) return pid;
    await delay(READY_POLL_MS);
  }
  throw new LabFailure(`${argv[0]} on ${where.name} does not answer: ${complaint.trim()}`);
}

async function run(where: Host, command: string): Promise<void> {
  const { code, output } = await where.run(`set -e\n${command}`);
  if (code !== 0) throw new LabFailure(`${where.name} cannot be set up: ${output.trim()}`);
}

function host(name: LabPlan["hosts"][number]["name"], number: number, role: string) {
  return {
    name,
    role,
    cards: [
      card("eth0", "lan", `${LAN}.${number}`),
      card("eth1", "outside", `${OUTSIDE}.${number}`),
    ],
  };
}

function card(
  name: "eth0" | "eth1",
  segment: "lan" | "outside",
  address: string,
): LabPlan["hosts"][number]["cards"][number] {
  return { name, segment, address };
}
