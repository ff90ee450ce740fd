/**
 * Services as the programs know them: destinations with their loads and counters, lists of them, whose turn it is.
 *
 * New connections of some they can schedule; of the others they know the destinations, because connections go there. A
 * connection is counted, and whose turn it is is decided, in their memory: there is one place for it, whoever opens the
 * connection.
 */
import type { Route } from "../../ipvs/host.ts";
import type { Scheduler } from "../../ipvs/schedulers/scheduler.ts";
import { type Destination, lowMark } from "../../ipvs/services/destination.ts";
import {
  DestinationLoad,
  type DestinationLoadParts,
} from "../../ipvs/services/destination-load.ts";
import type { OrphanedServer } from "../../ipvs/services/orphan.ts";
import type { OffloadedTraffic, ServiceMirror } from "../../ipvs/services/service-table.ts";
import { seedOf, type VirtualService } from "../../ipvs/services/virtual-service.ts";
import type { Address } from "../../net/address.ts";
import { destination, playMatches } from "./abi.ts";
import { tellAnswering } from "./answering-servers.ts";
import { hasSlots, isCarried } from "./carrying.ts";
import { DestinationCounts } from "./destination-counts.ts";
import { DestinationWays } from "./destination-ways.ts";
import { FreeNumbers } from "./free-numbers.ts";
import { InheritedServices, textOf } from "./inherited-services.ts";
import { DESTINATIONS_MAX, type KernelMaps, SERVICES_MAX } from "./kernel-maps.ts";
import { KernelScheduler, SchedulerQuestions, SLOTS } from "./kernel-scheduler.ts";
import { KernelTunnels } from "./kernel-tunnels.ts";
import { deleteElement, Question } from "./libbpf.ts";
import { ListedServices } from "./listed-services.ts";
import { MemberLists } from "./member-lists.ts";
import { countsDecide } from "./rules.ts";

const NO_LIMIT = 0xffff_ffff;
const WORDS = destination.size / 4;
/** RULES_SHIFT and RULES_MASK in bpf/tree.h, of a seat's upper word. */
const SEAT_RULES_SHIFT = 4;
const SEAT_RULES_MASK = 0x7f;

export class KernelServices implements ServiceMirror, Disposable {
  /** From now on some service's connections are opened by the programs, and none's were before. */
  onCarrying: () => void = () => {};
  readonly #maps: KernelMaps;
  readonly #lists: MemberLists;
  readonly #tunnels: KernelTunnels;
  readonly #words: Int32Array;
  readonly #counts: DestinationCounts;
  readonly #ways: DestinationWays;
  readonly #seats: Uint32Array;
  readonly #matches = new Question(playMatches.size);
  readonly #questions = new SchedulerQuestions();
  /** What all loads have in common. */
  readonly #memory: Pick<DestinationLoadParts, "words" | "onChanged">;
  readonly #destinations: (Destination | undefined)[] = [];
  readonly #slots = new FreeNumbers(DESTINATIONS_MAX);
  /** Those that are carried, or are about to be. */
  readonly #schedulers = new Map<VirtualService, KernelScheduler>();
  readonly #listed: ListedServices;
  readonly #indices = new FreeNumbers(SERVICES_MAX);
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
    this.#counts = new DestinationCounts(buffer);
    this.#ways = new DestinationWays(maps.destinations);
    this.#seats = new Uint32Array(maps.seats.bytes.buffer);
    this.#memory = {
      words: this.#words,
      onChanged: (slot, isDecisive) => this.#playMatches(slot, isDecisive),
    };
    if (maps.isInherited) this.#inherit(new InheritedServices(maps));
  }

  /** Slots and indices that an earlier process used are nobody else's. */
  #inherit(inherited: InheritedServices): void {
    this.#inherited = inherited;
    this.#isHeld = true;
    const indices = inherited.indices();
    this.#slots.reserve(inherited.slots());
    this.#indices.reserve(indices);
    this.#lists.reserve([...indices].map((index) => inherited.planOf(index)));
  }

  [Symbol.dispose](): void {
    for (const scheduler of this.#schedulers.values()) scheduler[Symbol.dispose]();
    this.#matches[Symbol.dispose]();
    this.#questions[Symbol.dispose]();
  }

  /** A destination is loaded otherwise: who of its service's is the least loaded now is decided anew (bpf/tree.h). */
  #playMatches(slot: number, isDecisive: boolean): void {
    const rules = (this.#seats[slot * 2 + 1]! >>> SEAT_RULES_SHIFT) & SEAT_RULES_MASK;
    if (rules === 0 || !(isDecisive || countsDecide(rules))) return;
    this.#matches.view.setUint32(playMatches.destination, slot, true);
    this.#maps.ask(this.#matches, "play_matches");
  }

  take(key?: () => number): DestinationLoad {
    const inherited = key && this.#isHeld ? this.#inherited?.claim(key()) : undefined;
    if (inherited !== undefined) {
      this.#ways.inherit(inherited);
      const at = inherited * WORDS + destination.active / 4;
      return new DestinationLoad({ ...this.#memory, at, slot: inherited, isInherited: true });
    }
    const slot = this.#slots.take();
    if (slot === undefined) return new DestinationLoad();
    this.#destinations[slot] = undefined;
    this.#words.fill(0, slot * WORDS, (slot + 1) * WORDS);
    this.#ways.forget(slot);
    this.#counts.forget(slot);
    const at = slot * WORDS + destination.active / 4;
    return new DestinationLoad({ ...this.#memory, at, slot });
  }

  free({ slot }: Pick<DestinationLoad, "slot">): void {
    if (slot < 0) return;
    if (this.#isHeld) {
      this.#inherited?.release(slot);
      return;
    }
    this.#destinations[slot] = undefined;
    this.#maps.destinations.view.setBigUint64(slot * destination.size + destination.key, 0n, true);
    this.#slots.giveBack(slot);
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
    if (isSame) {
      before.room = count;
      return before;
    }
    const index = before?.index ?? this.#inheritedIndex(service) ?? this.#indices.take();
    if (index === undefined) return undefined;
    const scheduler = new KernelScheduler({
      maps: this.#maps,
      lists: this.#lists,
      questions: this.#questions,
      index,
      name,
      flags,
      seed: seedOf(service.keyText),
      destinationAt: (slot) => this.#destinations[slot],
      isHeld: () => this.#isHeld,
    });
    scheduler.room = count;
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
    if (plan.forwarding.kind === "masquerade") tellAnswering(this.#maps.settings, address.fold);
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

  pathNarrowed({ load: { slot }, pathMtu }: Destination): void {
    if (slot >= 0) this.#ways.narrow(slot, pathMtu);
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
      this.#lists.free(inherited.planOf(index));
      if (!this.#hasIndex(index)) this.#indices.giveBack(index);
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

  /** Whether a configured destination goes on with what an earlier process counted there. */
  isInherited(key: number): boolean {
    const slot = this.#inherited?.slotOf(key);
    return slot !== undefined && this.#destinations[slot]?.load.isInherited === true;
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
  *counted(): Generator<Destination> {
    for (const [slot, which] of this.#destinations.entries()) {
      if (which?.load.slot === slot) yield which;
    }
  }

  #inheritedIndex(service: VirtualService): number | undefined {
    if (!this.#isHeld) return undefined;
    return this.#inherited?.indexOf(this.#listed.keyOf(service));
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
    if (this.#ways.isKnownIn(generation, slot)) return;
    const tell = (): void => this.#tunnels.setSource(slot, source);
    this.#ways.set(slot, generation, interfaceIndex, mtu, linkAddresses, tell);
  }

  /** Configured destinations to which the way was known in some generation, at most `limit`. */
  *reached(limit: number): Generator<Destination> {
    let count = 0;
    for (const slot of this.#ways.known) {
      const which = this.#destinations[slot];
      if (which?.isAvailable !== true) continue;
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
    for (const which of this.#destinations) {
      if (which !== undefined) this.collectOf(which, told);
    }
  }

  collectOf(which: Destination, told: OffloadedTraffic): void {
    this.#counts.tell(which, told);
  }

  #drop(service: VirtualService): void {
    const scheduler = this.#schedulers.get(service);
    if (scheduler === undefined) return;
    if (this.carries(service)) this.#listed.set(service, undefined);
    this.#schedulers.delete(service);
    if (!this.#isHeld) this.#indices.giveBack(scheduler.index);
    scheduler[Symbol.dispose]();
  }
}
