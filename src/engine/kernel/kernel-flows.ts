/**
 * Connections that the programs in the kernel forward, and open (bpf/director.bpf.c), and the director's part in them.
 *
 * Each has one owner, which its word in the kernel's table says: the programs, which change it with its packets and tell each
 * opening and each new state; or the director, whose packets they leave. It takes a connection whose packet comes to it, deals
 * with the packet as ever, and gives it back once that has gone out.
 */
import { randomInt } from "node:crypto";
import type { Instant } from "../../base/clock.ts";
import { type ConnectionTable, NO_CONNECTION } from "../../ipvs/connections/connection-table.ts";
import { CONNECTION_FLAG, Flow, FORWARDING, FORWARDING_MASK } from "../../ipvs/connections/flow.ts";
import { PROTOCOL } from "../../ipvs/connections/protocol-states.ts";
import { UDP_STATE } from "../../ipvs/connections/udp-state.ts";
import type { Route } from "../../ipvs/host.ts";
import type {
  Offload,
  OffloadedTraffic,
  OffloadListener,
  OffloadRules,
  Standing,
} from "../../ipvs/offload.ts";
import type { Destination } from "../../ipvs/services/destination.ts";
import type { Address } from "../../net/address.ts";
import type { DecidedPacket, ForwardedWatch } from "../flow-offload.ts";
import { MONOTONIC_CLOCK } from "../host/system/monotonic-clock.ts";
import { flowKey, news, settings, tally } from "./abi.ts";
import { Inheritance, Recount } from "./inheritance.ts";
import { EntryView, flowBytes, KernelEntries, readFlow, readReplyFlow } from "./kernel-entries.ts";
import { KernelMaps, type PinnedMapsOptions } from "./kernel-maps.ts";
import { KernelServices } from "./kernel-services.ts";
import type { Pins } from "./pins.ts";
import { ToldPackets, type ToldPacketsParts } from "./told-packets.ts";
import { reasonOf, verdictCounts } from "./verdicts.ts";

/**
 * Client's packets that the director sees of a connection that it opened for a service of its own: what ends sooner is not
 * worth giving away.
 */
const PACKETS_SEEN = 9;

/** No generation. */
const EXPECTED = 0xffff_ffff;
const GENERATION_END = 0xffff_ffff;
const EPOCH_END = 0xffff_ffff;

/** CARRIES_TCP and CARRIES_UDP in bpf/abi.h. */
export const CARRIES = { tcp: 1, udp: 2 } as const;
const CARRIES_ALL = CARRIES.tcp | CARRIES.udp;

/** Who has a connection: the director alone, the director with the programs knowing that, the programs. */
const OWNER = { nobody: 0, director: 1, kernel: 2 } as const;

export interface KernelFlowsOptions {
  readonly connectionsMax: number;
  readonly packetsSeen?: number | undefined;
  /** Connections are opened where packets arrive, before the host's firewall. */
  readonly opensOnWire?: boolean | undefined;
  /** Where programs and connections outlive the process. */
  readonly outliving?: PinnedMapsOptions | undefined;
  /** Goes on, but not as it should. */
  readonly warn?: (message: string, error?: unknown) => void;
}

/**
 * What an earlier process left at work goes on as it was until it is known what is wanted; then the director gets to know its
 * connections, and takes part.
 */
type Stage = "waiting" | "adopting" | "running";

/** An entry that is to go. `destination`: which counts it still. */
interface Unforgotten {
  readonly flow: Uint8Array;
  readonly epoch: number;
  readonly destination?: Destination | undefined;
}

export class KernelFlows implements Offload, Disposable {
  /** A new generation has begun. */
  onInvalidated: () => void = () => {};
  readonly mirror: KernelServices;
  readonly #maps: KernelMaps;
  readonly #entries: KernelEntries;
  readonly #packetsSeen: number;
  /** By connection: who has it, which it is of those that its entry has had, and how often that has changed. */
  readonly #owner: Uint8Array;
  readonly #epoch: Uint32Array;
  readonly #version: Uint8Array;
  /** The generation in which the way of its replies was told; 0 for never, EXPECTED where the programs may know it. */
  readonly #answered: Uint32Array;
  readonly #flow = new Flow();
  readonly #told = new EntryView();
  #listener!: OffloadListener;
  #rules: OffloadRules | undefined;
  #carried: number = CARRIES_ALL;
  #generation = 0;
  /** The director's own are odd. */
  #nextEpoch = 1;
  #unheard = 0;
  #full = 0;
  #mended = 0;
  #arePinsForgotten = false;
  #isTelling = false;
  /** Entries that are to go, and that the kernel has yet to let us take out. */
  readonly #unforgotten: Unforgotten[] = [];
  #stage: Stage = "running";
  /** A generation is due as soon as all is known. */
  #isDue = false;
  readonly #opensOnWire: boolean;
  #inheritance: Inheritance | undefined;
  #recount: Recount | undefined;

  /** Loads the programs. Throws a BpfError when the kernel or libbpf refuses. */
  constructor(options: KernelFlowsOptions) {
    const { connectionsMax, packetsSeen = PACKETS_SEEN, opensOnWire = false } = options;
    this.#packetsSeen = packetsSeen;
    this.#opensOnWire = opensOnWire;
    this.#maps = new KernelMaps(connectionsMax, options.outliving, options.warn);
    this.#entries = new KernelEntries(this.#maps);
    this.mirror = new KernelServices(this.#maps);
    this.mirror.onCarrying = () => {
      for (const id of this.#listener.connections()) this.#claim(id);
    };
    this.#owner = new Uint8Array(connectionsMax);
    this.#epoch = new Uint32Array(connectionsMax);
    this.#version = new Uint8Array(connectionsMax);
    this.#answered = new Uint32Array(connectionsMax);
    if (this.#maps.isInherited) {
      this.#stage = "waiting";
      this.#generation = this.#maps.settings.view.getUint32(settings.generation, true);
      // No earlier process's, or hardly ever: they tell connections of the same flow apart.
      this.#nextEpoch = (randomInt(EPOCH_END >>> 1) << 1) | 1;
      this.#nextEpoch >>>= 0;
    } else {
      this.#set("opensOnWire", opensOnWire ? 1 : 0);
      this.invalidate();
    }
  }

  get isInherited(): boolean {
    return this.#maps.isInherited;
  }

  /** Where programs and maps are kept; undefined: they end with the process. */
  get pins(): Pins | undefined {
    return this.#arePinsForgotten ? undefined : this.#maps.pins;
  }

  /** They are removed: all ends with the process from now on. */
  forgetPins(): void {
    this.#arePinsForgotten = true;
  }

  /** The program where packets arrive, and the one on the way into the lane. */
  get programs(): { readonly atCard: number; readonly atLane: number } {
    return { atCard: this.#maps.programs.at_card, atLane: this.#maps.programs.at_lane };
  }

  /** What another program has to have to be one of them. */
  get maps(): Readonly<Record<string, number>> {
    return this.#maps.shared;
  }

  /** The descriptors of the maps that connections lie in. */
  get tables(): readonly number[] {
    return this.#maps.tables;
  }

  /** Readable when much waits to be told. */
  get newsFd(): number {
    return this.#maps.newsFd;
  }

  [Symbol.dispose](): void {
    this.mirror[Symbol.dispose]();
    this.#entries[Symbol.dispose]();
    this.#maps[Symbol.dispose]();
  }

  listen(listener: OffloadListener): void {
    this.#listener = listener;
  }

  applied(hasServices: boolean): void {
    if (this.#stage !== "waiting" || !hasServices) return;
    this.#stage = "adopting";
    this.mirror.adopt();
    this.#set("opensOnWire", this.#opensOnWire ? 1 : 0);
    if (this.#rules !== undefined) this.follow(this.#rules);
  }

  standing(connections: ConnectionTable, id: number): Standing {
    const entry = this.#entries.look(connections, id);
    if (entry === undefined) return "unknown";
    const isSame =
      entry.destinationPort === connections.destinationPort(id) &&
      this.mirror.inheritedKeyOf(entry.slot) === connections.destinationKey(id);
    return isSame ? "current" : "replaced";
  }

  adopted(connections: ConnectionTable, id: number): void {
    if ((connections.flags(id) & CONNECTION_FLAG.template) !== 0) {
      this.opened(connections, id);
      return;
    }
    const entry = this.#entries.look(connections, id);
    if (entry === undefined) {
      this.opened(connections, id);
      return;
    }
    this.#owner[id] = entry.isDirectors ? OWNER.director : OWNER.kernel;
    this.#epoch[id] = entry.epoch;
    this.#answered[id] = isMasqueraded(connections, id) ? EXPECTED : 0;
    this.#moved(id, entry);
    // The programs know no server that this one goes to.
    if (this.#listener.destinationOf(id).load.slot < 0) this.take(connections, id);
  }

  settle(budget: number): boolean {
    if (this.#stage === "running") return true;
    if (this.#inheritance === undefined) {
      this.#unheard = Number(this.#maps.tally.view.getBigUint64(tally.unheard, true));
      this.#inheritance = new Inheritance({
        maps: this.#maps,
        entries: this.#entries,
        mirror: this.mirror,
        hear: (view, at, entry) => this.#hear(view, at, entry),
      });
    }
    if (!this.#inheritance.work(budget)) return false;
    this.#stage = "running";
    this.tell();
    this.#entries.pruneTemplates(this.#listener.table);
    this.#recount = new Recount(this.#maps, this.mirror, this.#listener);
    if (this.#isDue) this.invalidate();
    return true;
  }

  /** Sees, after an earlier process, that destinations count what there is. To be called from time to time. */
  recount(): void {
    if (this.#recount?.look(() => this.tell()) !== true) return;
    this.#mended = this.#recount.mended;
    this.#recount = undefined;
  }

  follow(rules: OffloadRules): void {
    this.#rules = rules;
    if (this.#stage === "waiting") return;
    const { tcp, udp, sysctls } = rules;
    const { view, bytes } = this.#maps.settings;
    this.#set("reuseMode", sysctls.conn_reuse_mode);
    this.#set("expiresNodest", sysctls.expire_nodest_conn);
    this.#set("expiresQuiescent", sysctls.expire_quiescent_template);
    this.#set("copiesDontFragment", sysctls.pmtu_disc);
    this.#set("isSloppy", sysctls.sloppy_tcp);
    this.#set("udpTimeout", udp.timeoutMs(UDP_STATE.normal));
    this.#set("activeStates", tcp.activeStates);
    for (let state = 0; state < tcp.count; state++) {
      view.setUint32(settings.timeouts + 4 * state, tcp.timeoutMs(state), true);
    }
    bytes.set(tcp.compiled, settings.states);
    this.#setCarried();
  }

  /** Which protocols' packets the host lets be forwarded here. */
  carry(carried: number): void {
    this.#carried = carried;
    if (this.#stage !== "waiting") this.#setCarried();
  }

  /** The host's addresses may be others. */
  addressesChanged(isLocal: (address: Address) => boolean): void {
    this.mirror.addressesChanged(isLocal);
  }

  /** Every packet goes through the host again, until the generation that this begins has seen its connection. */
  invalidate(): void {
    if (this.#stage !== "running") {
      this.#isDue = true;
      return;
    }
    this.#isDue = false;
    this.#generation = this.#generation + 1 === GENERATION_END ? 1 : this.#generation + 1;
    this.#set("generation", this.#generation);
    this.onInvalidated();
  }

  tell(): void {
    if (this.#maps.news.isEmpty && this.#unforgotten.length === 0) return;
    if (this.#isTelling || this.#stage !== "running") return;
    this.#isTelling = true;
    try {
      this.#forgetUnforgotten();
      this.#maps.news.drain((view, at) => {
        this.#hear(view, at + news.flow, this.#told.read(view, at + news.connection));
      });
      const unheard = Number(this.#maps.tally.view.getBigUint64(tally.unheard, true));
      if (unheard === this.#unheard || this.#walk()) this.#unheard = unheard;
    } finally {
      this.#isTelling = false;
    }
  }

  take(connections: ConnectionTable, id: number): boolean {
    if (this.#owner[id] !== OWNER.kernel) return true;
    const entry = this.#entries.take(connections, id);
    // It stays the programs', and its next packet asks again.
    if (this.#entries.wasRefused) return true;
    if (entry === undefined || entry.epoch !== this.#epoch[id]) return false;
    this.#owner[id] = OWNER.director;
    this.#moved(id, entry);
    return true;
  }

  opened(connections: ConnectionTable, id: number): void {
    if (isTemplate(connections, id)) {
      const { slot } = this.#listener.destinationOf(id).load;
      if (slot >= 0) this.#entries.setTemplate(connections, id, slot);
    } else if (this.mirror.isCarrying) {
      this.#claim(id);
    }
  }

  /** How packets get to a destination now, before one of them asks. */
  tellWay(destination: Destination, route: Route, linkAddresses: Uint8Array): void {
    const mtu = destination.mtuOf(route);
    this.mirror.setWay(destination.load, this.#generation, route, mtu, linkAddresses);
  }

  /** The director sent a whole packet of this connection on, and it went out. */
  learn(packet: DecidedPacket): void {
    const { connections, connection: id, direction, route, arrival, linkAddresses, mtu } = packet;
    const destination = this.#listener.destinationOf(id);
    if (isSingle(connections, id)) {
      if (direction === "client") this.#setWay(destination, route, mtu, linkAddresses);
      return;
    }
    if (!isForwarded(connections, id) || this.#owner[id] === OWNER.kernel) return;
    if (!this.mirror.carries(destination.service)) {
      if (connections.inPackets(id) < this.#packetsSeen) return;
    }
    const generation = this.#generation;
    if (direction === "client") {
      this.#setWay(destination, route, mtu, linkAddresses);
      this.#give(id, { generation, arrival });
    } else if (isMasqueraded(connections, id)) {
      if (this.#answered[id] !== generation && !this.#isBothWays(connections, id)) {
        const departure = route.interfaceIndex;
        const way = { generation, arrival, departure, mtu, linkAddresses };
        this.#entries.setReply(connections, id, way);
        this.#answered[id] = generation;
      }
      this.#give(id, undefined);
    }
  }

  #setWay(destination: Destination, route: Route, mtu: number, linkAddresses: Uint8Array): void {
    if (destination.load.slot < 0) return;
    const fitting = Math.min(mtu, destination.pathMtu);
    this.mirror.setWay(destination.load, this.#generation, route, fitting, linkAddresses);
  }

  lastSeen(connections: ConnectionTable, id: number): Instant {
    const none = Number.NEGATIVE_INFINITY as Instant;
    if (this.#owner[id] !== OWNER.kernel) return none;
    const entry = this.#entries.look(connections, id);
    // Nobody knows; it is asked again when its time would be over.
    if (this.#entries.wasRefused) return MONOTONIC_CLOCK.now();
    if (entry === undefined || entry.epoch !== this.#epoch[id]) return none;
    connections.setInPackets(id, entry.packets);
    connections.setTimeoutMs(id, entry.timeoutMs);
    return entry.seen;
  }

  release(connections: ConnectionTable, id: number): boolean {
    if (isTemplate(connections, id)) {
      this.#entries.removeTemplate(connections, id);
      return true;
    }
    const owner = this.#owner[id];
    if (owner === OWNER.nobody) return true;
    const entry = this.#entries.forget(connections, id, this.#epoch[id]!);
    const { wasRefused } = this.#entries;
    if (wasRefused) {
      this.#unforgotten.push({ flow: flowBytes(connections, id), epoch: this.#epoch[id]! });
    }
    if (this.#answered[id] !== 0) this.#entries.removeReply(connections, id);
    this.#owner[id] = OWNER.nobody;
    this.#answered[id] = 0;
    if (entry !== undefined) connections.setFlags(id, entry.flags);
    return entry !== undefined || wasRefused || owner === OWNER.director;
  }

  collect(told: OffloadedTraffic): void {
    this.mirror.collect(told);
  }

  /** Tells of packets that go on without the director, until what this returns is disposed of. Throws a SystemCallError. */
  watch(told: ForwardedWatch, neighbourOf: ToldPacketsParts["neighbourOf"]): Disposable {
    const destinationIdOf = (slot: number): number => this.mirror.at(slot)?.id ?? NO_CONNECTION;
    return new ToldPackets({ maps: this.#maps, reasonOf, destinationIdOf, neighbourOf }, told);
  }

  /** Where packets left the programs, what they opened, and what was not told or given for want of room. */
  reasons(): Readonly<Record<string, number>> {
    const { view } = this.#maps.tally;
    return {
      ...verdictCounts(this.#maps.verdicts),
      ...this.#maps.reasons(),
      "kernel-opened": Number(view.getBigUint64(tally.opened, true)),
      "kernel-news-lost": Number(view.getBigUint64(tally.unheard, true)),
      "kernel-flows-full": this.#full,
      "kernel-counts-mended": this.#mended,
    };
  }

  #set(name: keyof typeof settings, value: number): void {
    this.#maps.settings.view.setUint32(settings[name], value, true);
  }

  #setCarried(): void {
    const rules = this.#rules;
    const isFiltered = rules === undefined || rules.sysctls.conntrack !== 0;
    const carried = isFiltered ? 0 : this.#carried;
    this.#set("carried", carried);
    const isHeld = rules?.isOpeningHeld === true || !this.mirror.isWhole;
    this.#set("opened", isHeld ? 0 : carried);
  }

  /** A connection is new, or in a new state. */
  #hear(view: DataView, at: number, entry: EntryView): void {
    const listener = this.#listener;
    const destination = this.mirror.at(entry.slot) ?? this.#orphan(view, at, entry.slot);
    const flow = readFlow(this.#flow, view, at);
    const id = listener.known(flow);
    if (id !== NO_CONNECTION && this.#epoch[id] === entry.epoch && this.#owner[id] !== 0) {
      const isNewer = (entry.version - this.#version[id]!) << 24 > 0;
      if (isNewer && this.#owner[id] === OWNER.kernel) this.#moved(id, entry);
      return;
    }
    // Its entry is this one's now; what its server sends may be, too.
    if (id !== NO_CONNECTION) {
      const { table } = listener;
      const isSameServer =
        table.destinationPort(id) === entry.destinationPort &&
        listener.destinationOf(id) === destination;
      if (isSameServer) this.#answered[id] = 0;
      listener.replaced(id);
    }
    const opened =
      destination === undefined
        ? NO_CONNECTION
        : listener.opened(readFlow(this.#flow, view, at), entry.with(destination));
    if (opened === NO_CONNECTION) {
      const flow = new Uint8Array(view.buffer, view.byteOffset + at, flowKey.size);
      this.#forget({ flow, epoch: entry.epoch, destination });
      return;
    }
    this.#owner[opened] = OWNER.kernel;
    this.#epoch[opened] = entry.epoch;
    this.#version[opened] = entry.version;
    this.#answered[opened] = isMasqueraded(listener.table, opened) ? EXPECTED : 0;
    if (destination!.load.slot >= 0) return;
    destination!.bind(entry.flags);
    this.take(listener.table, opened);
  }

  /** What stands for a server that an earlier process knew, and that is not configured any more. */
  #orphan(view: DataView, at: number, slot: number): Destination | undefined {
    const family = view.getUint8(at + flowKey.family);
    const server = this.mirror.inheritedServerOf(slot, family);
    return server && this.#listener.orphan(server);
  }

  /** Some news had no place: all that there is is looked at. False when the kernel did not let us. */
  #walk(): boolean {
    for (const each of this.#entries.all()) {
      if (each !== undefined) this.#hear(each.view, each.at, each.entry);
      else if (this.#entries.wasRefused) return false;
    }
    return true;
  }

  /** Takes out an entry that nobody here has a connection of. */
  #forget({ flow, epoch, destination }: Unforgotten): void {
    const ended = this.#entries.forgetFlow(flow, epoch);
    if (this.#entries.wasRefused) {
      this.#unforgotten.push({ flow: flow.slice(), epoch, destination });
    } else if (ended !== undefined) {
      destination?.unbind(ended.flags);
    }
  }

  /** What the kernel refused to take out is tried again, until it refuses once more. */
  #forgetUnforgotten(): void {
    for (let each = this.#unforgotten.pop(); each !== undefined; each = this.#unforgotten.pop()) {
      this.#forget(each);
      if (this.#entries.wasRefused) return;
    }
  }

  #moved(id: number, entry: EntryView): void {
    this.#version[id] = entry.version;
    this.#listener.moved(id, entry.with(this.#listener.destinationOf(id)));
  }

  /** Whether what the connection's server sends is what a client of another connection sends, too. */
  #isBothWays(connections: ConnectionTable, id: number): boolean {
    return this.#listener.known(readReplyFlow(this.#flow, connections, id)) !== NO_CONNECTION;
  }

  /** The programs know from now on that the connection is the director's, and do not open it as some service's. */
  #claim(id: number): void {
    if (this.#owner[id] !== OWNER.nobody || !isForPrograms(this.#listener.table, id)) return;
    this.#put(id, true, undefined);
  }

  #give(id: number, admission: { generation: number; arrival: number } | undefined): void {
    this.#put(id, false, admission);
  }

  #put(
    id: number,
    isDirectors: boolean,
    admission: { generation: number; arrival: number } | undefined,
  ): void {
    const { table } = this.#listener;
    const { slot } = this.#listener.destinationOf(id).load;
    if (slot < 0 && !isDirectors) return;
    if (this.#owner[id] === OWNER.nobody) {
      this.#epoch[id] = this.#nextEpoch;
      this.#nextEpoch = this.#nextEpoch >= EPOCH_END - 1 ? 1 : this.#nextEpoch + 2;
    }
    const version = (this.#version[id]! + 1) & 0xff;
    const entry = { epoch: this.#epoch[id]!, version, isDirectors };
    // Where the director's go nobody asks.
    if (!this.#entries.give(table, id, Math.max(slot, 0), entry, admission)) {
      if (!this.#entries.wasRefused) this.#full++;
      return;
    }
    this.#version[id] = version;
    this.#owner[id] = isDirectors ? OWNER.director : OWNER.kernel;
  }
}

/** It has ended with the packet that it was made for, and its record says still what it was. */
function isSingle(connections: ConnectionTable, id: number): boolean {
  return (connections.flags(id) & CONNECTION_FLAG.onePacket) !== 0;
}

/** One that is found by its client's address. */
function isTemplate(connections: ConnectionTable, id: number): boolean {
  const flags = connections.flags(id) & (CONNECTION_FLAG.template | CONNECTION_FLAG.data);
  return flags === CONNECTION_FLAG.template;
}

function isMasqueraded(connections: ConnectionTable, id: number): boolean {
  return (connections.flags(id) & FORWARDING_MASK) === FORWARDING.masquerade;
}

/** Whether the programs can do what the connection's packets need. */
function isForwarded(connections: ConnectionTable, id: number): boolean {
  if (!isForPrograms(connections, id)) return false;
  const flags = connections.flags(id);
  const method = flags & FORWARDING_MASK;
  if (method === FORWARDING.masquerade) return true;
  // Where servers' answers come by here, too, the director has to see them.
  const isOneWay = (flags & CONNECTION_FLAG.noOutput) !== 0;
  return isOneWay && (method === FORWARDING.route || method === FORWARDING.tunnel);
}

/** Whether the programs would meet the connection, or open it in their own way. */
function isForPrograms(connections: ConnectionTable, id: number): boolean {
  const flags = connections.flags(id);
  const protocol = connections.protocol(id);
  if (protocol !== PROTOCOL.tcp && protocol !== PROTOCOL.udp) return false;
  return (flags & (CONNECTION_FLAG.template | CONNECTION_FLAG.onePacket)) === 0;
}
