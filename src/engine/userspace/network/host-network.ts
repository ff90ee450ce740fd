/**
 * What the host's network is like, kept in memory and followed: interfaces, addresses, routes, neighbours.
 *
 * Neighbours follow message by message. Of everything else a message only tells that something changed: the kernel does
 * not announce every route that goes with its interface, so the tables are read anew, soon and not too often.
 */

import type { Host, Route } from "../../../ipvs/host.ts";
import type { Address, Family } from "../../../net/address.ts";
import { availablePages } from "../available-memory.ts";
import { forwardingIn, NETCONF_HEADER_LENGTH } from "./forwarding.ts";
import {
  ADDRESS_HEADER_LENGTH,
  type InterfaceAddress,
  interfaceAddressIn,
  sourceAddress,
} from "./interface-addresses.ts";
import { LINK_HEADER_LENGTH, type Link, linkIn } from "./links.ts";
import {
  type KernelNeighbour,
  NEIGHBOUR_HEADER_LENGTH,
  type NeighbourKey,
  NeighbourTable,
  neighbourWish,
} from "./neighbour-table.ts";
import { Netlink, NetlinkNews, RTM } from "./netlink.ts";
import { FLAG, type Message } from "./netlink-message.ts";
import { type RouteAnswer, RouteCache } from "./route-cache.ts";
import {
  familyNumber,
  ROUTE_HEADER_LENGTH,
  RouteTable,
  type RouteTarget,
  routeIn,
} from "./route-table.ts";

/** Changes come in bunches: the first of one waits this long for the others. */
const SETTLE_MS = 10;

/** Reading may take a tenth of the time at most: a router's tables are long, and always in motion. */
const REST_PER_READING = 9;

const RETRY_MS = 1_000;

interface Snapshot {
  readonly links: ReadonlyMap<number, Link>;
  readonly addresses: readonly InterfaceAddress[];
  readonly routes: RouteTable;
  readonly forwarding: Readonly<Record<Family, boolean>>;
  /** What was asked of all this. */
  readonly answers: RouteCache;
  /** By what the kernel says of it: a way over a gateway is one for all destinations. */
  readonly gateways: Map<RouteTarget, Route>;
}

export interface HostNetworkOptions {
  /** After `generation` grew. */
  readonly onChange: () => void;
  /** What neighbour() says of this one may have changed. */
  readonly onNeighbour?: (about: NeighbourKey) => void;
  /** The tables could not be read; the ones before stay, and it is tried again. */
  readonly onError: (error: unknown) => void;
}

export class HostNetwork implements Host, Disposable {
  readonly #options: HostNetworkOptions;
  readonly #netlink = new Netlink();
  /** Changes go by their own socket: the other may be in the middle of a listing. */
  readonly #changes = new Netlink();
  readonly #news: NetlinkNews;
  #snapshot: Snapshot;
  #neighbours = new NeighbourTable();
  /** News of neighbours that came while they were being listed. */
  #neighbourNews: Message[] | undefined;
  #generation = 1;
  #timer: NodeJS.Timeout | undefined;
  #isReading = false;
  #wantsNeighbours = false;
  #restUntil = 0;
  #isOpen = true;

  private constructor(options: HostNetworkOptions) {
    this.#options = options;
    this.#snapshot = {
      links: new Map(),
      addresses: [],
      routes: new RouteTable([]),
      forwarding: { inet: false, inet6: false },
      answers: new RouteCache(),
      gateways: new Map(),
    };
    this.#news = new NetlinkNews(
      (message) => this.#hear(message),
      () => this.#readLater(true),
    );
  }

  /** Resolves when everything is known. */
  static async open(options: HostNetworkOptions): Promise<HostNetwork> {
    const network = new HostNetwork(options);
    try {
      await network.#read(true);
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
    return this.#snapshot.links;
  }

  isLocal(address: Address): boolean {
    return this.#snapshot.routes.isLocal(address);
  }

  isForwarding(family: Family): boolean {
    return this.#snapshot.forwarding[family];
  }

  availablePages(): number {
    return availablePages();
  }

  /** The same object for the same question, as a rule, until `generation` grows. */
  route(destination: Address): RouteAnswer {
    const { answers } = this.#snapshot;
    const known = answers.find(destination);
    if (known !== undefined) return known;
    const answer = this.#findRoute(destination);
    answers.set(destination, answer);
    return answer;
  }

  /** Without routing rules the source and the mark make no difference. */
  routeFrom(_source: Address, destination: Address): RouteAnswer {
    return this.route(destination);
  }

  mayTell(): boolean {
    return true;
  }

  #findRoute(destination: Address): RouteAnswer {
    const { routes, links, addresses, gateways } = this.#snapshot;
    const target = routes.find(destination);
    if (target === undefined || target.kind === "throw") return "unreachable";
    if (target.kind !== "unicast") return target.kind;
    const known = gateways.get(target);
    if (known !== undefined) return known;
    const { interfaceIndex, gateway } = target.hop;
    const link = links.get(interfaceIndex);
    if (link === undefined || !link.isUp) return "unreachable";
    const source =
      target.preferredSource ??
      sourceAddress(
        addresses,
        interfaceIndex,
        gateway?.family === destination.family ? gateway : destination,
      );
    const route = {
      interfaceIndex,
      nextHop: gateway ?? destination,
      source,
      mtu: target.mtu === undefined ? link.mtu : Math.min(target.mtu, link.mtu),
    };
    if (gateway?.family === destination.family) gateways.set(target, route);
    return route;
  }

  /** The address of the host's own that speaks to `address` on this link. */
  sourceTowards(address: Address, interfaceIndex: number): Address {
    return sourceAddress(this.#snapshot.addresses, interfaceIndex, address);
  }

  /** What the host's own stack knows of a neighbour. */
  neighbour(interfaceIndex: number, address: Address): KernelNeighbour | undefined {
    return this.#neighbours.find(interfaceIndex, address);
  }

  /** Has the host's own stack look for a neighbour (ARP or neighbour discovery); neighbour() then tells. */
  seekNeighbour(interfaceIndex: number, address: Address): void {
    const { fixed, attributes } = neighbourWish(interfaceIndex, address);
    const flags = FLAG.create | FLAG.replace;
    const attempt = `have the host look for ${address} on interface ${interfaceIndex}`;
    this.#changes.change(RTM.newNeighbour, flags, fixed, attributes, attempt);
  }

  [Symbol.dispose](): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    clearTimeout(this.#timer);
    this.#news[Symbol.dispose]();
    this.#changes[Symbol.dispose]();
    // A listing that is under way ends it.
    if (!this.#isReading) this.#netlink[Symbol.dispose]();
  }

  #hear(message: Message): void {
    if (message.type !== RTM.newNeighbour && message.type !== RTM.deleteNeighbour) {
      this.#readLater(false);
      return;
    }
    const about = this.#neighbours.apply(message);
    if (about !== undefined) this.#options.onNeighbour?.(about);
    this.#neighbourNews?.push({ ...message, body: message.body.slice() });
  }

  #readLater(withNeighbours: boolean): void {
    this.#wantsNeighbours ||= withNeighbours;
    if (this.#timer !== undefined || !this.#isOpen) return;
    const rest = Math.max(SETTLE_MS, this.#restUntil - performance.now());
    this.#timer = setTimeout(() => void this.#readAgain(), rest);
    this.#timer.unref();
  }

  async #readAgain(): Promise<void> {
    this.#timer = undefined;
    if (this.#isReading) {
      this.#readLater(false);
      return;
    }
    const withNeighbours = this.#wantsNeighbours;
    this.#wantsNeighbours = false;
    const began = performance.now();
    try {
      await this.#read(withNeighbours);
      if (!this.#isOpen) return;
      this.#generation++;
      this.#restUntil = performance.now() + (performance.now() - began) * REST_PER_READING;
      this.#options.onChange();
    } catch (error) {
      if (!this.#isOpen) return;
      this.#restUntil = performance.now() + RETRY_MS;
      this.#readLater(withNeighbours);
      this.#options.onError(error);
    }
  }

  async #read(withNeighbours: boolean): Promise<void> {
    this.#isReading = true;
    try {
      if (withNeighbours) await this.#readNeighbours();
      this.#snapshot = await this.#readTables();
    } finally {
      this.#isReading = false;
      if (!this.#isOpen) this.#netlink[Symbol.dispose]();
    }
  }

  async #readTables(): Promise<Snapshot> {
    const links = await this.#list(RTM.getLink, LINK_HEADER_LENGTH, undefined, "interfaces");
    const addresses = await this.#list(
      RTM.getAddress,
      ADDRESS_HEADER_LENGTH,
      undefined,
      "addresses",
    );
    const inet = await this.#list(RTM.getRoute, ROUTE_HEADER_LENGTH, "inet", "IPv4 routes");
    const inet6 = await this.#list(RTM.getRoute, ROUTE_HEADER_LENGTH, "inet6", "IPv6 routes");
    return {
      links: new Map(present(links.map(linkIn)).map((link) => [link.index, link])),
      addresses: present(addresses.map(interfaceAddressIn)),
      routes: new RouteTable(present([...inet, ...inet6].map(routeIn))),
      forwarding: { inet: await this.#forwarding("inet"), inet6: await this.#forwarding("inet6") },
      answers: new RouteCache(),
      gateways: new Map(),
    };
  }

  async #readNeighbours(): Promise<void> {
    this.#neighbourNews = [];
    try {
      const messages = await this.#list(
        RTM.getNeighbour,
        NEIGHBOUR_HEADER_LENGTH,
        undefined,
        "neighbours",
      );
      const neighbours = new NeighbourTable();
      for (const message of messages) neighbours.apply(message);
      for (const message of this.#neighbourNews) neighbours.apply(message);
      this.#neighbours = neighbours;
    } finally {
      this.#neighbourNews = undefined;
    }
  }

  async #forwarding(family: Family): Promise<boolean> {
    const messages = await this.#list(RTM.getNetconf, NETCONF_HEADER_LENGTH, family, "settings");
    return messages.some(forwardingIn);
  }

  #list(
    type: number,
    length: number,
    family: Family | undefined,
    what: string,
  ): Promise<Message[]> {
    const fixed = new Uint8Array(length);
    if (family !== undefined) fixed[0] = familyNumber(family);
    return this.#netlink.list(type, fixed, `read the host's ${what}`);
  }
}

function present<Value>(values: readonly (Value | undefined)[]): Value[] {
  return values.filter((value) => value !== undefined);
}
