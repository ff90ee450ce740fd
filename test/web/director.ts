/** A director with services, health checks and traffic, and `sluice ui` before it. */
import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { Client } from "../../src/api/client.ts";
import { DaemonHome } from "../e2e/daemon.ts";
import { Network, R1, R2, V } from "../e2e/network.ts";
import { untilPrinted } from "../userspace/namespaces.ts";

const ROOT = resolve(import.meta.dirname, "../..");

/** R2 serves nothing on 81, so that something is down. */
const CONFIGURATION = `
defaults:
  service: {scheduler: wlc}
  destination: {forwarding: masquerade}
checks:
  speak: {type: tcp, interval: 1s, timeout: 1s, fall: 1, rise: 1}
services:
  - {name: web, vip: ${V}, port: 80, check: speak, destinations: [{address: ${R1}}, {address: ${R2}, weight: 3}]}
  - {name: shop, vip: ${V}, port: 81, check: speak, destinations: [{address: ${R1}, port: 80}, {address: ${R2}, port: 8081}]}
  - {name: mail, vip: ${V}, port: 25, persistence: {timeout: 5m}, scheduler: sh, destinations: [{address: ${R1}}]}
`;

/** Asks and asks: bounded, in case nobody ends it. */
const ASKING = `for n in $(seq 3000); do
  for port in 80 80 81; do exec 3<>/dev/tcp/${V}/$port && echo "get $((n % 9 * 400))" >&3 && cat <&3 >/dev/null; exec 3>&-; done
  sleep 0.$((n / 40 % 4 + 1))
done 2>/dev/null`;

export interface Director extends AsyncDisposable {
  readonly home: DaemonHome;
  readonly network: Network;
  /** Asks the services until all is over. */
  ask(): void;
  /** Services with so many servers, a hundred each, that nobody is. */
  addServers(count: number): Promise<void>;
  /** The next link for a browser. */
  link(): Promise<string>;
  /** A link of another `sluice ui`. */
  otherLink(...options: readonly string[]): Promise<string>;
}

export async function openDirector(): Promise<Director> {
  await using stack = new AsyncDisposableStack();
  const network = stack.use(new Network());
  const home = stack.use(new DaemonHome());
  await network.speak(network.server, 80);
  writeFileSync(home.configuration, CONFIGURATION);
  const daemon = await home.start(network.director, "--config", home.configuration);
  stack.defer(async () => {
    await daemon.end("SIGTERM");
  });
  const gateways: ChildProcessWithoutNullStreams[] = [];
  stack.defer(() => {
    for (const each of gateways) each.kill();
  });
  const open = (...options: readonly string[]): Links => {
    const child = spawn(join(ROOT, "bin/sluice"), ["ui", ...options], {
      env: { ...process.env, SLUICE_SOCKET: home.socket },
    });
    gateways.push(child);
    return new Links(child);
  };
  const links = open();
  const opened = stack.move();
  return {
    home,
    network,
    ask: () => void network.client.start("bash", "-c", ASKING),
    addServers: (count) => addServers(home.socket, count),
    link: () => links.next(),
    otherLink: (...options) => open(...options).next(),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

const SERVERS_EACH = 100;

async function addServers(socket: string, count: number): Promise<void> {
  const client = new Client(socket);
  try {
    const { settings, services } = await client.configuration();
    const added = Array.from({ length: count / SERVERS_EACH }, (_, service) => ({
      key: {
        kind: "endpoint",
        protocol: "tcp",
        endpoint: { address: V, port: 9_000 + service },
      } as const,
      scheduler: "rr",
      schedulerFlags: [],
      onePacket: false,
      persistence: null,
      persistenceEngine: null,
      destinations: Array.from({ length: SERVERS_EACH }, (_, server) => ({
        endpoint: { address: `10.1.${100 + service}.${1 + server}`, port: 80 },
        forwarding: { kind: "masquerade" } as const,
        weight: 1,
        upperThreshold: 0,
        lowerThreshold: 0,
      })),
    }));
    await client.configure("apply", { settings, services: [...services, ...added] });
  } finally {
    client.close();
  }
}

/** What a `sluice ui` prints: a link, and another when it was used. */
class Links {
  readonly #child: ChildProcessWithoutNullStreams;
  #printed = "";

  constructor(child: ChildProcessWithoutNullStreams) {
    this.#child = child;
    child.stdout.on("data", (chunk: Buffer) => {
      this.#printed += chunk.toString();
    });
  }

  async next(): Promise<string> {
    for (;;) {
      const [link] = /http:\S+(?=\n)/.exec(this.#printed) ?? [];
      if (link !== undefined) {
        this.#printed = this.#printed.slice(this.#printed.indexOf(link) + link.length);
        return link;
      }
      await untilPrinted(this.#child, "\n");
    }
  }
}

/** Builds the pages, if what they are made of has changed. */
export function buildPages(): void {
  const words = ["--disable-warning=ExperimentalWarning", "scripts/web.ts", "--build"];
  const { status, stderr } = spawnSync(process.execPath, words, { cwd: ROOT, encoding: "utf8" });
  if (status !== 0) throw new Error(`the pages cannot be built: ${stderr}`);
}
