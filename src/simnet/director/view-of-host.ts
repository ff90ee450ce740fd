/** What the director asks of the host that it runs on, answered from the simulated host's tables. */
import type { Host as DirectorsHost, Route } from "../../ipvs/host.ts";
import type { Address, Family } from "../../net/address.ts";
import type { Host } from "../host/host.ts";

/** Half a gigabyte: never short of it. */
const PAGES = 131_072;

export class ViewOfHost implements DirectorsHost {
  readonly #host: Host;

  constructor(host: Host) {
    this.#host = host;
  }

  get generation(): number {
    return this.#host.routes.generation;
  }

  isLocal(address: Address): boolean {
    return this.#host.isLocal(address);
  }

  route(destination: Address): Route | "local" | "unreachable" {
    const way = this.#host.inet.wayOut(destination);
    if (typeof way === "string") return way;
    const { nextHop, source, mtu } = way;
    return { interfaceIndex: way.interface.index, nextHop, source, mtu };
  }

  /** Rules look at marks alone. */
  routeFrom(_source: Address, destination: Address, mark: number): Route | "local" | "unreachable" {
    const isMarkedLocal = this.#host.routes.find(destination, undefined, mark)?.type === "local";
    return isMarkedLocal ? "local" : this.route(destination);
  }

  mayTell(recipient: Address, kind: string): boolean {
    return this.#host.icmp.mayTell(recipient, kind);
  }

  isForwarding(family: Family): boolean {
    return this.#host.isForwarding(family);
  }

  availablePages(): number {
    return PAGES;
  }
}
