/**
 * The network of the end-to-end benchmark: a client, a real server, and a balancer of each kind on a host of its own,
 * all built like the laboratories' (src/lab).
 */
import { writeFile } from "node:fs/promises";
import type { Host } from "../src/lab/network/host.ts";
import { buildNetwork, type Hosts } from "../src/lab/network/hosts.ts";
import type { LabPlan } from "../src/lab/network/plan.ts";
import {
  hasNginx,
  NGINX_PORTS_AFTER,
  startHaproxy,
  startNginx,
  startServer,
  startYardstick,
} from "./servers.ts";
import { run, start, stop } from "./start.ts";
import { LOADS, type Load, PORTS, portOf, wrk } from "./wrk.ts";

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

/** How Sluice's daemon moves packets, by the first word of what is measured. */
const ENGINES = {
  userspace: ["--engine", "userspace"],
  kernel: ["--engine", "kernel"],
  wire: ["--engine", "kernel", "--admission", "wire"],
  xdp: ["--engine", "kernel", "--hook", "xdp"],
} as const;
type Engine = keyof typeof ENGINES;

/** One engine's follow each other, so that it is started once a round. */
export const VARIANTS = [
  "direct",
  "yardstick",
  "userspace-dr",
  "userspace-nat",
  "kernel-dr",
  "kernel-nat",
  "wire-dr",
  "wire-nat",
  "xdp-dr",
  "xdp-nat",
  "haproxy",
  "nginx",
] as const;
export type Variant = (typeof VARIANTS)[number];

export interface Bench {
  readonly client: Host;
  /** Those that this machine can have. */
  readonly variants: readonly Variant[];
  /** The real server's process, as /proc counts. */
  readonly servers: Readonly<Record<Load, number>>;
  /** Where the client asks. */
  readonly urlOf: (variant: Variant, load: Load) => string;
  /** Has the variant's balancer ready: its process, none for "direct". */
  readonly ready: (variant: Variant) => Promise<number | undefined>;
}

export async function buildBench(): Promise<Bench> {
  await unfilterBridges();
  const hosts = await buildNetwork(PLAN);
  await configure(hosts);
  const servers = await startServer(hosts.node02);
  const haproxy = await startHaproxy(hosts.node03, SERVER);
  const nginx = hasNginx() ? await startNginx(hosts.node03, SERVER) : undefined;
  const sluice = new Sluice(hosts.node01, hosts.client);
  await startYardstick(hosts.node01, YARDSTICK_VIP, SERVER);
  return {
    client: hosts.client,
    variants: VARIANTS.filter((variant) => variant !== "nginx" || nginx !== undefined),
    servers,
    urlOf: (variant, load) => {
      const port = portOf(load) + (variant === "nginx" ? NGINX_PORTS_AFTER : 0);
      return `http://${addressOf(variant)}:${port}/`;
    },
    ready: async (variant) => {
      const engine = engineOf(variant);
      if (engine !== undefined) return await sluice.with(engine);
      // Its programs would see the yardstick's packets, too.
      await sluice.stop();
      if (variant === "haproxy") return haproxy;
      return variant === "nginx" ? nginx : undefined;
    },
  };
}

function addressOf(variant: Variant): string {
  if (variant === "direct") return SERVER;
  if (variant === "yardstick") return YARDSTICK_VIP;
  if (variant === "haproxy" || variant === "nginx") return `${OUTSIDE}.13`;
  return variant.endsWith("-dr") ? DR_VIP : NAT_VIP;
}

function engineOf(variant: Variant): Engine | undefined {
  const [word = ""] = variant.split("-");
  return word in ENGINES ? (word as Engine) : undefined;
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

/**
 * Asked of a daemon that has just begun, for each VIP and kind of load, before anything is counted: V8 compiles what
 * is used often, and the other balancer has run for rounds.
 */
const WARM_UP_SECONDS = 1;

/** The director's daemon, one engine at a time. */
class Sluice {
  readonly #director: Host;
  readonly #client: Host;
  #engine: Engine | undefined;
  #pid = 0;

  constructor(director: Host, client: Host) {
    this.#director = director;
    this.#client = client;
  }

  async with(engine: Engine): Promise<number> {
    if (engine === this.#engine) return this.#pid;
    await this.stop();
    this.#pid = await startSluice(this.#director, engine);
    this.#engine = engine;
    await this.#warmUp();
    return this.#pid;
  }

  async stop(): Promise<void> {
    if (this.#engine === undefined) return;
    this.#engine = undefined;
    await stop(this.#pid);
  }

  async #warmUp(): Promise<void> {
    for (const vip of [DR_VIP, NAT_VIP]) {
      for (const load of LOADS) {
        await run(this.#client, wrk(`http://${vip}:${portOf(load)}/`, load, WARM_UP_SECONDS));
      }
    }
  }
}

async function startSluice(director: Host, engine: Engine): Promise<number> {
  const options = ["--no-state", ...ENGINES[engine], "--grace", "0", "--log-level", "warn"];
  const argv = ["sluice", "daemon", ...options];
  const pid = await start(director, argv, "ipvsadm -L -n >/dev/null");
  const services = [`${DR_VIP} -g`, `${NAT_VIP} -m`].flatMap((service) => {
    const [vip, method] = service.split(" ");
    return Object.values(PORTS).map(
      (port) => `ipvsadm -A -t ${vip}:${port} -s rr
      ipvsadm -a -t ${vip}:${port} -r ${SERVER}:${port} ${method}`,
    );
  });
  await run(director, services.join("\n"));
  return pid;
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
