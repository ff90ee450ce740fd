/**
 * The services at work, made equal to a desired state.
 *
 * The kernel's tables in ip_vs_ctl.c: lookup by mark, then exact, then FTP's data ports, then any port.
 */
import type { Address } from "../net/address.ts";
import type { DesiredState } from "./desired-state.ts";
import { Destination } from "./destination.ts";
import { type DestinationPlan, familyOf, type ServicePlan } from "./service.ts";
import { Traffic } from "./statistics.ts";
import { Trash } from "./trash.ts";
import { VirtualService } from "./virtual-service.ts";

const TCP = 6;
const FTP_PORT = 21;
const FTP_DATA_PORT = 20;
/** The first port that a process without privileges may listen on. */
const UNPRIVILEGED_PORT = 1024;

/** Where a packet is going, in numbers, as the packet cursor has them. */
export interface Target {
  readonly family: 4 | 6;
  readonly protocol: number;
  readonly destination0: number;
  readonly destination1: number;
  readonly destination2: number;
  readonly destination3: number;
  readonly destinationPort: number;
  readonly mark: number;
}

export class ServiceTable {
  readonly trash = new Trash();
  readonly #services = new Map<string, VirtualService>();
  /** Endpoint services by a hash of protocol, address and port; the few that share one in a list. */
  readonly #byEndpoint = new Map<number, VirtualService[]>();
  readonly #byMark = new Map<string, VirtualService>();
  readonly #destinations: (Destination | undefined)[] = [];
  readonly #freeIds: number[] = [];
  /** Every VIP and every masqueraded server's address. */
  readonly #addresses = new Set<string>();
  #ftpServices = 0;
  #anyPortServices = 0;
  #inet = 0;
  #inet6 = 0;

  /** Traffic of everything, removed services included. */
  readonly total = new Traffic();

  countConnection(destination: Destination): void {
    destination.traffic.countConnection();
    destination.service.traffic.countConnection();
    this.total.countConnection();
  }

  /** A packet from a client: ip_vs_in_stats(). Removed destinations do not count. */
  countIn(destination: Destination, bytes: number): void {
    if (!destination.isAvailable) return;
    destination.traffic.countIn(bytes);
    destination.service.traffic.countIn(bytes);
    this.total.countIn(bytes);
  }

  countOut(destination: Destination, bytes: number): void {
    if (!destination.isAvailable) return;
    destination.traffic.countOut(bytes);
    destination.service.traffic.countOut(bytes);
    this.total.countOut(bytes);
  }

  /** Whether the packet comes from the address and port of a masqueraded server: ip_vs_has_real_service(). */
  hasMasqueraded(packet: { readonly source: Address; readonly sourcePort: number }): boolean {
    const { source, sourcePort } = packet;
    return this.#destinations.some(
      (each) =>
        each?.isAvailable === true &&
        each.plan.forwarding.kind === "masquerade" &&
        each.port === sourcePort &&
        each.address.equals(source),
    );
  }

  /** Whether a packet between these addresses may be a service's: to a VIP, or from a masqueraded server. */
  concerns(packet: { readonly source: Address; readonly destination: Address }): boolean {
    if (this.#byMark.size > 0) return true;
    return (
      this.#addresses.has(packet.destination.toString()) ||
      this.#addresses.has(packet.source.toString())
    );
  }

  /** In the order in which they were added. */
  services(): IterableIterator<VirtualService> {
    return this.#services.values();
  }

  get(keyText: string): VirtualService | undefined {
    return this.#services.get(keyText);
  }

  /** Whether any service of the family exists: without one the kernel's hooks are not even registered. */
  has(family: 4 | 6): boolean {
    return (family === 4 ? this.#inet : this.#inet6) > 0;
  }

  destination(id: number): Destination {
    return this.#destinations[id]!;
  }

  /** The service that a new connection belongs to: ip_vs_service_find(). */
  find(target: Target): VirtualService | undefined {
    if (target.mark !== 0 && this.#byMark.size > 0) {
      const service = this.#byMark.get(
        markKey(target.family === 4 ? "inet" : "inet6", target.mark),
      );
      if (service !== undefined) return service;
    }
    const port = target.destinationPort;
    return (
      this.#exact(target, port) ??
      (this.#ftpServices > 0 &&
      target.protocol === TCP &&
      (port === FTP_DATA_PORT || port >= UNPRIVILEGED_PORT)
        ? this.#exact(target, FTP_PORT)
        : undefined) ??
      (this.#anyPortServices > 0 ? this.#exact(target, 0) : undefined)
    );
  }

  /** Whether some service has this very protocol, address and port. */
  #exact(target: Target, port: number): VirtualService | undefined {
    const fold =
      target.destination0 ^ target.destination1 ^ target.destination2 ^ target.destination3;
    const bucket = this.#byEndpoint.get(endpointHash(target.protocol, fold, port));
    if (bucket === undefined) return undefined;
    for (const service of bucket) {
      if (service.key.kind !== "endpoint") continue;
      const { address } = service.key.endpoint;
      if (
        service.port === port &&
        service.protocol === target.protocol &&
        address.w3 === target.destination3 &&
        address.w2 === target.destination2 &&
        address.w1 === target.destination1 &&
        address.w0 === target.destination0 &&
        (address.family === "inet") === (target.family === 4)
      ) {
        return service;
      }
    }
    return undefined;
  }

  /**
   * Makes the table equal to `desired`, which desired-state.ts has checked. Connections stay. Returns the
   * destinations that were removed.
   */
  apply(desired: DesiredState): Destination[] {
    const removed: Destination[] = [];
    for (const [keyText, service] of this.#services) {
      if (desired.services.has(keyText)) continue;
      removed.push(...service.destinations);
      this.#removeService(service);
    }
    for (const [keyText, plan] of desired.services) {
      const service = this.#services.get(keyText);
      if (service === undefined) this.#addService(plan);
      else if (service.plan !== plan) removed.push(...this.#changeService(service, plan));
    }
    this.#collectAddresses();
    return removed;
  }

  /** Lets go of destinations that nothing points at any more. */
  expire(now: number): void {
    this.trash.expire(now, (destination) => {
      this.#destinations[destination.id] = undefined;
      this.#freeIds.push(destination.id);
    });
  }

  #collectAddresses(): void {
    this.#addresses.clear();
    for (const { key, destinations } of this.#services.values()) {
      if (key.kind === "endpoint") this.#addresses.add(key.endpoint.address.toString());
      for (const { address, plan } of destinations) {
        if (plan.forwarding.kind === "masquerade") this.#addresses.add(address.toString());
      }
    }
  }

  #addService(plan: ServicePlan): void {
    const service = new VirtualService(plan);
    this.#services.set(service.keyText, service);
    this.#index(service, 1);
    service.notify("bound");
    for (const destination of plan.destinations) this.#addDestination(service, destination);
  }

  #removeService(service: VirtualService): void {
    this.#services.delete(service.keyText);
    this.#index(service, -1);
    for (const destination of service.destinations) this.#retire(destination);
    service.destinations = [];
  }

  #changeService(service: VirtualService, plan: ServicePlan): Destination[] {
    service.update(plan);
    const wanted = new Map(plan.destinations.map((each) => [endpointText(each), each]));
    const removed = service.destinations.filter(({ plan }) => !wanted.has(endpointText(plan)));
    for (const destination of removed) {
      service.destinations = service.destinations.filter((each) => each !== destination);
      this.#retire(destination);
      service.notify("removed", destination);
    }
    const present = new Map(service.destinations.map((each) => [endpointText(each.plan), each]));
    for (const destinationPlan of plan.destinations) {
      const destination = present.get(endpointText(destinationPlan));
      if (destination === undefined) this.#addDestination(service, destinationPlan);
      else if (destination.plan !== destinationPlan) {
        destination.update(destinationPlan);
        service.notify("edited", destination);
      }
    }
    return removed;
  }

  #addDestination(service: VirtualService, plan: DestinationPlan): void {
    const destination = this.trash.revive(service, plan) ?? this.#createDestination(service, plan);
    // Statistics belong to a service and a server together: under a new service object they start again.
    if (destination.service !== service) destination.traffic.zero();
    destination.service = service;
    destination.isAvailable = true;
    // One that is revived with weight 0 has forgotten its weight: __ip_vs_update_dest() with add.
    destination.lastWeight = plan.weight;
    destination.update(plan);
    service.destinations = [destination, ...service.destinations];
    service.notify("added", destination);
  }

  #createDestination(service: VirtualService, plan: DestinationPlan): Destination {
    const id = this.#freeIds.pop() ?? this.#destinations.length;
    const destination = new Destination(id, plan, service);
    this.#destinations[id] = destination;
    return destination;
  }

  #retire(destination: Destination): void {
    destination.isAvailable = false;
    this.trash.add(destination);
  }

  #index(service: VirtualService, change: 1 | -1): void {
    const { key } = service;
    if (familyOf(key) === "inet") this.#inet += change;
    else this.#inet6 += change;
    if (key.kind === "mark") {
      const text = markKey(key.family, key.mark);
      if (change > 0) this.#byMark.set(text, service);
      else this.#byMark.delete(text);
      return;
    }
    if (service.port === FTP_PORT) this.#ftpServices += change;
    if (service.port === 0) this.#anyPortServices += change;
    const hash = endpointHash(service.protocol, key.endpoint.address.fold, service.port);
    const others = (this.#byEndpoint.get(hash) ?? []).filter((each) => each !== service);
    if (change > 0) others.push(service);
    if (others.length > 0) this.#byEndpoint.set(hash, others);
    else this.#byEndpoint.delete(hash);
  }
}

function endpointHash(protocol: number, fold: number, port: number): number {
  return (Math.imul(fold ^ Math.imul(port, 0x9e3779b1), 0x85ebca6b) ^ protocol) | 0;
}

function markKey(family: "inet" | "inet6", mark: number): string {
  return `${family} ${mark >>> 0}`;
}

function endpointText({ endpoint }: DestinationPlan): string {
  return `${endpoint.address} ${endpoint.port}`;
}
