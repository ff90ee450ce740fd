/**
 * Whose addresses a packet may bear that concerns the services: VIPs, masqueraded servers, the far ends of tunnels.
 * For what happens seldom: a lookup may allocate.
 */

import type { Address } from "../net/address.ts";
import { IP_PROTOCOL } from "../net/ip-protocol.ts";
import type { Destination } from "./destination.ts";
import type { ServicePlan } from "./service.ts";
import { endpointHash } from "./service-index.ts";
import type { VirtualService } from "./virtual-service.ts";

/** Where a packet comes from. */
export interface Origin {
  readonly protocol: number;
  readonly source0: number;
  readonly source1: number;
  readonly source2: number;
  readonly source3: number;
  readonly sourcePort: number;
  readonly source: Address;
}

export class KnownAddresses {
  /** Every VIP and every masqueraded server's address. */
  readonly #ends = new Set<string>();
  /** Protocol, address and port of masqueraded servers: a hash that rules most out, and the truth. */
  readonly #masqueradedHashes = new Set<number>();
  readonly #masqueraded = new Set<string>();
  /** Masqueraded servers of UDP services with a persistence engine, by address and port. */
  readonly #callers = new Map<string, Destination>();
  /** Address and kind of encapsulation, with GUE's port. */
  readonly #tunnels = new Set<string>();

  /** Begins anew with what `services` are now. */
  collect(services: Iterable<VirtualService>): void {
    const sets = [this.#ends, this.#masqueradedHashes, this.#masqueraded, this.#tunnels];
    for (const set of [...sets, this.#callers]) set.clear();
    for (const { key, protocol, destinations, plan } of services) {
      if (key.kind === "endpoint") this.#ends.add(key.endpoint.address.toString());
      for (const destination of destinations) {
        this.#add(destination, protocol);
        if (protocol === IP_PROTOCOL.udp) this.#addCaller(destination, plan);
      }
    }
  }

  #add({ address, port, plan: { forwarding } }: Destination, protocol: number): void {
    const text = address.toString();
    if (forwarding.kind === "tunnel") {
      const { encapsulation } = forwarding;
      this.#tunnels.add(
        tunnelKey(text, encapsulation, encapsulation === "gue" ? forwarding.port : 0),
      );
    }
    if (forwarding.kind !== "masquerade") return;
    this.#ends.add(text);
    this.#masqueraded.add(endpointKey(protocol, text, port));
    this.#masqueradedHashes.add(endpointHash(protocol, address.fold, port));
  }

  #addCaller(destination: Destination, { persistenceEngine }: ServicePlan): void {
    const { address, port, plan } = destination;
    if (plan.forwarding.kind !== "masquerade") return;
    const key = endpointKey(IP_PROTOCOL.udp, address.toString(), port);
    if (persistenceEngine === undefined) this.#callers.delete(key);
    else this.#callers.set(key, destination);
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
    if (this.#callers.size === 0 || packet.protocol !== IP_PROTOCOL.udp) return undefined;
    const fold = packet.source0 ^ packet.source1 ^ packet.source2 ^ packet.source3;
    if (!this.#has(packet, IP_PROTOCOL.udp, fold, packet.sourcePort)) return undefined;
    return this.#callers.get(
      endpointKey(IP_PROTOCOL.udp, packet.source.toString(), packet.sourcePort),
    );
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
