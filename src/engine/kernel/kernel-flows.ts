/**
 * Connections that the programs in the kernel forward, and open (bpf/director.bpf.c), and the director's part in them: who has which
 * (ownership.ts), what the programs tell (kernel-news.ts), by what they go (kernel-rules.ts), and what an earlier process left
 * (inheritance.ts, recount.ts).
 */
import { randomInt } from "node:crypto";
import type { Instant } from "../../base/clock.ts";
import { type ConnectionTable, NO_CONNECTION } from "../../ipvs/connections/connection-table.ts";
import { CONNECTION_FLAG, FORWARDING, FORWARDING_MASK } from "../../ipvs/connections/flow.ts";
import type { Route } from "../../ipvs/host.ts";
import type { Offload, OffloadListener, OffloadRules, Standing } from "../../ipvs/offload.ts";
import type { Destination } from "../../ipvs/services/destination.ts";
import type { OffloadedTraffic } from "../../ipvs/services/service-table.ts";
import type { Address } from "../../net/address.ts";
import type { DecidedPacket, ForwardedWatch } from "../flow-offload.ts";
import { tally } from "./abi.ts";
import { Inheritance } from "./inheritance.ts";
import { KernelEntries } from "./kernel-entries.ts";
import { KernelMaps } from "./kernel-maps.ts";
import { KernelNews } from "./kernel-news.ts";
import { KernelRules } from "./kernel-rules.ts";
import { KernelServices } from "./kernel-services.ts";
import type { BpfParts } from "./libbpf.ts";
import type { PinnedMapsOptions } from "./loading.ts";
import { isForPrograms, isMasqueraded, Ownership } from "./ownership.ts";
import type { Pins } from "./pins.ts";
import { Recount } from "./recount.ts";
import { ToldPackets, type ToldPacketsParts } from "./told-packets.ts";
import { reasonOf, verdictCounts } from "./verdicts.ts";

/**
 * Client's packets that the director sees of a connection that it opened for a service of its own: what ends sooner is not
 * worth giving away.
 */
const PACKETS_SEEN = 9;

const EPOCHS = 0x7fff_ffff;

export interface KernelFlowsOptions {
  readonly connectionsMax: number;
  readonly packetsSeen?: number | undefined;
  /** Connections are opened where packets arrive, before the host's firewall. */
  readonly opensOnWire?: boolean | undefined;
  /** Where programs and connections outlive the process. */
  readonly outliving?: PinnedMapsOptions | undefined;
  /** Where nothing outlives the process: programs with their maps, as a load leaves them, if they are not to be loaded. */
  readonly passing?: (() => BpfParts) | undefined;
  /** Goes on, but not as it should. */
  readonly warn?: (message: string, error?: unknown) => void;
}

/**
 * What an earlier process left at work goes on as it was until it is known what is wanted; then the director gets to know its
 * connections, and takes part.
 */
type Stage = "waiting" | "adopting" | "running";

export class KernelFlows implements Offload, Disposable {
  /** A new generation has begun. */
  onInvalidated: () => void = () => {};
  readonly mirror: KernelServices;
  readonly #maps: KernelMaps;
  readonly #entries: KernelEntries;
  readonly #ownership: Ownership;
  readonly #news: KernelNews;
  readonly #rules: KernelRules;
  readonly #packetsSeen: number;
  readonly #opensOnWire: boolean;
  #listener!: OffloadListener;
  #mended = 0;
  #arePinsForgotten = false;
  #stage: Stage = "running";
  /** A generation is due as soon as all is known. */
  #isDue = false;
  #inheritance: Inheritance | undefined;
  #recount: Recount | undefined;

  /** Loads the programs. Throws a BpfError when the kernel or libbpf refuses. */
  constructor(options: KernelFlowsOptions) {
    const { connectionsMax, packetsSeen = PACKETS_SEEN, opensOnWire = false } = options;
    this.#packetsSeen = packetsSeen;
    this.#opensOnWire = opensOnWire;
    const maps = new KernelMaps(connectionsMax, options.outliving, options.warn, options.passing);
    const entries = new KernelEntries(maps);
    const mirror = new KernelServices(maps);
    // No earlier process's, or hardly ever: they tell connections of the same flow apart.
    const firstEpoch = maps.isInherited ? randomInt(EPOCHS) * 2 + 1 : 1;
    const ownership = new Ownership({ entries, connectionsMax, firstEpoch });
    this.#news = new KernelNews({ maps, entries, mirror, ownership });
    this.#rules = new KernelRules({ maps, connectionsMax, isWhole: () => mirror.isWhole });
    mirror.onCarrying = () => {
      for (const id of this.#listener.connections()) ownership.claim(id);
    };
    this.#maps = maps;
    this.#entries = entries;
    this.mirror = mirror;
    this.#ownership = ownership;
    if (maps.isInherited) {
      this.#stage = "waiting";
    } else {
      this.#rules.setOpensOnWire(opensOnWire);
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

  /** Connections in the programs' table that have not come about yet. */
  get halfOpen(): number {
    return this.#maps.tally.view.getInt32(tally.halfOpen, true);
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
    this.#ownership.listen(listener);
    this.#news.listen(listener);
  }

  applied(hasServices: boolean): void {
    if (this.#stage !== "waiting" || !hasServices) return;
    this.#stage = "adopting";
    this.mirror.adopt();
    this.#rules.setOpensOnWire(this.#opensOnWire);
    this.#rules.enforce();
  }

  standing(connections: ConnectionTable, id: number): Standing {
    const entry = this.#entries.look(connections, id);
    if (entry === undefined) return this.#hasEnded(connections, id) ? "replaced" : "unknown";
    const isSame =
      entry.destinationPort === connections.destinationPort(id) &&
      this.mirror.inheritedKeyOf(entry.slot) === connections.destinationKey(id);
    return isSame ? "current" : "replaced";
  }

  adopted(connections: ConnectionTable, id: number): void {
    const isTemplate = (connections.flags(id) & CONNECTION_FLAG.template) !== 0;
    const entry = isTemplate ? undefined : this.#entries.look(connections, id);
    if (entry === undefined) {
      this.opened(connections, id);
      return;
    }
    this.#ownership.adopt(id, entry);
    // The programs know no server that this one goes to.
    if (this.#listener.destinationOf(id).load.slot < 0) this.take(connections, id);
  }

  settle(budget: number): boolean {
    if (this.#stage === "running") return true;
    if (this.#inheritance === undefined) {
      this.#news.beginAnew();
      this.#inheritance = new Inheritance({
        maps: this.#maps,
        entries: this.#entries,
        mirror: this.mirror,
        hear: (view, at, entry) => this.#news.hear(view, at, entry),
      });
    }
    if (!this.#inheritance.work(budget)) return false;
    this.#stage = "running";
    this.tell();
    this.#entries.pruneTemplates(this.#listener.table);
    this.#recount = new Recount({
      table: this.#listener.table,
      news: this.#maps.news,
      counted: () => this.mirror.counted(),
    });
    if (this.#isDue) this.invalidate();
    return true;
  }

  /** Sees, after an earlier process, that destinations count what there is. To be called from time to time. */
  recount(): void {
    if (this.#recount?.look(() => this.tell()) !== true) return;
    this.#mended = this.#recount.mended;
    this.#recount[Symbol.dispose]();
    this.#recount = undefined;
  }

  /** To be called from time to time: while it is, the director ends connections, and else the programs do. */
  attend(forMs?: number): void {
    this.#rules.attend(forMs);
  }

  follow(rules: OffloadRules): void {
    this.#rules.follow(rules);
    if (this.#stage !== "waiting") this.#rules.enforce();
  }

  /** Which protocols' packets are forwarded where they arrive: the host's rules see those of others, each. */
  forwardAtCard(protocols: number): void {
    this.#rules.forwardAtCard(protocols);
    if (this.#stage !== "waiting") this.#rules.enforceCarried();
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
    this.#rules.beginGeneration();
    this.onInvalidated();
  }

  tell(): void {
    if (this.#stage === "running") this.#news.tell();
  }

  take(connections: ConnectionTable, id: number): boolean {
    return this.#ownership.take(connections, id);
  }

  opened(connections: ConnectionTable, id: number): void {
    if (isFoundTemplate(connections, id)) {
      const { slot } = this.#listener.destinationOf(id).load;
      if (slot >= 0) this.#entries.setTemplate(connections, id, slot);
    } else if (this.mirror.isCarrying) {
      this.#ownership.claim(id);
    }
  }

  /** How packets get to a destination now, before one of them asks. */
  tellWay(destination: Destination, route: Route, linkAddresses: Uint8Array): void {
    const mtu = destination.mtuOf(route);
    this.mirror.setWay(destination.load, this.#rules.generation, route, mtu, linkAddresses);
  }

  /** The director sent a whole packet of this connection on, and it went out. */
  learn(packet: DecidedPacket): void {
    const { connections, connection: id, direction, route, arrival, linkAddresses, mtu } = packet;
    const destination = this.#listener.destinationOf(id);
    const isFromClient = direction === "client";
    if (isSingle(connections, id)) {
      if (isFromClient) this.#setWay(destination, route, mtu, linkAddresses);
      return;
    }
    if (!isForwarded(connections, id) || this.#ownership.isKernels(id)) return;
    if (!this.mirror.carries(destination.service)) {
      if (connections.inPackets(id) < this.#packetsSeen) return;
    }
    const { generation } = this.#rules;
    if (isFromClient) {
      this.#setWay(destination, route, mtu, linkAddresses);
      this.#ownership.give(id, { generation, arrival });
    } else if (isMasqueraded(connections, id)) {
      const departure = route.interfaceIndex;
      this.#ownership.tellReply(id, { generation, arrival, departure, mtu, linkAddresses });
      this.#ownership.give(id, undefined);
    }
  }

  #setWay(destination: Destination, route: Route, mtu: number, linkAddresses: Uint8Array): void {
    if (destination.load.slot < 0) return;
    const fitting = Math.min(mtu, destination.pathMtu);
    const { generation } = this.#rules;
    this.mirror.setWay(destination.load, generation, route, fitting, linkAddresses);
  }

  lastSeen(connections: ConnectionTable, id: number): Instant {
    return this.#ownership.lastSeen(connections, id);
  }

  release(connections: ConnectionTable, id: number): boolean {
    if (!isFoundTemplate(connections, id)) return this.#ownership.release(connections, id);
    this.#entries.removeTemplate(connections, id);
    return true;
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
      "kernel-flows-full": this.#ownership.full,
      "kernel-counts-mended": this.#mended,
      "kernel-expired": Number(view.getBigUint64(tally.expired, true)),
    };
  }

  /** Whether the programs ended a connection of an earlier process's, which they no longer know. */
  #hasEnded(connections: ConnectionTable, id: number): boolean {
    if (this.#maps.tally.view.getBigUint64(tally.expired, true) === 0n) return false;
    return (
      this.mirror.isCarrying &&
      isForPrograms(connections, id) &&
      this.mirror.isInherited(connections.destinationKey(id))
    );
  }
}

/** It has ended with the packet that it was made for, and its record says still what it was. */
function isSingle(connections: ConnectionTable, id: number): boolean {
  return (connections.flags(id) & CONNECTION_FLAG.onePacket) !== 0;
}

/** One that is found by its client's address. */
function isFoundTemplate(connections: ConnectionTable, id: number): boolean {
  const flags = connections.flags(id) & (CONNECTION_FLAG.template | CONNECTION_FLAG.data);
  return flags === CONNECTION_FLAG.template;
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
