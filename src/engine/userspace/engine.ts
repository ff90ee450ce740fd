/**
 * The engine without BPF: packet sockets around the director (ipvs/director.ts). A packet's way is in packet-path.ts; here
 * is what goes on around it: the desired state, time, listings of services; those of connections are in
 * connection-inquiries.ts, and what is opened before is in opening.ts.
 */
import { randomBytes } from "node:crypto";
import { Pauses } from "../../base/pauses.ts";
import type { DesiredState } from "../../ipvs/desired/desired-state.ts";
import { familyOf, type ServiceKey, type ServicePlan } from "../../ipvs/desired/service.ts";
import type { Sysctls } from "../../ipvs/desired/sysctls.ts";
import { Director } from "../../ipvs/director.ts";
import type { FirstPacket } from "../../ipvs/explain/first-packet.ts";
import type { Ended } from "../../ipvs/inquiry/ending.ts";
import type { ConnectionFilter } from "../../ipvs/inquiry/filter.ts";
import type { ConnectionSummary, SummaryOptions } from "../../ipvs/inquiry/summary.ts";
import type { Destination } from "../../ipvs/services/destination.ts";
import type { Counters, Rates } from "../../ipvs/services/statistics.ts";
import { type ConnectionStatus, type ServiceStatus, serviceStatus } from "../../ipvs/status.ts";
import { IP_VERSION } from "../../net/ip-family.ts";
import type { Condition, Engine, Load } from "../engine.ts";
import type { FlowOffload } from "../flow-offload.ts";
import type { HostNetwork } from "../host/host-network.ts";
import type { NeighbourNews } from "../host/neighbour-table.ts";
import { MONOTONIC_CLOCK } from "../host/system/monotonic-clock.ts";
import { ToldOnce, troubleName } from "../host/told-once.ts";
import type { PacketWatch, TraceOptions } from "../trace.ts";
import type { ConnectionFile } from "./connection-file.ts";
import { ConnectionInquiries } from "./connection-inquiries.ts";
import type { Door } from "./door/door.ts";
import type { Stand } from "./door/door-words.ts";
import { readSeen } from "./door/seen-packets.ts";
import { TakenPackets } from "./door/taken-packets.ts";
import { Examiner } from "./examiner.ts";
import { inlineThePacketPath } from "./inlining.ts";
import {
  CONNECTIONS_MAX,
  type EngineParts,
  openParts,
  type UserspaceEngineOptions,
} from "./opening.ts";
import { inWords, outlivesItsEnd } from "./outliving.ts";
import { PacketPath } from "./packet-path.ts";
import { PathMtuLearner } from "./path-mtu-learner.ts";
import { Pulse } from "./pulse.ts";
import type { Watches } from "./trace/watches.ts";

/** The kernel's own number of rows, which listings show as `size`. */
const CONNECTION_TABLE_SIZE = 4096;

const CLOCK = MONOTONIC_CLOCK;

const STANDS: Readonly<Record<Stand, string>> = {
  hooks: "at netfilter's hooks, behind the host's firewall",
  wire: "on the wire, before the host's firewall, which does not apply: this kernel's nftables cannot duplicate packets",
};

const UNLEARNT = "the host does not learn the MTU of tunnels' paths";
const BUG = "a packet or a timer failed in a way that it should not, and is given up";

export class UserspaceEngine implements Engine {
  readonly name: string;
  readonly connectionTableSize = CONNECTION_TABLE_SIZE;
  readonly #director: Director;
  readonly #offload: FlowOffload | undefined;
  readonly #network: HostNetwork;
  readonly #door: Door;
  readonly #taken: TakenPackets;
  readonly #claim: Disposable;
  readonly #file: ConnectionFile | undefined;
  readonly #path: PacketPath;
  readonly #pathMtuLearner: PathMtuLearner;
  readonly #examiner: Examiner;
  readonly #inquiries: ConnectionInquiries;
  readonly #troubles: ToldOnce;
  readonly #pulse: Pulse;
  /** Who watches packets; loaded when somebody does. */
  #watches: Watches | undefined;
  #isOpen = true;
  /** What runs in the kernel goes on at its end: for the grace, or until the next one. */
  readonly #outlives: boolean;
  /** What a process before us left is ours, and what it left behind has ended. */
  #hasSucceeded = false;

  private constructor(
    { network, door, claim, file }: EngineParts,
    { connectionsMax = CONNECTIONS_MAX, events, offload, outliving }: UserspaceEngineOptions,
  ) {
    this.#outlives = outliving !== undefined && outlivesItsEnd(outliving);
    this.name = offload?.name ?? "userspace";
    this.#offload = offload;
    this.#network = network;
    this.#door = door;
    this.#claim = claim;
    this.#file = file;
    this.#taken = new TakenPackets({
      take: (added, removed) => door.take(added, removed),
      isLocal: (address) => network.isLocal(address),
      destinationsInUse: () => this.#destinationsInUse(),
      onError: (error) =>
        events.warn("not all is taken from the host as it should be, trying again", error),
    });
    this.#troubles = new ToldOnce((name, error) => {
      const what = name.startsWith("tunnel-mtu") ? UNLEARNT : BUG;
      events.warn(`${what} (counted as ${name})`, error);
    });
    const key = randomBytes(8);
    this.#director = new Director({
      host: network,
      limit: connectionsMax,
      hashKey: [key.readInt32LE(0), key.readInt32LE(4)],
      memory: file?.memory,
      onAdopted: (adopted) => events.inform(inWords(adopted)),
      offload: offload?.flows,
    });
    using stack = new DisposableStack();
    this.#path = stack.use(
      new PacketPath({
        director: this.#director,
        network,
        door,
        clock: CLOCK,
        offload,
        onBug: (error) => this.#bug(error),
      }),
    );
    this.#pathMtuLearner = stack.use(
      new PathMtuLearner((error) => this.#troubles.count(troubleName("tunnel-mtu", error), error)),
    );
    this.#examiner = new Examiner({
      network,
      services: () => this.#plans(),
      seen: async (families) =>
        door.place.stand === "hooks" ? readSeen(families, door.place) : undefined,
    });
    this.#inquiries = new ConnectionInquiries({
      director: this.#director,
      path: this.#path,
      clock: CLOCK,
    });
    this.#pulse = new Pulse({
      director: this.#director,
      path: this.#path,
      clock: CLOCK,
      onBug: (error) => this.#bug(error),
    });
    stack.move();
  }

  /** Opens the engine in the current network namespace. Throws when the host refuses, with the reason. */
  static async open(options: UserspaceEngineOptions): Promise<UserspaceEngine> {
    inlineThePacketPath();
    await using stack = new AsyncDisposableStack();
    if (options.offload !== undefined) stack.use(options.offload);
    let engine: UserspaceEngine | undefined;
    const parts = await openParts(options, stack, {
      onChange: () => {
        if (engine !== undefined) engine.#networkChanged();
      },
      onNeighbour: (news) => {
        if (engine !== undefined) engine.#neighbourChanged(news);
      },
      onNeighbours: () => {
        if (engine !== undefined) engine.#neighboursChanged();
      },
    });
    const { door, network } = parts;
    options.offload?.follow(network);
    const opened = new UserspaceEngine(parts, options);
    stack.move();
    try {
      await door.stands();
      // What changed meanwhile was told nobody.
      engine = opened;
      opened.#networkChanged();
      await door.watch(network.links);
      options.offload?.begin();
      door.own();
    } catch (error) {
      await opened[Symbol.asyncDispose]();
      throw error;
    }
    return opened;
  }

  async apply(...steps: DesiredState[]): Promise<void> {
    await this.#taken.during(steps, () => this.#lead(steps));
    this.#succeed(steps.at(-1)?.services.size ?? 0);
  }

  /** Now that packets are taken: goes on with what a process before us left. */
  #succeed(services: number): void {
    if (this.#hasSucceeded) return;
    // Its tables lead into the same lane, and what they bring is not the host's.
    if (services === 0 && this.#door.isInherited) return;
    this.#director.adopt();
    this.#pulse.beat();
    // Those that come later find their packets dropped as long as the grace lasts: so no connection of theirs is reset.
    if (services === 0) return;
    this.#hasSucceeded = true;
    this.#file?.keepers.endEarlier();
  }

  /** The director through the steps; packets come in between. */
  async #lead(steps: readonly DesiredState[]): Promise<void> {
    this.#director.check(...steps);
    const pauses = new Pauses();
    for (const step of steps) {
      await pauses.ifDue();
      this.#director.apply(step);
      this.#pathMtuLearner.follow(step);
    }
  }

  async services(): Promise<readonly ServiceStatus[]> {
    const statuses: ServiceStatus[] = [];
    const pauses = new Pauses();
    for (const service of this.#director.services.services()) {
      statuses.push(serviceStatus(service));
      await pauses.ifDue();
    }
    return statuses;
  }

  connections(filter: ConnectionFilter = {}): AsyncGenerator<ConnectionStatus> {
    return this.#inquiries.list(filter);
  }

  countConnections(filter: ConnectionFilter, options: SummaryOptions): Promise<ConnectionSummary> {
    return this.#inquiries.count(filter, options);
  }

  endConnections(filter: ConnectionFilter): AsyncGenerator<Ended> {
    return this.#inquiries.end(filter);
  }

  async totals(): Promise<{ counters: Counters; rates: Rates }> {
    const { counters, rates } = this.#director.services.total;
    return { counters, rates };
  }

  async zero(key: ServiceKey | undefined): Promise<void> {
    this.#director.zero(key);
  }

  async sysctls(): Promise<Sysctls> {
    return this.#director.sysctls;
  }

  async reasons(): Promise<Readonly<Record<string, number>>> {
    const counts: Record<string, number> = {
      ...this.#director.reasons(),
      ...this.#path.reasons(),
      ...this.#network.troubles(),
      ...this.#door.reasons(),
      ...this.#troubles.counts(),
    };
    // What goes on goes on for the same reasons, whoever sends it.
    for (const [reason, count] of Object.entries(this.#offload?.reasons() ?? {})) {
      counts[reason] = (counts[reason] ?? 0) + count;
    }
    return counts;
  }

  async load(): Promise<Load> {
    const { table } = this.#director.connections;
    const now = CLOCK.now();
    const expiryLagMs = Math.max(0, now - (table.nextDeadline() ?? now));
    return { connections: table.size, connectionsMax: table.limit, expiryLagMs };
  }

  async explain(packet: FirstPacket, change?: (state: DesiredState) => DesiredState) {
    this.#director.connections.hear();
    const { explain } = await import("../../ipvs/explain/explain.ts");
    const { firstPacket } = await import("../../ipvs/explain/first-packet.ts");
    const network = this.#network;
    const said = explain(this.#director, firstPacket(packet), network, CLOCK.now(), change);
    const interfaceName = network.links.get(said.sent?.interfaceIndex ?? -1)?.name;
    return { ...said, interfaceName };
  }

  async trace(options: TraceOptions): Promise<PacketWatch> {
    const { Watches } = await import("./trace/watches.ts");
    this.#watches ??= new Watches({
      director: this.#director,
      network: this.#network,
      clock: CLOCK,
      offload: this.#offload,
      tap: (tap) => {
        this.#path.tap = tap;
      },
    });
    return this.#watches.open(options);
  }

  async condition(): Promise<Condition> {
    const { list, omitted } = await this.#examiner.examine();
    const { size, limit } = this.#director.connections.table;
    const taken = STANDS[this.#door.place.stand];
    return {
      stand: (await this.#offload?.stand(taken)) ?? taken,
      cards: this.#offload?.cards ?? [],
      connections: size,
      connectionsMax: limit,
      findings: list,
      findingsOmitted: omitted,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#inquiries[Symbol.dispose]();
    this.#watches?.[Symbol.dispose]();
    this.#pulse[Symbol.dispose]();
    this.#examiner[Symbol.dispose]();
    this.#path[Symbol.dispose]();
    this.#pathMtuLearner[Symbol.dispose]();
    // Where nothing is kept, nothing can go on.
    const leaves = this.#outlives && this.#offload?.pins !== undefined;
    if (leaves) this.#offload?.leave();
    this.#offload?.[Symbol.dispose]();
    this.#network[Symbol.dispose]();
    this.#taken[Symbol.dispose]();
    if (leaves) this.#door.leave();
    await this.#door[Symbol.asyncDispose]();
    this.#file?.[Symbol.dispose]();
    this.#claim[Symbol.dispose]();
  }

  #networkChanged(): void {
    if (!this.#isOpen) return;
    this.#path.networkChanged();
    this.#offload?.follow(this.#network);
    this.#taken.addressesChanged();
    void this.#door.watch(this.#network.links);
  }

  *#plans(): Generator<ServicePlan> {
    for (const { plan } of this.#director.services.services()) yield plan;
  }

  #neighbourChanged(news: NeighbourNews): void {
    if (!this.#isOpen) return;
    this.#path.neighbourChanged(news);
    this.#offload?.follow(this.#network);
  }

  #neighboursChanged(): void {
    if (!this.#isOpen) return;
    this.#path.neighboursChanged();
    this.#offload?.follow(this.#network);
  }

  /** Those whose connections the director still deals with: without a service of a family, with none of it. */
  *#destinationsInUse(): Generator<Destination> {
    const { services } = this.#director;
    for (const destination of services.inUse()) {
      if (services.has(IP_VERSION[familyOf(destination.service.key)])) yield destination;
    }
  }

  /** Something failed that should not; what it was about is lost, the rest goes on. */
  #bug(error: unknown): void {
    this.#troubles.count(troubleName("bug", error), error);
  }
}
