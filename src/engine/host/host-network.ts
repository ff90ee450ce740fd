/**
 * What the host's network is like, as its kernel says: interfaces, routes, neighbours, limits.
 *
 * Routes are asked for one by one, and the answers kept until netlink says that something changed. Neighbours and
 * interfaces are kept whole (host-tables.ts), and read anew when a message tells of a change, soon and not too often.
 */
import { prng } from "../../base/prng.ts";
import type { Trouble } from "../../ipvs/forward/notices.ts";
import type { Host } from "../../ipvs/host.ts";
import type { Address, Family } from "../../net/address.ts";
import { HostTables } from "./host-tables.ts";
import { IcmpLimits } from "./icmp-limits.ts";
import { followIcmpSettings } from "./icmp-settings.ts";
import type { Link } from "./links.ts";
import { type KernelNeighbour, type NeighbourNews, neighbourWish } from "./neighbour-table.ts";
import { Netlink, NetlinkNews, RTM } from "./netlink/netlink.ts";
import { FLAG, type Message } from "./netlink/netlink-message.ts";
import { type RouteAnswer, Routes } from "./routes.ts";
import { AvailableMemory } from "./system/available-memory.ts";
import { SystemCallError } from "./system/libc.ts";
import { MONOTONIC_CLOCK } from "./system/monotonic-clock.ts";
import { ToldOnce, troubleName } from "./told-once.ts";

/** Changes come in bunches: after the first of one, the others wait this long for each other. */
const SETTLE_MS = 10;

/**
 * Reading interfaces and asking for routes anew may take a tenth of the time at most: the tables of a router are always
 * in motion. But no answer is older than the last second's changes.
 */
const REST_PER_READING = 9;
const REST_MAX_MS = 1_000;

const RETRY_MS = 1_000;

/** What answers age by. */
const TICK_MS = 1_000;
/** Callers keep answers until `generation` grows: it does so for what netlink does not tell (see routes.ts). */
const TICKS_PER_GENERATION = 30;

const CLOCK = MONOTONIC_CLOCK;

export interface HostNetworkOptions {
  /** After `generation` grew because something changed. */
  readonly onChange: () => void;
  /** The host's table says something new of a neighbour. */
  readonly onNeighbour?: (news: NeighbourNews) => void;
  /** Neighbours were read anew, because news of them were lost. */
  readonly onNeighbours?: () => void;
  /** Something could not be read or asked; what was known stays, and it is tried again. */
  readonly onError: (error: unknown) => void;
}

export class HostNetwork implements Host, Disposable {
  readonly #options: HostNetworkOptions;
  readonly #tables = new HostTables();
  /** By a socket of their own: the tables' may be in the middle of a listing. */
  readonly #changes = new Netlink();
  readonly #news: NetlinkNews;
  readonly #troubles: ToldOnce;
  readonly #memory = new AvailableMemory((error) => this.#countError("memory", error));
  readonly #routes: Routes;
  readonly #limits: IcmpLimits;
  #generation = 1;
  #timer: NodeJS.Timeout | undefined;
  readonly #ticker: NodeJS.Timeout;
  #ticks = 0;
  #isReading = false;
  #wantsLinks = false;
  #wantsNeighbours = false;
  #restUntil = 0;
  #isOpen = true;

  private constructor(options: HostNetworkOptions) {
    this.#options = options;
    this.#troubles = new ToldOnce((name, cause) => {
      const what =
        cause instanceof Error ? cause.message : "Cannot ask the kernel about the network";
      options.onError(new Error(`${what} (counted as ${name})`, { cause }));
    });
    this.#routes = new Routes({
      link: (index) => this.#tables.links.get(index),
      onTrouble: (name) => this.#troubles.count(name),
    });
    const chance = prng(performance.now());
    this.#limits = new IcmpLimits({
      clock: CLOCK,
      settings: followIcmpSettings(CLOCK, (error) => this.#countError("icmp-settings", error)),
      wayTo: (recipient) => this.#wayTo(recipient),
      prefixLength: (destination) => this.#routes.prefixLength(destination),
      cost: () => chance.below(3),
    });
    this.#news = new NetlinkNews(
      (message) => this.#hear(message),
      () => this.#readLater({ links: true, neighbours: true }),
    );
    this.#ticker = setInterval(() => this.#tick(), TICK_MS);
    this.#ticker.unref();
  }

  /** Resolves when everything is known. */
  static async open(options: HostNetworkOptions): Promise<HostNetwork> {
    const network = new HostNetwork(options);
    try {
      await network.#read({ links: true, neighbours: true });
      return network;
    } catch (error) {
      network[Symbol.dispose]();
      throw error;
    }
  }

  get generation(): number {
    return this.#generation;
  }

  get links(): ReadonlyMap<number, Link> {
    return this.#tables.links;
  }

  isLocal(address: Address): boolean {
    return this.#routes.route(address, undefined, 0) === "local";
  }

  isForwarding(family: Family): boolean {
    return this.#tables.forwarding[family];
  }

  availablePages(): number {
    return this.#memory.pages();
  }

  /** What IPVS's do_output_route4() asks of the kernel. The same object for the same way, as a rule. */
  route(destination: Address): RouteAnswer {
    return this.#routes.route(destination, undefined, 0);
  }

  /** What ip_route_me_harder() asks of the kernel. */
  routeFrom(source: Address, destination: Address, mark: number): RouteAnswer {
    return this.#routes.route(destination, source, mark);
  }

  /** As the kernel allows itself ICMP errors. */
  mayTell(recipient: Address, trouble: Trouble["kind"]): boolean {
    return this.#limits.mayTell(recipient, trouble);
  }

  /** What the host's own stack knows of a neighbour. */
  neighbour(interfaceIndex: number, address: Address): KernelNeighbour | undefined {
    return this.#tables.neighbours.find(interfaceIndex, address);
  }

  /** The host's own stack asked for this neighbour in vain. */
  isSilent(interfaceIndex: number, address: Address): boolean {
    return this.#tables.neighbours.isSilent(interfaceIndex, address);
  }

  /**
   * Has the host's own stack look for a neighbour (ARP or neighbour discovery), or confirm it; news then tell. False
   * when it will not: its table may be full.
   */
  seekNeighbour(interfaceIndex: number, address: Address): boolean {
    const { fixed, attributes } = neighbourWish(interfaceIndex, address);
    const attempt = `have the host look for ${address.toString()}`;
    try {
      this.#changes.change(RTM.newNeighbour, FLAG.create, fixed, attributes, attempt);
      return true;
    } catch (error) {
      if (!(error instanceof SystemCallError)) throw error;
      this.#troubles.count(
        error.code === "ENOBUFS" ? "neighbour-table-full" : `neighbour-${error.code}`,
        error,
      );
      return false;
    }
  }

  /** What the kernel would not tell or do, by name. */
  troubles(): Readonly<Record<string, number>> {
    return this.#troubles.counts();
  }

  [Symbol.dispose](): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    clearTimeout(this.#timer);
    clearInterval(this.#ticker);
    this.#news[Symbol.dispose]();
    this.#changes[Symbol.dispose]();
    this.#routes[Symbol.dispose]();
    this.#memory[Symbol.dispose]();
    // A listing that is under way ends it.
    if (!this.#isReading) this.#tables[Symbol.dispose]();
  }

  #countError(what: string, error: unknown): void {
    this.#troubles.count(troubleName(what, error), error);
  }

  #wayTo(recipient: Address): "inside" | "outside" | "nowhere" {
    const route = this.route(recipient);
    if (route === "unreachable") return "nowhere";
    if (route === "local") return "inside";
    return this.#tables.links.get(route.interfaceIndex)?.isLoopback === true ? "inside" : "outside";
  }

  #hear(message: Message): void {
    const { type } = message;
    if (type === RTM.newNeighbour || type === RTM.deleteNeighbour) {
      const news = this.#tables.hearNeighbour(message);
      if (news !== undefined) this.#options.onNeighbour?.(news);
      return;
    }
    const isAboutLinks =
      type === RTM.newLink ||
      type === RTM.deleteLink ||
      type === RTM.newNetconf ||
      type === RTM.deleteNetconf;
    this.#readLater({ links: isAboutLinks, neighbours: false });
  }

  #tick(): void {
    this.#routes.tick();
    this.#ticks++;
    if (this.#ticks % TICKS_PER_GENERATION === 0) this.#generation++;
  }

  /** Answers of before no longer hold; what is kept whole is read anew. */
  #readLater({ links, neighbours }: Wanted): void {
    this.#wantsLinks ||= links;
    this.#wantsNeighbours ||= neighbours;
    if (this.#timer !== undefined || !this.#isOpen) return;
    const now = performance.now();
    // The first after a rest counts at once.
    if (now >= this.#restUntil) this.#forget();
    const rest = Math.max(SETTLE_MS, this.#restUntil - now);
    this.#timer = setTimeout(() => void this.#readAgain(), rest);
    this.#timer.unref();
  }

  async #readAgain(): Promise<void> {
    this.#timer = undefined;
    const wanted = { links: this.#wantsLinks, neighbours: this.#wantsNeighbours };
    if (this.#isReading) {
      this.#readLater(wanted);
      return;
    }
    this.#wantsLinks = false;
    this.#wantsNeighbours = false;
    const began = performance.now();
    try {
      await this.#read(wanted);
      if (!this.#isOpen) return;
      const spent = performance.now() - began + this.#routes.takeTimeSpent();
      this.#restUntil = performance.now() + Math.min(spent * REST_PER_READING, REST_MAX_MS);
      if (wanted.neighbours) this.#options.onNeighbours?.();
      this.#forget();
      this.#options.onChange();
    } catch (error) {
      if (!this.#isOpen) return;
      this.#restUntil = performance.now() + RETRY_MS;
      this.#readLater(wanted);
      this.#countError("network", error);
    }
  }

  #forget(): void {
    this.#routes.forget();
    this.#routes.takeTimeSpent();
    this.#generation++;
  }

  async #read({ links, neighbours }: Wanted): Promise<void> {
    this.#isReading = true;
    try {
      if (neighbours) await this.#tables.readNeighbours();
      if (links) await this.#tables.readLinks();
    } finally {
      this.#isReading = false;
      if (!this.#isOpen) this.#tables[Symbol.dispose]();
    }
  }
}

interface Wanted {
  readonly links: boolean;
  readonly neighbours: boolean;
}
