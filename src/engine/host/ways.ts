/** One object for each way out of the host, so that whoever knows something of a way can find it by the object. */
import type { Route } from "../../ipvs/host.ts";
import type { Address } from "../../net/address.ts";
import { AddressMap } from "./address-map.ts";

/** Beyond this all are forgotten: those that are in use come again, as new objects. */
const WAYS_MAX = 16_384;

export class Ways {
  #byNextHop = new AddressMap<Route[]>();
  #count = 0;

  /** The way with these properties. */
  way(interfaceIndex: number, nextHop: Address, source: Address, mtu: number): Route {
    let routes = this.#byNextHop.get(interfaceIndex, nextHop);
    if (routes !== undefined) {
      for (const route of routes) {
        if (route.mtu === mtu && route.source.equals(source)) return route;
      }
    }
    if (this.#count >= WAYS_MAX) {
      this.#byNextHop = new AddressMap();
      this.#count = 0;
      routes = undefined;
    }
    const route = { interfaceIndex, nextHop, source, mtu };
    if (routes === undefined) this.#byNextHop.set(interfaceIndex, nextHop, [route]);
    else routes.push(route);
    this.#count++;
    return route;
  }
}
