/**
 * The services at work, made equal to a desired state, with the destinations that connections refer to by id.
 *
 * ip_vs_ctl.c in the kernel.
 */
import type { IpVersion } from "../../net/ip-family.ts";
import type { DesiredState } from "../desired/desired-state.ts";
import { type DestinationPlan, formatEndpoint, type ServicePlan } from "../desired/service.ts";
import { serviceChanges } from "../desired/service-changes.ts";
import { DEFAULT_SYSCTLS } from "../desired/sysctls.ts";
import type { Host } from "../host.ts";
import type { Target } from "../packets/opening.ts";
import type { Packet } from "../packets/packet.ts";
import type { Scheduler, SchedulerSysctls } from "../schedulers/scheduler.ts";
import { bypass } from "./bypass.ts";
import { Destination } from "./destination.ts";
import { destinationKey } from "./destination-key.ts";
import { type DestinationLoads, OWN_LOADS } from "./destination-load.ts";
import { KnownAddresses } from "./known-addresses.ts";
import { type OrphanedServer, orphan } from "./orphan.ts";
import { ServiceIndex } from "./service-index.ts";
import { type Counters, Traffic } from "./statistics.ts";
import { Trash } from "./trash.ts";
import { VirtualService } from "./virtual-service.ts";

/** What went by without the director, of one destination, since it was last told. */
export type OffloadedTraffic = (destination: Destination, counts: Counters) => void;

/** Somebody who schedules some services' connections himself, and is told what he has to know for it. */
export interface ServiceMirror extends DestinationLoads {
  /** Who schedules a service's new connections; undefined where its own scheduler does. */
  schedulerOf(service: VirtualService): Scheduler<Destination> | undefined;
  /** The service was added or changed, with all its destinations. */
  serviceChanged(service: VirtualService): void;
  serviceRemoved(service: VirtualService): void;
  /** The destination is another, or says something else. */
  destinationChanged(destination: Destination): void;
  /** A router told of less than was known that gets to the destination. */
  pathNarrowed(destination: Destination): void;
  /** Tells what it has forwarded to the destination since it was last told. */
  collectOf(destination: Destination, told: OffloadedTraffic): void;
}

const NO_MIRROR: ServiceMirror = {
  ...OWN_LOADS,
  schedulerOf: () => undefined,
  serviceChanged: () => {},
  serviceRemoved: () => {},
  destinationChanged: () => {},
  pathNarrowed: () => {},
  collectOf: () => {},
};

export class ServiceTable {
  readonly #sysctls: () => SchedulerSysctls;
  readonly #mirror: ServiceMirror;
  readonly addresses = new KnownAddresses();
  /** Where cache_bypass has connections go, by family. */
  readonly bypass: Readonly<Record<IpVersion, Destination>>;
  /** Traffic of everything, removed services included. */
  readonly total = new Traffic();
  readonly #trash = new Trash();
  readonly #index = new ServiceIndex();
  readonly #services = new Map<string, VirtualService>();
  #applied: DesiredState["services"] = new Map();
  readonly #destinations: (Destination | undefined)[] = [];
  readonly #freeIds: number[] = [];
  /** Those whose connections were given up. */
  readonly #gone = new Set<Destination>();

  constructor(sysctls: () => SchedulerSysctls = () => DEFAULT_SYSCTLS, mirror = NO_MIRROR) {
    this.#sysctls = sysctls;
    this.#mirror = mirror;
    this.bypass = { 4: bypass(0, 4, sysctls), 6: bypass(1, 6, sysctls) };
    this.#destinations.push(this.bypass[4], this.bypass[6]);
  }

  /** In the order in which they were added. */
  services(): IterableIterator<VirtualService> {
    return this.#services.values();
  }

  get hasSeveral(): boolean {
    return this.#services.size > 1;
  }

  get(keyText: string): VirtualService | undefined {
    return this.#services.get(keyText);
  }

  /** Whether any service of the family exists: without one the kernel's hooks are not even registered. */
  has(family: IpVersion): boolean {
    return this.#index.has(family);
  }

  /** Whether a service's packet is the director's: the host says so, or it is to an address of the host's. */
  isOwn(packet: Packet, service: VirtualService, host: Host): boolean {
    return packet.hook !== "wire" || service.isLocal(packet, host);
  }

  /** The service that a new connection belongs to. */
  find(target: Target): VirtualService | undefined {
    return this.#index.find(target);
  }

  /** Whether a fragment may be a service's: what a mark means, no address tells. */
  concern(packet: Parameters<KnownAddresses["concern"]>[0]): boolean {
    return this.#index.hasMarks || this.addresses.concern(packet);
  }

  /** Configured, or in the trash with connections: what a connection's destinationId stands for. */
  destination(id: number): Destination {
    return this.#destinations[id]!;
  }

  /** Those that are configured, by the key that connections of an earlier process have. */
  byKey(): ReadonlyMap<number, Destination> {
    const all = [this.bypass[4], this.bypass[6]];
    for (const { destinations } of this.#services.values()) all.push(...destinations);
    return new Map(all.map((each) => [each.key, each]));
  }

  /** What stands for a server that is not configured: as a removed one it waits to be revived. */
  orphan(server: OrphanedServer): Destination {
    const known = this.#trash.orphan(server.key);
    if (known !== undefined) return known;
    const destination = orphan(this.#newId(), server, this.#sysctls);
    this.#destinations[destination.id] = destination;
    this.#trash.addOrphan(destination);
    return destination;
  }

  /** Those that connections go to, removed ones included. */
  *inUse(): Generator<Destination> {
    for (const each of this.#destinations) {
      if (each === undefined || each.connections === 0) continue;
      if (!each.isBypass && !each.isGone && !each.isOrphan) yield each;
    }
  }

  /** Gives up the connections and templates of removed destinations: their destination() is one that is gone. */
  abandonRemoved(): void {
    for (const each of this.#destinations) {
      if (each === undefined || each.isAvailable || each.isGone) continue;
      if (each.connections + each.persistentConnections === 0) continue;
      const { id } = each;
      const newId = this.#newId();
      const gone = each.abandonConnections(newId, this.#mirror.take());
      this.#gone.add(gone);
      this.#destinations[id] = gone;
      this.#destinations[newId] = each;
      this.#mirror.destinationChanged(gone);
      this.#mirror.destinationChanged(each);
    }
  }

  /** A router could not pass a packet to the destination on: Destination.learnPathMtu(). */
  learnPathMtu(destination: Destination, mtu: number, now: number): void {
    destination.learnPathMtu(mtu, now);
    this.#mirror.pathNarrowed(destination);
  }

  countConnection(destination: Destination): void {
    destination.traffic.countConnection();
    destination.service.traffic.countConnection();
    this.total.countConnection();
  }

  /** A packet from a client: ip_vs_in_stats(). Removed destinations do not count. */
  countIn(destination: Destination, bytes: number): void {
    if (!destination.isAvailable || destination.isBypass) return;
    destination.traffic.countIn(bytes);
    destination.service.traffic.countIn(bytes);
    this.total.countIn(bytes);
  }

  /** A packet to a client: ip_vs_out_stats(). */
  countOut(destination: Destination, bytes: number): void {
    if (!destination.isAvailable || destination.isBypass) return;
    destination.traffic.countOut(bytes);
    destination.service.traffic.countOut(bytes);
    this.total.countOut(bytes);
  }

  /** Packets that were forwarded without the director: offload.ts. */
  readonly countOffloaded = (destination: Destination, counts: Counters): void => {
    if (!destination.isAvailable) return;
    destination.traffic.add(counts);
    destination.service.traffic.add(counts);
    this.total.add(counts);
  };

  /** The plans that it follows. */
  get applied(): DesiredState["services"] {
    return this.#applied;
  }

  /**
   * Makes the table equal to `desired`, which desired-state.ts has checked. Connections stay. Whether a destination was
   * removed.
   */
  apply({ services }: DesiredState): boolean {
    let hasRemoved = false;
    for (const { keyText, before, after } of serviceChanges(this.#applied, services)) {
      if (before === undefined) {
        this.#addService(after);
        continue;
      }
      const service = this.#services.get(keyText)!;
      this.addresses.forget(service);
      if (after === undefined) {
        hasRemoved ||= service.destinations.length > 0;
        this.#removeService(service);
        continue;
      }
      hasRemoved = this.#changeService(service, after) || hasRemoved;
      this.addresses.learn(service);
      this.#mirror.serviceChanged(service);
    }
    this.#applied = services;
    return hasRemoved;
  }

  /** Lets go of destinations that nothing points at any more. */
  expire(now: number): void {
    this.#trash.expire(now, (destination) => this.#forget(destination));
    for (const each of this.#gone) {
      if (each.connections + each.persistentConnections > 0) continue;
      this.#gone.delete(each);
      this.#forget(each);
    }
  }

  #forget({ id, load }: Destination): void {
    this.#destinations[id] = undefined;
    this.#freeIds.push(id);
    this.#mirror.free(load);
  }

  #newId(): number {
    return this.#freeIds.pop() ?? this.#destinations.length;
  }

  #addService(plan: ServicePlan): void {
    const service = new VirtualService(plan, this.#sysctls, this.#mirror);
    this.#services.set(service.keyText, service);
    this.#index.add(service);
    service.notify("bound");
    for (const destination of plan.destinations) this.#addDestination(service, destination);
    this.addresses.learn(service);
    this.#mirror.serviceChanged(service);
  }

  #removeService(service: VirtualService): void {
    this.#services.delete(service.keyText);
    this.#index.remove(service);
    this.#mirror.serviceRemoved(service);
    for (const destination of service.destinations) this.#retire(destination);
    service.destinations = [];
  }

  #changeService(service: VirtualService, plan: ServicePlan): boolean {
    service.update(plan);
    const oldestFirst = service.destinations.toReversed();
    let same = 0;
    while (same < oldestFirst.length && oldestFirst[same]!.plan === plan.destinations[same]) same++;
    const others = oldestFirst.slice(same);
    const plans = plan.destinations.slice(same);
    const staying = stayingDestinations(others, plans);
    const leaving = others.filter(({ plan }) => !staying.has(textOf(plan))).toReversed();
    for (const destination of leaving) {
      service.destinations = service.destinations.filter((each) => each !== destination);
      this.#retire(destination);
      service.notify("removed", destination);
    }
    for (const destinationPlan of plans) {
      const destination = staying.get(textOf(destinationPlan));
      if (destination === undefined) this.#addDestination(service, destinationPlan);
      else if (destination.plan !== destinationPlan) {
        destination.update(destinationPlan);
        this.#mirror.destinationChanged(destination);
        service.notify("edited", destination);
      }
    }
    return leaving.some(({ isAvailable }) => !isAvailable);
  }

  #addDestination(service: VirtualService, plan: DestinationPlan): void {
    const destination = this.#trash.revive(service, plan) ?? this.#createDestination(service, plan);
    this.#collect(destination);
    // Statistics belong to a service and a server together: under a new service object they start again.
    if (destination.service !== service) destination.traffic.zero();
    destination.service = service;
    destination.isAvailable = true;
    destination.isOrphan = false;
    // One that is revived with weight 0 has forgotten its weight: __ip_vs_update_dest() with add.
    destination.lastWeight = plan.weight;
    destination.update(plan);
    // One that an earlier process's connections go to had none.
    if (destination.load.slot < 0) destination.load = this.#mirror.take();
    this.#mirror.destinationChanged(destination);
    service.destinations = [destination, ...service.destinations];
    service.notify("added", destination);
  }

  #createDestination(service: VirtualService, plan: DestinationPlan): Destination {
    const load = this.#mirror.take(() => destinationKey(service.keyText, plan));
    const destination = new Destination(this.#newId(), plan, service, load);
    this.#destinations[destination.id] = destination;
    return destination;
  }

  /** What went by until now belongs to whom it was for. */
  #collect(destination: Destination): void {
    this.#mirror.collectOf(destination, this.countOffloaded);
  }

  #retire(destination: Destination): void {
    this.#collect(destination);
    destination.isAvailable = false;
    this.#mirror.destinationChanged(destination);
    this.#trash.add(destination);
  }
}

/**
 * Those of `oldestFirst` that `plans` has in the same order. One that was removed and
 * added again between two plans comes later in the new one: it leaves and comes back, as it would have one by one.
 */
function stayingDestinations(
  oldestFirst: readonly Destination[],
  plans: readonly DestinationPlan[],
): Map<string, Destination> {
  const positions = new Map(oldestFirst.map((each, index) => [textOf(each.plan), index]));
  const staying = new Map<string, Destination>();
  let next = 0;
  for (const destinationPlan of plans) {
    const text = textOf(destinationPlan);
    const position = positions.get(text);
    if (position === undefined || position < next) continue;
    staying.set(text, oldestFirst[position]!);
    next = position + 1;
  }
  return staying;
}

function textOf({ endpoint }: DestinationPlan): string {
  return formatEndpoint(endpoint);
}
