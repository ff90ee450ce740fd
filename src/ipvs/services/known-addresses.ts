/**
 * Whose addresses a packet may bear that concerns the services: VIPs, masqueraded servers, the far ends of tunnels.
 * For what happens seldom: a lookup may allocate.
 */

import { Tally } from "../../base/tally.ts";
import type { Address } from "../../net/address.ts";
import { IP_PROTOCOL } from "../../net/ip-protocol.ts";
import type { Origin } from "../packets/opening.ts";
import type { Destination } from "./destination.ts";
import { endpointHash } from "./service-index.ts";
import type { VirtualService } from "./virtual-service.ts";

export class KnownAddresses {
  /** Every VIP and every masqueraded server's address. */
  readonly #ends = new Tally<string>();
  /** Protocol, address and port of masqueraded servers: a hash that rules most out, and the truth. */
  readonly #masqueradedHashes = new Tally<number>();
  readonly #masqueraded = new Tally<string>();
  /** Masqueraded servers of UDP services, by address and port; of each service that has it. */
  readonly #callers = new Map<string, Set<Destination>>();
  /** Address and kind of encapsulation, with GUE's port. */
  readonly #tunnels = new Tally<string>();
  /** Of UDP services: how many have a persistence engine, and which was added when. */
  #persistenceEngines = 0;
  readonly #ages = new WeakMap<VirtualService, number>();
  #nextAge = 0;

  /** To be called with a service as it is from now on. */
  learn(service: VirtualService): void {
    if (!this.#ages.has(service)) this.#ages.set(service, this.#nextAge++);
    this.#change(service, "add");
  }

  /** To be called with a service as it was when it was learnt, before it is changed or removed. */
  forget(service: VirtualService): void {
    this.#change(service, "delete");
  }

  #change({ key, protocol, destinations, plan }: VirtualService, verb: "add" | "delete"): void {
    if (key.kind === "endpoint") this.#ends[verb](key.endpoint.address.toString());
    const isUdp = protocol === IP_PROTOCOL.udp;
    if (isUdp && plan.persistenceEngine !== undefined) {
      this.#persistenceEngines += verb === "add" ? 1 : -1;
    }
    for (const destination of destinations) {
      this.#changeDestination(destination, protocol, verb);
      if (isUdp) this.#changeCaller(destination, verb);
    }
  }

  #changeDestination(
    { address, port, plan: { forwarding } }: Destination,
    protocol: number,
    verb: "add" | "delete",
  ): void {
    const text = address.toString();
    if (forwarding.kind === "tunnel") {
      const { encapsulation } = forwarding;
      const tunnelPort = encapsulation === "gue" ? forwarding.port : 0;
      this.#tunnels[verb](tunnelKey(text, encapsulation, tunnelPort));
    }
    if (forwarding.kind !== "masquerade") return;
    this.#ends[verb](text);
    this.#masqueraded[verb](endpointKey(protocol, text, port));
    this.#masqueradedHashes[verb](endpointHash(protocol, address.fold, port));
  }

  #changeCaller(destination: Destination, verb: "add" | "delete"): void {
    const { address, port, plan } = destination;
    if (plan.forwarding.kind !== "masquerade") return;
    const key = endpointKey(IP_PROTOCOL.udp, address.toString(), port);
    const callers = this.#callers.get(key) ?? new Set();
    callers[verb](destination);
    if (callers.size > 0) this.#callers.set(key, callers);
    else this.#callers.delete(key);
  }

  /** Whether a packet between these addresses may be a service's: to a VIP, or from a masqueraded server. */
  concern(packet: { readonly source: Address; readonly destination: Address }): boolean {
    return (
      this.#ends.has(packet.destination.toString()) || this.#ends.has(packet.source.toString())
    );
  }

  /**
   * Whether the packet comes from a masqueraded server's address and port, of a service of its protocol or of a mark:
   * ip_vs_has_real_service().
   */
  hasMasqueraded(packet: Origin): boolean {
    const { protocol, sourcePort } = packet;
    const fold = packet.source0 ^ packet.source1 ^ packet.source2 ^ packet.source3;
    return this.#has(packet, protocol, fold, sourcePort) || this.#has(packet, 0, fold, sourcePort);
  }

  /**
   * The server that sends this from its own address and port, when its service's persistence engine lets servers begin
   * calls: __ip_vs_rs_conn_out(). Of several services with that server the last decides. A mark has no address to call from.
   */
  callerOf(packet: Origin): Destination | undefined {
    if (this.#persistenceEngines === 0 || packet.protocol !== IP_PROTOCOL.udp) return undefined;
    const fold = packet.source0 ^ packet.source1 ^ packet.source2 ^ packet.source3;
    if (!this.#has(packet, IP_PROTOCOL.udp, fold, packet.sourcePort)) return undefined;
    const key = endpointKey(IP_PROTOCOL.udp, packet.source.toString(), packet.sourcePort);
    let last: Destination | undefined;
    for (const each of this.#callers.get(key) ?? []) {
      if (last === undefined || this.#age(each) > this.#age(last)) last = each;
    }
    return last?.service.plan.persistenceEngine === undefined ? undefined : last;
  }

  #age({ service }: Destination): number {
    return this.#ages.get(service) ?? 0;
  }

  #has(packet: Origin, protocol: number, fold: number, port: number): boolean {
    return (
      this.#masqueradedHashes.has(endpointHash(protocol, fold, port)) &&
      this.#masqueraded.has(endpointKey(protocol, packet.source.toString(), port))
    );
  }

  /** Whether packets go to `address` in such a tunnel: ip_vs_find_tunnel(). `port` is GUE's, else 0. */
  hasTunnel(address: Address, encapsulation: "ipip" | "gre" | "gue", port: number): boolean {
    return this.#tunnels.has(tunnelKey(address.toString(), encapsulation, port));
  }
}

function endpointKey(protocol: number, address: string, port: number): string {
  return `${protocol} ${address} ${port}`;
}

function tunnelKey(address: string, encapsulation: string, port: number): string {
  return `${address} ${encapsulation} ${port}`;
}
