/**
 * Services as the programs know them: destinations with their loads and counters, lists of them, whose turn it is.
 *
 * New connections of some they can schedule; of the others they know the destinations, because connections go there. A
 * connection is counted, and whose turn it is is decided, in their memory: there is one place for it, whoever opens the
 * connection.
 */
import type { ServiceKey, ServicePlan } from "../../ipvs/desired/service.ts";
import type { Route } from "../../ipvs/host.ts";
import type { OffloadedTraffic } from "../../ipvs/offload.ts";
import type { Scheduler } from "../../ipvs/schedulers/scheduler.ts";
import { type Destination, lowMark } from "../../ipvs/services/destination.ts";
import { DestinationLoad } from "../../ipvs/services/destination-load.ts";
import type { OrphanedServer } from "../../ipvs/services/orphan.ts";
import type { ServiceMirror } from "../../ipvs/services/service-table.ts";
import type { VirtualService } from "../../ipvs/services/virtual-service.ts";
import type { Address } from "../../net/address.ts";
import { FTP_PORT } from "../../net/port.ts";
import { destination, way } from "./abi.ts";
import { InheritedServices, textOf } from "./inherited-services.ts";
import { DESTINATIONS_MAX, type KernelMaps, SERVICES_MAX } from "./kernel-maps.ts";
import { KernelScheduler, MEMBERS_PER_SERVICE, SLOTS } from "./kernel-scheduler.ts";
import { KernelTunnels } from "./kernel-tunnels.ts";
import { deleteElement } from "./libbpf.ts";
import { ListedServices } from "./listed-services.ts";
import { MemberLists } from "./member-lists.ts";
import { ORDERS } from "./orders.ts";

const NO_LIMIT = 0xffff_ffff;
const COUNTERS = ["connections", "inPackets", "inBytes", "outPackets", "outBytes"] as const;
const WORDS = destination.size / 4;
const LONG_WORDS = destination.size / 8;

/** Whether the programs can open a service's connections as the director would. */
function isCarried({ key, ...plan }: ServicePlan): boolean {
  return (
    isFoundByKey(key, plan.persistence !== undefined) &&
    plan.persistenceEngine === undefined &&
    !(plan.onePacket && plan.persistence !== undefined) &&
    ORDERS[plan.scheduler] !== undefined &&
    plan.destinations.length <= MEMBERS_PER_SERVICE
  );
}

/** Whether nothing but its key decides whether a connection is a service's: only a persistent one takes all ports. */
function isFoundByKey(key: ServiceKey, isPersistent: boolean): boolean {
  if (key.kind === "mark") return true;
  const { port } = key.endpoint;
  return key.protocol !== "sctp" && port !== FTP_PORT && (port !== 0 || isPersistent);
}

export class KernelServices implements ServiceMirror, Disposable {
  /** From now on some service's connections are opened by the programs, and none's were before. */
  onCarrying: () => void = () => {};
  readonly #maps: KernelMaps;
  readonly #lists: MemberLists;
  readonly #tunnels: KernelTunnels;
  readonly #words: Int32Array;
  readonly #counts: BigUint64Array;
  /** As they were when they were collected. */
  readonly #collected = new Map<number, number[]>();
  readonly #destinations: (Destination | undefined)[] = [];
  readonly #freeSlots: number[] = [];
  /** Those that are carried, or are about to be. */
  readonly #schedulers = new Map<VirtualService, KernelScheduler>();
  readonly #listed: ListedServices;
  readonly #freeIndices: number[] = [];
  #indexEnd = 0;
  /** What an earlier process left, until all of it has been gone on with or let go of. */
  #inherited: InheritedServices | undefined;
  /** What is wanted is not known yet: what an earlier process left goes on as it was. */
  #isHeld = false;
  readonly #awaiting = new Set<VirtualService>();

  constructor(maps: KernelMaps) {
    this.#maps = maps;
    this.#lists = new MemberLists(maps.members);
    this.#listed = new ListedServices(maps);
    this.#tunnels = new KernelTunnels(maps.tunnels);
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
    return this.#listed.carries(service);
  }

  /** Whether the programs open connections of any service. */
  get isCarrying(): boolean {
    return this.#listed.isCarrying;
  }

  /** Whether the programs can tell whose each connection is. */
  get isWhole(): boolean {
    return this.#listed.isWhole;
  }

  schedulerOf(service: VirtualService): Scheduler<Destination> | undefined {
    const before = this.#schedulers.get(service);
    const { scheduler: name, schedulerFlags: flags } = service.plan;
    const isSame = before?.name === name && before.flags === flags;
    // Another list stands before the one in force goes, but for mh's, which is emptied first.
    const count = SLOTS[name] ?? service.plan.destinations.length;
    const hasRoom = (isSame && name === "mh") || this.#lists.hasRoom(count);
    if (!hasRoom || !isCarried(service.plan)) {
      this.#drop(service);
      return undefined;
    }
    if (isSame) return before;
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
    before?.[Symbol.dispose]();
    this.#schedulers.set(service, scheduler);
    return scheduler;
  }

  serviceChanged(service: VirtualService): void {
    if (this.#isHeld) {
      this.#awaiting.add(service);
      return;
    }
    const scheduler = hasSlots(service) ? this.#schedulers.get(service) : undefined;
    scheduler?.settle();
    if (scheduler !== undefined && !this.isCarrying) this.onCarrying();
    this.#listed.set(service, scheduler?.index);
  }

  serviceRemoved(service: VirtualService): void {
    this.#awaiting.delete(service);
    this.#listed.remove(service);
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
    view.setUint32(at + destination.isDrained, plan.drain === undefined ? 0 : 1, true);
    this.#tunnels.set(slot, changed);
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
    const keys = new Set([...this.#awaiting].map((each) => textOf(this.#listed.keyOf(each))));
    for (const { index, key } of inherited.besides(keys)) {
      deleteElement(this.#maps.services, key);
      if (index >= SERVICES_MAX) continue;
      const { first, count } = inherited.planOf(index);
      this.#lists.free(first, count);
      if (!this.#hasIndex(index)) this.#freeIndices.push(index);
    }
    for (const service of awaiting) {
      const scheduler = this.#schedulers.get(service)!;
      const isKnown = inherited.indexOf(this.#listed.keyOf(service)) === scheduler.index;
      scheduler.adopt(
        service.destinations,
        isKnown ? inherited.planOf(scheduler.index) : undefined,
      );
    }
    this.#listed.together(() => {
      for (const service of this.#awaiting) this.serviceChanged(service);
    });
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
    return this.#inherited?.indexOf(this.#listed.keyOf(service));
  }

  #newIndex(): number {
    return this.#freeIndices.pop() ?? this.#indexEnd++;
  }

  #hasIndex(index: number): boolean {
    return [...this.#schedulers.values()].some((each) => each.index === index);
  }

  /** How packets get to a destination in this generation. */
  setWay(
    { slot }: DestinationLoad,
    generation: number,
    { interfaceIndex, source }: Route,
    mtu: number,
    linkAddresses: Uint8Array,
  ): void {
    const { view, bytes } = this.#maps.destinations;
    const at = slot * destination.size + destination.way;
    if (view.getUint32(at + way.generation, true) === generation) return;
    view.setUint32(at + way.generation, 0, true);
    writeWay(bytes, view, at, interfaceIndex, mtu, linkAddresses);
    this.#tunnels.setSource(slot, source);
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
  addressesChanged(isLocal: (address: Address) => boolean): void {
    this.#listed.isLocal = isLocal;
    this.#listed.addressesChanged();
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

  #drop(service: VirtualService): void {
    const scheduler = this.#schedulers.get(service);
    if (scheduler === undefined) return;
    if (this.carries(service)) this.#listed.set(service, undefined);
    this.#schedulers.delete(service);
    if (!this.#isHeld) this.#freeIndices.push(scheduler.index);
    scheduler[Symbol.dispose]();
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
