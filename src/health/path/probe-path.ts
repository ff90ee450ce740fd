/**
 * Has probes go the way of a VIP's packets: so a server that lacks the VIP is seen as down, and so is one whose service
 * listens on its own address only.
 *
 * The tables (path-table.ts) are owned by an nft process that ends with this one, whatever ends it. When nft ends by
 * itself it is started again; until then nothing is known of servers, rather than something wrong.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { HostNetwork } from "../../engine/host/host-network.ts";
import { Nft } from "../../engine/userspace/door/nft.ts";
import { transactionsBetween } from "./path-contents.ts";
import { givePorts } from "./path-ports.ts";
import { hostProbePorts } from "./path-range.ts";
import {
  createTables,
  type Device,
  type Elements,
  elementsOf,
  leaveDevice,
  MARKING,
  startWrapping,
  watchDevice,
} from "./path-table.ts";
import { TunnelWrapper } from "./tunnel-wrapper.ts";
import { type PathWithPorts, pathName, type VipPath } from "./vip-path.ts";

const RETRY_MS = 1_000;

const EMPTY: Elements = new Map();
const LOOPBACK: Device = { index: 1, name: "lo" };

export interface ProbePathOptions {
  /** Goes on, but not as it should. */
  readonly warn: (message: string, error: unknown) => void;
  /** What was warned of is over. */
  readonly inform: (message: string) => void;
}

/**
 * How a probe's socket is to be made. "direct": it cannot go the VIP's way, for this reason, which may be nothing to worry about. "later": it cannot be said
 * just now.
 */
export type ProbeWay =
  | { readonly kind: "vip"; readonly source: { readonly port: number } }
  | { readonly kind: "direct"; readonly why: string; readonly isUsual?: boolean }
  | { readonly kind: "later" };

export class ProbePath implements AsyncDisposable {
  readonly #options: ProbePathOptions;
  readonly #network: HostNetwork;
  readonly #range = hostProbePorts();
  /** Ports that turned out to be somebody else's. */
  readonly #foreign = new Set<number>();
  #nft: Nft | undefined;
  #wanted: readonly VipPath[] = [];
  #paths: ReadonlyMap<string, PathWithPorts> = new Map();
  #refused: ReadonlySet<string> = new Set();
  /** What the tables have. */
  #elements = EMPTY;
  #devices: readonly Device[] = [];
  /** Paths that the tables have, each with how many probes went it. */
  readonly #turns = new Map<string, number>();
  #wrapper: TunnelWrapper | undefined;
  /** Why there is none, although one is wanted. */
  #withoutWrapper: string | undefined;
  #isWrapping = false;
  /** One after the other: a transaction builds on the one before. */
  #queue: Promise<unknown> = Promise.resolve();
  #isOpen = true;
  #isWarned = false;

  private constructor(network: HostNetwork, options: ProbePathOptions) {
    this.#network = network;
    this.#options = options;
  }

  /** In the current network namespace. Rejects with the reason when the host refuses: all probes are direct then. */
  static async open(options: ProbePathOptions): Promise<ProbePath> {
    let path: ProbePath | undefined;
    const network = await HostNetwork.open({
      onChange: () => {
        if (path !== undefined) path.#follow();
      },
      onError: (error) => options.warn("The host's network is not known", error),
    });
    path = new ProbePath(network, options);
    try {
      await path.#inTurn(() => path!.#start());
      return path;
    } catch (error) {
      await path[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** These paths, and no others. Resolves when probes can go them; rejects with nft's words when they cannot. */
  want(paths: readonly VipPath[]): Promise<void> {
    this.#wanted = paths.filter(({ vip, server }) => vip.family === server.family);
    return this.#inTurn(() => this.#apply());
  }

  /** For the next probe that goes it: they take turns in the path's ports. */
  wayOf(path: VipPath): ProbeWay {
    const { vip, server, tunnel } = path;
    if (vip.family !== server.family) {
      return { kind: "direct", why: "the server's address is of another family than the VIP" };
    }
    const name = pathName(path);
    if (this.#refused.has(name)) return { kind: "direct", why: "no local port is left for it" };
    const route = this.#network.route(server);
    if (route === "local") return { kind: "direct", why: "the server is this host", isUsual: true };
    const turn = this.#turns.get(name);
    const ports = this.#paths.get(name)?.ports;
    if (this.#nft === undefined || turn === undefined || ports === undefined) {
      return { kind: "later" };
    }
    if (tunnel !== undefined && this.#withoutWrapper !== undefined) {
      return { kind: "direct", why: this.#withoutWrapper };
    }
    if (typeof route === "object") {
      const { interfaceIndex } = route;
      if (tunnel !== undefined && this.#network.links.get(interfaceIndex)?.header !== "ethernet") {
        return { kind: "direct", why: "the interface to it has no Ethernet header" };
      }
      const isWatched = this.#devices.some(({ index }) => index === interfaceIndex);
      if (!isWatched) return { kind: "later" };
    }
    this.#turns.set(name, turn + 1);
    return { kind: "vip", source: { port: ports[turn % ports.length]! } };
  }

  /** The port of a path is in use by somebody else (EADDRINUSE): it is no longer given. */
  avoid(port: number): void {
    if (this.#foreign.has(port)) return;
    this.#foreign.add(port);
    // A failure was warned of.
    this.#inTurn(() => this.#apply()).catch(() => {});
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOpen = false;
    await this.#nft?.end();
    this.#wrapper?.[Symbol.dispose]();
    this.#network[Symbol.dispose]();
  }

  async #start(): Promise<void> {
    const nft = new Nft((error) => this.#lost(nft, error));
    try {
      await nft.make(MARKING, createTables(this.#range));
      // Whether the kernel can (CONFIG_NETFILTER_EGRESS).
      await nft.run(`${watchDevice(LOOPBACK)}; ${leaveDevice(LOOPBACK)}`);
    } catch (error) {
      await nft.end();
      const why = error instanceof Error ? error.message : String(error);
      throw new Error(`Cannot send probes the VIP's own way: ${why}`, { cause: error });
    }
    this.#elements = EMPTY;
    this.#devices = [];
    this.#isWrapping = false;
    this.#nft = nft;
  }

  async #apply(): Promise<void> {
    const nft = this.#nft;
    if (nft === undefined) return;
    const isTaken = (port: number): boolean => this.#foreign.has(port);
    const { paths, refused } = givePorts(this.#wanted, this.#paths, this.#range, isTaken);
    this.#paths = new Map(paths.map((path) => [pathName(path), path]));
    this.#refused = new Set(refused.map(pathName));
    for (const name of this.#turns.keys()) if (!this.#paths.has(name)) this.#turns.delete(name);
    await this.#watch(nft);
    const wanted = elementsOf(paths);
    try {
      if (paths.some(({ tunnel }) => tunnel !== undefined)) await this.#wrap(nft);
      this.#wrapper?.want(paths);
      for (const transaction of transactionsBetween(this.#elements, wanted)) {
        await nft.run(transaction);
      }
    } catch (error) {
      // What the tables have now is not known: they are made anew.
      await nft.end();
      this.#lost(nft, error);
      throw error;
    }
    this.#elements = wanted;
    for (const name of this.#paths.keys()) if (!this.#turns.has(name)) this.#turns.set(name, 0);
  }

  async #wrap(nft: Nft): Promise<void> {
    if (this.#isWrapping) return;
    try {
      this.#wrapper ??= new TunnelWrapper({
        network: this.#network,
        warn: this.#options.warn,
        onRemade: () => void this.#renew(),
      });
    } catch (error) {
      this.#withoutWrapper = `it cannot be put into its tunnel: ${(error as Error).message}`;
      this.#options.warn("Probes of servers behind tunnels go straight to them", error);
      return;
    }
    this.#withoutWrapper = undefined;
    await nft.run(startWrapping());
    this.#isWrapping = true;
  }

  /** Rules know an interface by its index, which is another now. */
  async #renew(): Promise<void> {
    const nft = this.#nft;
    await nft?.end();
    if (nft !== undefined) this.#lost(nft, new Error("an interface of ours was removed"));
  }

  /** Interfaces or routes changed. */
  #follow(): void {
    this.#wrapper?.networkChanged();
    const nft = this.#nft;
    if (nft !== undefined) void this.#inTurn(() => this.#watch(nft));
  }

  #devicesToServers(): Device[] {
    const indexes = new Set<number>();
    for (const { server } of this.#paths.values()) {
      const route = this.#network.route(server);
      if (typeof route === "object") indexes.add(route.interfaceIndex);
    }
    return [...indexes].flatMap((index) => this.#network.links.get(index) ?? []);
  }

  async #watch(nft: Nft): Promise<void> {
    const wanted = this.#devicesToServers();
    const has = (all: readonly Device[], one: Device): boolean =>
      all.some(({ index, name }) => index === one.index && name === one.name);
    const stay = this.#devices.filter((device) => has(wanted, device));
    for (const device of this.#devices) {
      // It may have gone, and its chains with it.
      if (!has(stay, device)) await nft.run(leaveDevice(device)).catch(() => {});
    }
    this.#devices = stay;
    for (const device of wanted) {
      if (has(this.#devices, device)) continue;
      try {
        await nft.run(watchDevice(device));
        this.#devices = [...this.#devices, device];
      } catch (error) {
        // One that has gone meanwhile is left out; the network tells.
        if (this.#isOpen && nft === this.#nft) {
          this.#options.warn(`Probes cannot go the VIP's own way by ${device.name}`, error);
        }
      }
    }
  }

  #lost(nft: Nft, error: unknown): void {
    if (nft !== this.#nft || !this.#isOpen) return;
    this.#nft = undefined;
    this.#warn(error);
    void this.#restart();
  }

  #warn(error: unknown): void {
    if (this.#isWarned || !this.#isOpen) return;
    this.#isWarned = true;
    this.#options.warn("Probes through VIPs have to wait", error);
  }

  async #restart(): Promise<void> {
    while (this.#isOpen) {
      try {
        await this.#inTurn(() => this.#start());
        await this.#inTurn(() => this.#apply());
        this.#isWarned = false;
        this.#options.inform("Probes go the VIP's own way again");
        return;
      } catch (error) {
        this.#warn(error);
      }
      await sleep(RETRY_MS, undefined, { ref: false });
    }
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#queue.then(work);
    this.#queue = done.catch(() => {});
    return done;
  }
}
