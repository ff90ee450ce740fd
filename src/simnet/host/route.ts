/** Routes and how one is found: the longest prefix of the local table, then of the main one (net/ipv4/fib_rules.c). */
import type { Address, Family } from "../../net/address.ts";
import { type Prefix, prefixContains } from "../../net/prefix.ts";
import type { NetworkInterface, ScopeName } from "./interface.ts";

export interface RouteEntry {
  readonly prefix: Prefix;
  /** "local", "main", or a number that a rule names. */
  readonly table: string;
  readonly type:
    | "unicast"
    | "local"
    | "broadcast"
    | "anycast"
    | "multicast"
    | "unreachable"
    | "blackhole";
  readonly interface: NetworkInterface;
  readonly gateway: Address | undefined;
  /** The address that packets of the host's own carry; undefined: chosen by the next hop. */
  readonly source: Address | undefined;
  readonly scope: ScopeName;
  readonly protocol: "kernel" | "boot" | "static";
  readonly metric: number;
  readonly mtu: number | undefined;
}

/** Packets with a mark look into another table before the main one. */
export interface RoutingRule {
  readonly priority: number;
  readonly mark: number;
  readonly table: string;
}

export class Routes {
  #entries: RouteEntry[] = [];
  #rules: readonly RoutingRule[] = [];
  /** Grows with each change. */
  generation = 1;

  get entries(): readonly RouteEntry[] {
    return this.#entries;
  }

  add(route: RouteEntry): undefined {
    this.#entries.push(route);
    this.generation++;
  }

  remove(isMeant: (route: RouteEntry) => boolean): readonly RouteEntry[] {
    const removed = this.#entries.filter(isMeant);
    if (removed.length === 0) return removed;
    this.#entries = this.#entries.filter((route) => !removed.includes(route));
    this.generation++;
    return removed;
  }

  get rules(): readonly RoutingRule[] {
    return this.#rules;
  }

  /** By priority. */
  setRules(rules: readonly RoutingRule[]): undefined {
    this.#rules = rules.toSorted((one, other) => one.priority - other.priority);
    this.generation++;
  }

  /** The route to an address; `via`: only by that interface; `mark`: of a packet that has one. */
  find(destination: Address, via?: NetworkInterface, mark = 0): RouteEntry | undefined {
    const marked = this.#rules.filter((rule) => rule.mark === mark).map(({ table }) => table);
    for (const table of ["local", ...marked, "main"]) {
      let best: RouteEntry | undefined;
      for (const route of this.#entries) {
        if (route.table !== table || !route.interface.isUp) continue;
        if (via !== undefined && table !== "local" && route.interface !== via) continue;
        if (!prefixContains(route.prefix, destination)) continue;
        if (best === undefined || isNearer(route, best)) best = route;
      }
      if (best !== undefined) return best;
    }
    return undefined;
  }

  /** Those of a family and table as they are listed: by network, the longer prefix behind the shorter. */
  listed(family: Family, table: string): readonly RouteEntry[] {
    return this.#entries
      .filter((route) => route.table === table && route.prefix.address.family === family)
      .toSorted(
        (one, other) =>
          one.prefix.address.compare(other.prefix.address) ||
          one.prefix.length - other.prefix.length ||
          one.metric - other.metric,
      );
  }
}

function isNearer(one: RouteEntry, other: RouteEntry): boolean {
  if (one.prefix.length !== other.prefix.length) return one.prefix.length > other.prefix.length;
  return one.metric < other.metric;
}
