import type { Address } from "../../net/address.ts";
import { CONNECTION_FLAG, FORWARDING } from "../connections/flow.ts";
import type { DestinationPlan } from "../desired/service.ts";
import type { Host, Route } from "../host.ts";
import type { Candidate } from "../schedulers/scheduler.ts";
import { destinationKey } from "./destination-key.ts";
import { DestinationLoad } from "./destination-load.ts";
import { Traffic } from "./statistics.ts";
import type { VirtualService } from "./virtual-service.ts";

/** net.ipv4.route.min_pmtu and mtu_expires: what a forged message may do, and for how long. */
const PATH_MTU_MIN = 552;
const PATH_MTU_LIFE_MS = 600_000;

/**
 * A destination at work: its plan, its live counters and its route. The kernel's struct ip_vs_dest.
 *
 * It outlives its removal while connections still point at it (see Trash), then with `isAvailable` false.
 */
export class Destination implements Candidate {
  /** What connections refer to it by. */
  id: number;
  readonly address: Address;
  port: number;
  readonly traffic = new Traffic();
  plan: DestinationPlan;
  /** The service that it serves, or served last. */
  service: VirtualService;
  isAvailable = true;
  /** Its connections were given up, and only wait to be forgotten: abandonConnections() made it. */
  isGone = false;
  /** It stands for wherever packets were sent (bypass.ts). */
  isBypass = false;
  /** Connections of an earlier process go to it, and its service is not known: orphan.ts made it. */
  isOrphan = false;
  lastWeight = 0;
  /** Persistence templates. */
  persistentConnections = 0;
  /** Forwarding method and direction, as connections to it begin. */
  connectionFlags = 0;
  #route: Route | "local" | "unreachable" = "unreachable";
  #routeGeneration = -1;
  #pathMtu = Number.POSITIVE_INFINITY;
  #pathMtuExpiresAt = 0;
  #key: number | undefined;
  #load: DestinationLoad;

  constructor(
    id: number,
    plan: DestinationPlan,
    service: VirtualService,
    load = new DestinationLoad(),
  ) {
    this.#load = load;
    this.id = id;
    this.address = plan.endpoint.address;
    this.port = plan.endpoint.port;
    this.plan = plan;
    this.service = service;
    this.update(plan);
  }

  /** What it is known by in every process. */
  get key(): number {
    this.#key ??= destinationKey(this.service.keyText, this.plan);
    return this.#key;
  }

  set key(key: number) {
    this.#key = key;
  }

  get load(): DestinationLoad {
    return this.#load;
  }

  /** Goes on with the same numbers in other memory. */
  set load(load: DestinationLoad) {
    load.copy(this.#load);
    this.#load = load;
  }

  get activeConnections(): number {
    return this.#load.active;
  }

  get inactiveConnections(): number {
    return this.#load.inactive;
  }

  get isOverloaded(): boolean {
    return this.#load.isOverloaded;
  }

  get weight(): number {
    return this.plan.weight;
  }

  /** Templates do not count. */
  get connections(): number {
    return this.activeConnections + this.inactiveConnections;
  }

  /** Takes a new record over: __ip_vs_update_dest(). */
  update(plan: DestinationPlan): void {
    this.plan = plan;
    this.port = plan.endpoint.port;
    if (plan.weight !== 0) this.lastWeight = plan.weight;
    this.connectionFlags = flagsOf(plan);
    this.#routeGeneration = -1;
    this.#updateOverload(plan);
  }

  /** __ip_vs_dest_update_overload(): between the marks it stays what it is. */
  #updateOverload(plan: DestinationPlan): void {
    if (this.connections < lowMark(plan)) this.#load.isOverloaded = false;
    else if (this.connections >= plan.upperThreshold) this.#load.isOverloaded = true;
  }

  /** The route to it, asked for again when the host's addresses or routes changed. */
  route(host: Host): Route | "local" | "unreachable" {
    if (this.#routeGeneration !== host.generation) {
      this.#route = host.route(this.address);
      this.#routeGeneration = host.generation;
    }
    return this.#route;
  }

  /** What routers told of the path's MTU in bytes; infinite when none did lately. */
  get pathMtu(): number {
    return this.#pathMtu;
  }

  /** The largest packet that gets there by `route`, in bytes: a router on the way may have told of less. */
  mtuOf({ mtu }: Route): number {
    return Math.min(mtu, this.#pathMtu);
  }

  /**
   * A router could not pass a packet on: ipv4_update_pmtu(). Never learns more than it knew; forgotten by
   * expirePathMtu().
   */
  learnPathMtu(mtu: number, now: number): void {
    const believed = Math.max(mtu, PATH_MTU_MIN);
    if (believed > this.#pathMtu) return;
    this.#pathMtu = believed;
    this.#pathMtuExpiresAt = now + PATH_MTU_LIFE_MS;
  }

  expirePathMtu(now: number): void {
    if (now >= this.#pathMtuExpiresAt) this.#pathMtu = Number.POSITIVE_INFINITY;
  }

  /** An entry was bound to it: ip_vs_bind_dest(). */
  bind(flags: number): void {
    if ((flags & CONNECTION_FLAG.template) !== 0) {
      this.persistentConnections++;
      return;
    }
    this.#count(flags, 1);
    const { upperThreshold } = this.plan;
    const isFull = upperThreshold !== 0 && this.connections >= upperThreshold;
    if (isFull) this.#load.isOverloaded = true;
    this.#load.changed(isFull);
  }

  /** An entry let go of it: ip_vs_unbind_dest(). */
  unbind(flags: number): void {
    if ((flags & CONNECTION_FLAG.template) !== 0) {
      this.persistentConnections--;
      return;
    }
    this.#count(flags, -1);
    const isRelieved = this.isOverloaded && this.connections < lowMark(this.plan);
    if (isRelieved) this.#load.isOverloaded = false;
    this.#load.changed(isRelieved);
  }

  /** It has so many connections more, or fewer, than was counted. */
  recount(active: number, inactive: number): void {
    this.#load.addActive(active);
    this.#load.addInactive(inactive);
    this.#updateOverload(this.plan);
    this.#load.changed(true);
  }

  #count(flags: number, change: number): void {
    if ((flags & CONNECTION_FLAG.inactive) !== 0) this.#load.addInactive(change);
    else this.#load.addActive(change);
  }

  /**
   * Gives up its connections, all at once: it goes on without any as `newId`, loaded as `newLoad` tells, and what is returned
   * stands in for it with them, until each is forgotten.
   */
  abandonConnections(newId: number, newLoad: DestinationLoad): Destination {
    const gone = new Destination(this.id, this.plan, this.service, this.#load);
    gone.isAvailable = false;
    gone.isGone = true;
    gone.persistentConnections = this.persistentConnections;
    this.id = newId;
    this.#load = newLoad;
    this.persistentConnections = 0;
    this.#updateOverload(this.plan);
    return gone;
  }

  /** As loaded as `other`, whatever entries point here. */
  loadAs(other: Destination): void {
    this.#load.copy(other.load);
    this.persistentConnections = other.persistentConnections;
    this.lastWeight = other.lastWeight;
  }

  /** An entry of its became active or inactive. */
  activate(): void {
    this.#load.addActive(1);
    this.#load.addInactive(-1);
    this.#load.changed(false);
  }

  deactivate(): void {
    this.#load.addActive(-1);
    this.#load.addInactive(1);
    this.#load.changed(false);
  }
}

/** Below so many connections it is no longer overloaded: without a lower threshold three quarters of the upper. */
export function lowMark({ upperThreshold, lowerThreshold }: DestinationPlan): number {
  if (upperThreshold === 0) return Number.POSITIVE_INFINITY;
  return lowerThreshold || upperThreshold - Math.floor(upperThreshold / 4);
}

function flagsOf({ forwarding }: DestinationPlan): number {
  switch (forwarding.kind) {
    case "masquerade":
      return FORWARDING.masquerade | CONNECTION_FLAG.inactive;
    case "tunnel":
      return FORWARDING.tunnel | CONNECTION_FLAG.noOutput | CONNECTION_FLAG.inactive;
    case "route":
      return FORWARDING.route | CONNECTION_FLAG.noOutput | CONNECTION_FLAG.inactive;
  }
}
