/**
 * Services as the programs know them: destinations with their loads and counters, lists of them, whose turn it is.
 *
 * A service whose new connections they can schedule stands in their table of services; of the others they know the
 * destinations alone, because connections go there. A connection is counted, and whose turn it is is decided, in their memory:
 * there is one place for it, whoever opens the connection.
 */
import type { ServicePlan } from "../../ipvs/desired/service.ts";
import type { Route } from "../../ipvs/host.ts";
import type { OffloadedTraffic } from "../../ipvs/offload.ts";
import type { Scheduler } from "../../ipvs/schedulers/scheduler.ts";
import { type Destination, lowMark } from "../../ipvs/services/destination.ts";
import { DestinationLoad } from "../../ipvs/services/destination-load.ts";
import type { OrphanedServer } from "../../ipvs/services/orphan.ts";
import type { ServiceMirror } from "../../ipvs/services/service-table.ts";
import type { VirtualService } from "../../ipvs/services/virtual-service.ts";
import type { Address } from "../../net/address.ts";
import { destination, serviceKey, service as serviceValue, way } from "./abi.ts";
import { InheritedServices, textOf } from "./inherited-services.ts";
import { DESTINATIONS_MAX, type KernelMaps, SERVICES_MAX } from "./kernel-maps.ts";
import { KernelScheduler, MEMBERS_PER_SERVICE } from "./kernel-scheduler.ts";
import { deleteElement, updateElement } from "./libbpf.ts";
import { MemberLists } from "./member-lists.ts";
import { ORDERS } from "./orders.ts";

/** FTP's data connections belong to the service of its control connections. */
const FTP_PORT = 21;
const NO_LIMIT = 0xffff_ffff;
const COUNTERS = ["connections", "inPackets", "inBytes", "outPackets", "outBytes"] as const;
const WORDS = destination.size / 4;
const LONG_WORDS = destination.size / 8;

/** Whether the programs can open a service's connections as the director would. */
function isCarried({ key, ...plan }: ServicePlan): boolean {
  if (key.kind !== "endpoint" || key.protocol === "sctp") return false;
  const { port } = key.endpoint;
  if (port === 0 || port === FTP_PORT) return false;
  return (
    plan.persistence === undefined &&
    !plan.onePacket &&
    ORDERS[plan.scheduler] !== undefined &&
    plan.destinations.length <= MEMBERS_PER_SERVICE
  );
}

export class KernelServices implements ServiceMirror, Disposable {
  /** From now on a service's connections are opened by the programs, and were not before. */
  onCarried: (service: VirtualService) => void = () => {};
  readonly #maps: KernelMaps;
  readonly #lists: MemberLists;
  readonly #words: Int32Array;
  readonly #counts: BigUint64Array;
  /** As they were when they were collected. */
  readonly #collected = new Map<number, number[]>();
  readonly #destinations: (Destination | undefined)[] = [];
  readonly #freeSlots: number[] = [];
  /** Those that are carried, or are about to be. */
  readonly #schedulers = new Map<VirtualService, KernelScheduler>();
  readonly #listed = new Set<VirtualService>();
  readonly #freeIndices: number[] = [];
  #indexEnd = 0;
  readonly #key = new Uint8Array(serviceKey.size);
  readonly #keyView = new DataView(this.#key.buffer);
  readonly #value = new Uint8Array(serviceValue.size);
  readonly #valueView = new DataView(this.#value.buffer);
  /** What an earlier process left, until all of it has been gone on with or let go of. */
  #inherited: InheritedServices | undefined;
  /** What is wanted is not known yet: what an earlier process left goes on as it was. */
  #isHeld = false;
  readonly #awaiting = new Set<VirtualService>();
  /** Whether the host has an address. */
  isLocal: (address: Address) => boolean = () => false;

  constructor(maps: KernelMaps) {
    this.#maps = maps;
    this.#lists = new MemberLists(maps.members);
    const { buffer } = maps.destinations.bytes;
    this.#words = new Int32Array(buffer);
    this.#counts = new BigUint64Array(buffer);
    if (maps.isInherited) this.#inherit(new InheritedServices(maps));
  }

  /** Slots and indices that an earlier process used are nobody else's. */
  #inherit(inherited: InheritedServices): void {
    this.#inherited = inherited;
    this.#isHeld = true;
    const slots = inherited.slots();
    for (let slot = Math.max(-1, ...slots); slot >= 0; slot--) {
      this.#destinations[slot] = undefined;
      if (!slots.has(slot)) this.#freeSlots.push(slot);
    }
    const indices = inherited.indices();
    this.#indexEnd = Math.max(-1, ...indices) + 1;
    for (let index = this.#indexEnd - 1; index >= 0; index--) {
      if (!indices.has(index)) this.#freeIndices.push(index);
    }
    this.#lists.reserve([...indices].map((index) => inherited.planOf(index)));
  }

  [Symbol.dispose](): void {
    for (const scheduler of this.#schedulers.values()) scheduler[Symbol.dispose]();
  }

  take(key?: () => number): DestinationLoad {
    const inherited = key && this.#isHeld ? this.#inherited?.claim(key()) : undefined;
    if (inherited !== undefined) {
      const at = inherited * WORDS + destination.active / 4;
      return new DestinationLoad(this.#words, at, inherited, true);
    }
    const slot = this.#freeSlots.pop() ?? this.#destinations.length;
    if (slot >= DESTINATIONS_MAX) return new DestinationLoad();
    this.#destinations[slot] = undefined;
    this.#words.fill(0, slot * WORDS, (slot + 1) * WORDS);
    this.#collected.delete(slot);
    return new DestinationLoad(this.#words, slot * WORDS + destination.active / 4, slot);
  }

  free({ slot }: Pick<DestinationLoad, "slot">): void {
    if (slot < 0) return;
    if (this.#isHeld) {
      this.#inherited?.release(slot);
      return;
    }
    this.#destinations[slot] = undefined;
    this.#maps.destinations.view.setBigUint64(slot * destination.size + destination.key, 0n, true);
    this.#freeSlots.push(slot);
  }

  /** The destination that the programs know by this number. */
  at(slot: number): Destination | undefined {
    return this.#destinations[slot];
  }

  /** Whether new connections of a service are opened by the programs. */
  carries(service: VirtualService): boolean {
    return this.#listed.has(service);
  }

  schedulerOf(service: VirtualService): Scheduler<Destination> | undefined {
    const before = this.#schedulers.get(service);
    if (!isCarried(service.plan)) {
      this.#drop(service);
      return undefined;
    }
    const { scheduler: name, schedulerFlags: flags } = service.plan;
    if (before?.name === name && before.flags === flags) return before;
    const index = before?.index ?? this.#inheritedIndex(service) ?? this.#newIndex();
    if (index >= SERVICES_MAX) {
      this.#indexEnd = SERVICES_MAX;
      return undefined;
    }
    const scheduler = new KernelScheduler({
      maps: this.#maps,
      lists: this.#lists,
      index,
      name,
      flags,
      destinationAt: (slot) => this.#destinations[slot],
      isHeld: () => this.#isHeld,
    });
    this.#schedulers.set(service, scheduler);
    return scheduler;
  }

  serviceChanged(service: VirtualService): void {
    if (this.#isHeld) {
      this.#awaiting.add(service);
      return;
    }
    const scheduler = hasSlots(service) ? this.#schedulers.get(service) : undefined;
    if (scheduler === undefined) {
      this.#unlist(service);
      return;
    }
    if (!this.#listed.has(service)) {
      this.#listed.add(service);
      this.onCarried(service);
    }
    this.#list(service, scheduler);
  }

  serviceRemoved(service: VirtualService): void {
    this.#awaiting.delete(service);
    this.#drop(service);
  }

  destinationChanged(changed: Destination): void {
    const { slot } = changed.load;
    if (slot < 0) return;
    const { plan, address } = changed;
    const { view } = this.#maps.destinations;
    const at = slot * destination.size;
    this.#destinations[slot] = changed;
    [address.w0, address.w1, address.w2, address.w3].forEach((word, index) => {
      view.setInt32(at + destination.address + 4 * index, word);
    });
    view.setUint16(at + destination.port, changed.port);
    view.setUint16(at + destination.flags, changed.connectionFlags, true);
    view.setUint32(at + destination.weight, changed.weight, true);
    view.setUint32(at + destination.upper, plan.upperThreshold, true);
    view.setUint32(at + destination.low, Math.min(lowMark(plan), NO_LIMIT), true);
    view.setBigUint64(at + destination.key, BigInt(changed.key), true);
    view.setUint32(at + destination.isAvailable, changed.isAvailable ? 1 : 0, true);
  }

  /** All that is wanted is known: what an earlier process left becomes that, by what differs. */
  adopt(): void {
    const inherited = this.#inherited;
    if (inherited === undefined || !this.#isHeld) return;
    this.#isHeld = false;
    const awaiting = [...this.#awaiting].filter(
      (service) => this.#schedulers.has(service) && hasSlots(service),
    );
    const keys = new Set(awaiting.map((service) => textOf(this.#keyOf(service))));
    for (const { index, key } of inherited.besides(keys)) {
      deleteElement(this.#maps.services, key);
      const { first, count } = inherited.planOf(index);
      this.#lists.free(first, count);
      if (!this.#hasIndex(index)) this.#freeIndices.push(index);
    }
    for (const service of awaiting) {
      const scheduler = this.#schedulers.get(service)!;
      const isKnown = inherited.indexOf(this.#keyOf(service)) === scheduler.index;
      scheduler.adopt(
        service.destinations,
        isKnown ? inherited.planOf(scheduler.index) : undefined,
      );
    }
    for (const service of this.#awaiting) this.serviceChanged(service);
    this.#awaiting.clear();
    // What goes there is for the director, as to a removed server.
    const { view } = this.#maps.destinations;
    for (const slot of inherited.unclaimed()) {
      view.setUint32(slot * destination.size + destination.isAvailable, 0, true);
    }
  }

  /** What an earlier process knew of the destination with this number. */
  inheritedKeyOf(slot: number): number | undefined {
    return this.#inherited?.keyOf(slot);
  }

  inheritedServerOf(slot: number, family: number): OrphanedServer | undefined {
    if (this.#inherited?.unclaimed().has(slot) !== true) return undefined;
    return this.#inherited.serverOf(slot, family);
  }

  /** All of an earlier process's connections are known; to these slots some go. */
  settled(used: ReadonlySet<number>): void {
    for (const slot of this.#inherited?.unclaimed() ?? []) {
      if (!used.has(slot)) this.free({ slot });
    }
    this.#inherited = undefined;
  }

  /** Destinations that count their connections where the programs have them. */
  *counted(): Generator<readonly [slot: number, destination: Destination]> {
    for (const [slot, which] of this.#destinations.entries()) {
      if (which?.load.slot === slot) yield [slot, which];
    }
  }

  #inheritedIndex(service: VirtualService): number | undefined {
    if (!this.#isHeld) return undefined;
    return this.#inherited?.indexOf(this.#keyOf(service));
  }

  #newIndex(): number {
    return this.#freeIndices.pop() ?? this.#indexEnd++;
  }

  #hasIndex(index: number): boolean {
    return [...this.#schedulers.values()].some((each) => each.index === index);
  }

  #keyOf({ key, protocol }: VirtualService): Uint8Array {
    if (key.kind === "endpoint") this.#fillKey(key.endpoint.address, key.endpoint.port, protocol);
    return this.#key;
  }

  /** How packets get to a destination in this generation. */
  setWay(
    { slot }: DestinationLoad,
    generation: number,
    { interfaceIndex }: Route,
    mtu: number,
    linkAddresses: Uint8Array,
  ): void {
    const { view, bytes } = this.#maps.destinations;
    const at = slot * destination.size + destination.way;
    if (view.getUint32(at + way.generation, true) === generation) return;
    view.setUint32(at + way.generation, 0, true);
    writeWay(bytes, view, at, interfaceIndex, mtu, linkAddresses);
    view.setUint32(at + way.generation, generation, true);
  }

  /** Configured destinations to which the way was known in some generation, at most `limit`. */
  *reached(limit: number): Generator<Destination> {
    const { view } = this.#maps.destinations;
    let count = 0;
    for (const [slot, which] of this.#destinations.entries()) {
      if (which?.isAvailable !== true) continue;
      if (view.getUint32(slot * destination.size + destination.way, true) === 0) continue;
      if (count++ === limit) return;
      yield which;
    }
  }

  /** The host's addresses may be others. */
  addressesChanged(): void {
    for (const each of this.#listed) this.#list(each, this.#schedulers.get(each)!);
  }

  collect(told: OffloadedTraffic): void {
    const first = destination.connections / 8;
    for (const [slot, which] of this.#destinations.entries()) {
      if (which === undefined) continue;
      const at = slot * LONG_WORDS + first;
      const before = this.#collected.get(slot);
      const now = COUNTERS.map((_, index) => Number(Atomics.load(this.#counts, at + index)));
      const since = now.map((count, index) => count - (before?.[index] ?? 0));
      if (since.every((count) => count === 0)) continue;
      this.#collected.set(slot, now);
      const [connections, inPackets, inBytes, outPackets, outBytes] = since as Five;
      told(which, { connections, inPackets, inBytes, outPackets, outBytes });
    }
  }

  #list({ key, protocol }: VirtualService, { index }: KernelScheduler): void {
    if (key.kind !== "endpoint") return;
    this.#fillKey(key.endpoint.address, key.endpoint.port, protocol);
    this.#valueView.setUint32(serviceValue.index, index, true);
    const isLocal = this.isLocal(key.endpoint.address);
    this.#valueView.setUint32(serviceValue.isLocal, isLocal ? 1 : 0, true);
    updateElement(this.#maps.services, this.#key, this.#value);
  }

  #unlist(service: VirtualService): void {
    if (!this.#listed.delete(service) || service.key.kind !== "endpoint") return;
    const { address, port } = service.key.endpoint;
    this.#fillKey(address, port, service.protocol);
    deleteElement(this.#maps.services, this.#key);
  }

  #drop(service: VirtualService): void {
    this.#unlist(service);
    const scheduler = this.#schedulers.get(service);
    if (scheduler === undefined) return;
    this.#schedulers.delete(service);
    if (!this.#isHeld) this.#freeIndices.push(scheduler.index);
    scheduler[Symbol.dispose]();
  }

  #fillKey({ family, w0, w1, w2, w3 }: Address, port: number, protocol: number): void {
    const view = this.#keyView;
    [w0, w1, w2, w3].forEach((word, index) => {
      view.setInt32(serviceKey.address + 4 * index, word);
    });
    view.setUint16(serviceKey.port, port);
    view.setUint8(serviceKey.protocol, protocol);
    view.setUint8(serviceKey.family, family === "inet" ? 4 : 6);
  }
}

function hasSlots({ destinations }: VirtualService): boolean {
  return destinations.every(({ load }) => load.slot >= 0);
}

type Five = [number, number, number, number, number];

/** All of struct way but its generation. */
export function writeWay(
  bytes: Uint8Array,
  view: DataView,
  at: number,
  interfaceIndex: number,
  mtu: number,
  linkAddresses: Uint8Array,
): void {
  view.setUint32(at + way.departure, interfaceIndex, true);
  view.setUint16(at + way.mtu, Math.min(mtu, 0xffff), true);
  bytes.set(linkAddresses, at + way.linkAddresses);
}
