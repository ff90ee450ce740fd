/**
 * The director: a packet comes in, and what becomes of it comes out, with a reason.
 *
 * Pure: the clock is handed in, the host is asked through an interface, and whoever owns the director moves the
 * bytes. The kernel's ip_vs_in_hook(), ip_vs_out_hook() and ip_vs_forward_icmp() in ip_vs_core.c are its model.
 */
import type { Instant } from "../base/clock.ts";
import { IP_PROTOCOL } from "../net/ip-protocol.ts";
import { ConnectionOpener } from "./connection-opener.ts";
import { ConnectionTable, NO_CONNECTION } from "./connections/connection-table.ts";
import type { HashKey } from "./connections/flow-hash.ts";
import type { TableMemory } from "./connections/table-memory.ts";
import { Defence } from "./defence/defence.ts";
import type { DesiredState } from "./desired/desired-state.ts";
import { LbError } from "./desired/errors.ts";
import { formatServiceKey, type ServiceKey } from "./desired/service.ts";
import { serviceChanges } from "./desired/service-changes.ts";
import type { Sysctls } from "./desired/sysctls.ts";
import { Endings } from "./endings.ts";
import { IcmpRelay } from "./forward/icmp-relay.ts";
import { Refusals } from "./forward/refusals.ts";
import { Replies } from "./forward/replies.ts";
import { Transmitter } from "./forward/transmit.ts";
import type { Host } from "./host.ts";
import { Incoming } from "./incoming.ts";
import type { Offload } from "./offload.ts";
import { Outgoing } from "./outgoing.ts";
import { Gathering } from "./packets/gathering.ts";
import { type Outcome, OutcomeSlot } from "./packets/outcome.ts";
import type { Packet } from "./packets/packet.ts";
import { type Reason, ReasonCounters, type Yielding } from "./packets/reasons.ts";
import { SCHEDULERS } from "./schedulers/index.ts";
import { ESTIMATION_INTERVAL_MS } from "./services/rate-estimator.ts";
import { Round } from "./services/round.ts";
import { ServiceTable } from "./services/service-table.ts";
import type { VirtualService } from "./services/virtual-service.ts";
import type { Witness, WitnessStand } from "./trace/witness.ts";
import { type Adopted, Adoption } from "./tracking/adoption.ts";
import { Tracker } from "./tracking/tracker.ts";

/** How often schedulers' caches and the trash are looked after. */
const HOUSEKEEPING_INTERVAL_MS = 1_000;

/** When less than so many parts of the table are free, each new connection's place is looked at: table-shares.ts. */
const CROWDED_PARTS = 8;

/** drop_packet's modes from which it drops: 2 and 3. */
const DROPPING = 2;

export interface DirectorOptions {
  readonly host: Host;
  /** Connections at most. */
  readonly limit: number;
  /** Random: makes the connection table's hash unpredictable from outside. */
  readonly hashKey: HashKey;
  /** Who forwards packets of connections that were decided about; undefined: every packet comes here. */
  readonly offload?: Offload | undefined;
  /**
   * Where connections lie. To those that an earlier process left there packets are dropped until adopt() was called and
   * has done its work; `onAdopted` is told then.
   */
  readonly memory?: TableMemory | undefined;
  readonly onAdopted?: ((adopted: Adopted) => void) | undefined;
}

export class Director {
  readonly services: ServiceTable;
  readonly connections: Tracker;
  readonly #reasons = new ReasonCounters();
  readonly #outcome = new OutcomeSlot();
  readonly #gathering = new Gathering();
  readonly #incoming: Incoming;
  readonly #outgoing: Outgoing;
  readonly #icmp: IcmpRelay;
  readonly #defence: Defence;
  readonly #offload: Offload | undefined;
  readonly #stand: WitnessStand = { witness: undefined };
  readonly #onAdopted: DirectorOptions["onAdopted"];
  /** While there are connections of an earlier process to be taken over. */
  #adoption: Adoption | undefined;
  readonly #estimation: Round;
  readonly #housekeeping: Round;
  readonly #rounds: readonly Round[];
  #housekeptAt = 0;
  #nextEstimation = 0;
  #nextHousekeeping = 0;

  constructor({ host, limit, hashKey, memory, onAdopted, offload }: DirectorOptions) {
    this.#offload = offload;
    const table = new ConnectionTable({
      limit,
      hashKey,
      memory,
      lastSeen: offload && ((connections, id) => offload.lastSeen(connections, id)),
    });
    const defence = new Defence(host, () => table.size / limit, hashKey[0]);
    this.#defence = defence;
    const read = (): Sysctls => defence.sysctls;
    this.services = new ServiceTable(read, offload?.mirror);
    this.connections = new Tracker(table, this.services, hashKey[1], offload);
    this.#onAdopted = onAdopted;
    if (table.inherited.next(NO_CONNECTION) !== NO_CONNECTION || offload?.isInherited === true) {
      this.#adoption = new Adoption(this.connections, this.services);
    }
    const services = (): IterableIterator<VirtualService> => this.services.services();
    this.#estimation = new Round({ services, visit: estimate });
    this.#housekeeping = new Round({
      services,
      visit: (service) => keepHouse(service, this.#housekeptAt),
    });
    this.#rounds = [this.#estimation, this.#housekeeping];
    const { ends } = this.connections;
    const refusals = new Refusals(host);
    const ways = { host, connections: ends, refusals, sysctls: read };
    const transmitter = new Transmitter(ways);
    const parts = {
      host,
      services: this.services,
      tracker: this.connections,
      transmitter,
      endings: new Endings(this.connections, transmitter),
      replies: new Replies(ways),
      refusals,
      defence,
      sysctls: read,
      stand: this.#stand,
    };
    const opener = new ConnectionOpener(parts);
    this.#incoming = new Incoming(parts, opener);
    this.#outgoing = new Outgoing(parts, opener);
    this.#icmp = new IcmpRelay(parts, opener);
  }

  /**
   * Makes services, timeouts and sysctls equal to `desired`, at the cost of what differs. Connections stay. Throws
   * LbError, and then nothing has changed.
   */
  apply(desired: DesiredState): void {
    this.check(desired);
    this.connections.progress.timeouts = desired.timeouts;
    this.#defence.apply(desired.sysctls);
    this.connections.progress.secureTcp = this.#defence.isSecureTcp;
    this.#offload?.tell();
    const hasRemoved = this.services.apply(desired);
    this.#adoption?.servicesChanged();
    if (hasRemoved && this.sysctls.expire_nodest_conn !== 0) this.connections.expireUnavailable();
    this.#leadOffload();
    this.#offload?.applied(desired.services.size > 0);
    this.#offload?.invalidate();
  }

  /** Throws LbError for the one thing that states, however they were made, could ask for and nobody has. */
  check(...steps: DesiredState[]): void {
    let before = this.services.applied;
    for (const { services } of steps) {
      for (const { after } of serviceChanges(before, services)) {
        if (after === undefined || Object.hasOwn(SCHEDULERS, after.scheduler)) continue;
        throw new LbError({ code: "no-such-scheduler", service: after.key, name: after.scheduler });
      }
      before = services;
    }
  }

  /** The services are there: connections of an earlier process, if there are any, are adopted from now on by expire(). */
  adopt(): void {
    this.#adoption?.begin();
  }

  /** Is told how connections come about from now on; undefined: nobody is. */
  set witness(witness: Witness | undefined) {
    this.#stand.witness = witness;
  }

  /** The knobs as they are now: a defence's mode 1 turns itself into 2 while memory is short, and back. */
  get sysctls(): Sysctls {
    return this.#defence.sysctls;
  }

  /**
   * Decides about one packet, which may be rewritten where it lies. The outcome is good until the next call. Never
   * throws for what a packet says.
   */
  receive(packet: Packet, now: Instant): Outcome {
    this.#offload?.tell();
    const outcome = this.#isAwaited(packet, now)
      ? this.#await(packet)
      : this.#decide(packet, this.#outcome, now);
    this.#reasons.count(outcome.reason);
    return outcome;
  }

  /**
   * Packets follow that came together. `isPressed`: there are more than can be dealt with, and what opens connections
   * gives way to what belongs to one.
   */
  beginBatch(isPressed: boolean): void {
    this.#defence.beginBatch(isPressed);
  }

  /** Counts a packet that could not even be parsed. It is the host's. */
  malformed(): Outcome {
    const outcome = this.#outcome.pass("pass-malformed");
    this.#reasons.count(outcome.reason);
    return outcome;
  }

  /** Work that time brings, at most `budget` connections of it. True when there is more to do at once. */
  expire(now: Instant, budget: number): boolean {
    this.#offload?.tell();
    if (now >= this.#nextEstimation) {
      // A late call (a busy daemon) does not shift the rounds that follow.
      const missed = Math.floor((now - this.#nextEstimation) / ESTIMATION_INTERVAL_MS);
      this.#nextEstimation += (missed + 1) * ESTIMATION_INTERVAL_MS;
      this.#beginEstimation();
    }
    if (now >= this.#nextHousekeeping) {
      this.#nextHousekeeping = now + HOUSEKEEPING_INTERVAL_MS;
      this.#defence.update();
      this.connections.progress.secureTcp = this.#defence.isSecureTcp;
      if (this.#defence.isDroppingEntries) this.connections.dropSome();
      this.services.expire(now);
      this.#gathering.expire(now);
      this.#leadOffload();
      this.#housekeptAt = now;
      this.#housekeeping.begin();
    }
    for (const round of this.#rounds) round.work(budget);
    const hasMore = this.#isBusy();
    if (this.#adoption !== undefined) return this.#adopt(this.#adoption, now, budget) || hasMore;
    return this.connections.expire(now, budget) || hasMore;
  }

  #isBusy(): boolean {
    return this.#rounds.some(({ isBusy }) => isBusy);
  }

  /** When expire() wants to be called next. */
  nextDeadline(): Instant {
    if (this.#isBusy()) return 0 as Instant;
    const connections = this.connections.nextDeadline() ?? Number.POSITIVE_INFINITY;
    return Math.min(connections, this.#nextEstimation, this.#nextHousekeeping) as Instant;
  }

  /** Restarts the counters of one service with its destinations, or of everything: ipvsadm -Z. */
  zero(key: ServiceKey | undefined): void {
    const wanted = key === undefined ? undefined : formatServiceKey(key);
    if (wanted !== undefined && this.services.get(wanted) === undefined) {
      throw new LbError({ code: "no-such-service", service: key! });
    }
    if (wanted === undefined) this.services.total.zero();
    for (const service of this.services.services()) {
      if (wanted !== undefined && service.keyText !== wanted) continue;
      service.traffic.zero();
      for (const destination of service.destinations) destination.traffic.zero();
    }
  }

  /** How many packets left for which reason, and how many entries gave way to new ones. */
  reasons(): Record<Reason | Yielding, number> {
    return { ...this.#reasons.snapshot(), ...this.connections.room.gaveWay() };
  }

  /** While run_estimation is 0 all that listings show stands still: estimation_timer(). */
  #beginEstimation(): void {
    this.#offload?.collect(this.services.countOffloaded);
    if (this.sysctls.run_estimation === 0) return;
    this.services.total.estimate();
    this.#estimation.begin();
  }

  /** Tells the offload by what it goes: the knobs may have turned themselves, and the table filled up. */
  #leadOffload(): void {
    const { progress, table } = this.connections;
    const { drop_packet } = this.sysctls;
    // One service alone may have an eighth of what is free, and a defence draws lots.
    const isCrowded = table.size * CROWDED_PARTS > table.limit * (CROWDED_PARTS - 1);
    this.#offload?.follow({
      tcp: progress.states.tcp,
      udp: progress.states.udp,
      sysctls: this.sysctls,
      isOpeningHeld: isCrowded || drop_packet >= DROPPING || this.#isAdoptionWaitedFor(),
    });
  }

  /** An offload that is inherited knows all connections of the services whose connections it opens. */
  #isAdoptionWaitedFor(): boolean {
    return this.#adoption !== undefined && this.#offload?.isInherited !== true;
  }

  /** Whether the packet's connection may be one that is not adopted yet: its sender will send it again. */
  #isAwaited(packet: Packet, now: Instant): boolean {
    if (this.#adoption === undefined) return false;
    if (packet.isFragment || !this.connections.progress.balances(packet.protocol)) return true;
    if (this.connections.find(packet, now) !== NO_CONNECTION) return false;
    return this.connections.findReply(packet, now) === NO_CONNECTION;
  }

  #await(packet: Packet): Outcome {
    this.#outcome.packet = packet;
    return this.#outcome.drop("drop-adopting");
  }

  /** True when there is more to do at once. */
  #adopt(adoption: Adoption, now: Instant, budget: number): boolean {
    if (!adoption.work(now, budget)) return adoption.hasBegun;
    this.#adoption = undefined;
    this.#leadOffload();
    if (this.sysctls.expire_nodest_conn !== 0) this.connections.expireUnavailable();
    this.#onAdopted?.(adoption.result);
    return true;
  }

  #decide(packet: Packet, outcome: OutcomeSlot, now: Instant): OutcomeSlot {
    outcome.packet = packet;
    const isFromWire = packet.hook === "wire";
    if (isFromWire && !packet.isUnicast) return outcome.pass("pass-not-unicast");
    if (!this.services.has(packet.family)) return outcome.pass("pass-no-services");
    if (isFromWire && packet.isSourceMartian) return outcome.pass("pass-martian-source");
    if (packet.isFragment) return this.#gather(packet, outcome, now);
    switch (packet.protocol) {
      case IP_PROTOCOL.tcp:
      case IP_PROTOCOL.udp:
      case IP_PROTOCOL.sctp:
        return this.#outgoing.receive(packet, outcome, now) ?? this.#request(packet, outcome, now);
      case IP_PROTOCOL.icmp:
      case IP_PROTOCOL.icmpv6:
        return this.#icmp.receive(packet, outcome, now);
      default:
        return outcome.pass("pass-not-balanced");
    }
  }

  /** What no server sent. At FORWARD the kernel looks at replies alone. */
  #request(packet: Packet, outcome: OutcomeSlot, now: Instant): OutcomeSlot {
    if (packet.hook === "forward") return outcome.pass("pass-not-local");
    return this.#incoming.receive(packet, outcome, now);
  }

  /** Fragments of services' packets are kept until they are whole. */
  #gather(packet: Packet, outcome: OutcomeSlot, now: Instant): OutcomeSlot {
    if (!this.services.concern(packet)) return outcome.pass("pass-fragment");
    const whole = this.#gathering.add(packet, now);
    if (whole === "incomplete") return outcome.hold("hold-fragment");
    if (whole === "malformed") return outcome.pass("pass-malformed");
    return this.#decide(whole, outcome, now);
  }
}

function estimate({ traffic, destinations }: VirtualService): void {
  traffic.estimate();
  for (const destination of destinations) destination.traffic.estimate();
}

function keepHouse({ scheduler, destinations }: VirtualService, now: number): void {
  scheduler.tick?.(now);
  for (const destination of destinations) destination.expirePathMtu(now);
}
