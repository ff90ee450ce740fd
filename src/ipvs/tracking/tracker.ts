/**
 * The life of connections: found, opened, moved on by each packet, given up, expired; and what listings tell of them.
 *
 * Joins the table (connections/) with the destinations that entries count on: ip_vs_conn.c.
 */
import type { Instant } from "../../base/clock.ts";
import { IP_VERSION } from "../../net/ip-family.ts";
import { ConnectionEnds } from "../connections/connection-ends.ts";
import { type ConnectionTable, NO_CONNECTION } from "../connections/connection-table.ts";
import { Binding, CONNECTION_FLAG, Flow } from "../connections/flow.ts";
import {
  assuresTemplate,
  CONTROLLING_MS,
  NEW_CONNECTION_MS,
  PROTOCOL,
  ProtocolStates,
  TEMPLATE_STATE,
  templateStateName,
} from "../connections/protocol-states.ts";
import { DIRECTION, type StateMachine } from "../connections/state-machine.ts";
import { UDP_STATE } from "../connections/udp-state.ts";
import { EntryDropper } from "../defence/entry-dropper.ts";
import { WAY, wayOf } from "../defence/holding.ts";
import { TableShares } from "../defence/table-shares.ts";
import { DEFAULT_TIMEOUTS, type Timeouts } from "../desired/service.ts";
import type { Offload } from "../offload.ts";
import type { Opening } from "../packets/opening.ts";
import type { Packet } from "../packets/packet.ts";
import { eventOf, NO_EVENT } from "../packets/packet-event.ts";
import type { Reason, Yielding } from "../packets/reasons.ts";
import type { Destination } from "../services/destination.ts";
import type { ServiceTable } from "../services/service-table.ts";
import type { VirtualService } from "../services/virtual-service.ts";
import { Abandoned } from "./abandoned.ts";
import { ReplySources } from "./reply-sources.ts";

export class Tracker {
  readonly table: ConnectionTable;
  readonly ends: ConnectionEnds;
  readonly #services: ServiceTable;
  readonly #offload: Offload | undefined;
  readonly #flow = new Flow();
  readonly #binding = new Binding();
  readonly #dropper: EntryDropper;
  readonly #abandoned: Abandoned;
  readonly #shares: TableShares;
  readonly #replySources = new ReplySources();
  readonly #decide = (id: number): number => this.#expire(id);
  /** Why there was no room for the last entry that found none. */
  refusal: Reason = "drop-table-full";
  #gaveWayHalfOpen = 0;
  #gaveWayEnded = 0;
  #timeouts: Timeouts = DEFAULT_TIMEOUTS;
  #secureTcp = false;
  #states = new ProtocolStates(DEFAULT_TIMEOUTS, { secureTcp: false });

  constructor(table: ConnectionTable, services: ServiceTable, seed: number, offload?: Offload) {
    this.#offload = offload;
    this.table = table;
    this.ends = new ConnectionEnds(table);
    this.#services = services;
    this.#shares = new TableShares(table);
    this.#abandoned = new Abandoned({
      table,
      isGone: (id) => this.isGone(id),
      giveUp: (id) => this.giveUp(id),
      abandon: () => services.abandonRemoved(),
    });
    this.#dropper = new EntryDropper({
      table,
      seed,
      isOnePacket: (id) => this.#destinationOf(id).service.plan.onePacket,
      drop: (id) => this.#drop(id),
    });
  }

  get timeouts(): Timeouts {
    return this.#timeouts;
  }

  /** Timers that run keep running; each connection's next packet brings the new time. */
  set timeouts(timeouts: Timeouts) {
    if (timeouts === this.#timeouts) return;
    this.#timeouts = timeouts;
    this.#states = new ProtocolStates(timeouts, { secureTcp: this.#secureTcp });
  }

  /** Whether TCP goes by the table against SYN floods. States that connections have stay. */
  set secureTcp(secureTcp: boolean) {
    if (secureTcp === this.#secureTcp) return;
    this.#secureTcp = secureTcp;
    this.#states = new ProtocolStates(this.#timeouts, { secureTcp });
  }

  /** The connection of a client's packet. */
  find(packet: Packet, now: Instant): number {
    return this.findByClient(this.#fromClient(packet), now);
  }

  /** As the table's, but not one that was given up: that is forgotten now, because none of these controls others. */
  findByClient(flow: Flow, now: Instant): number {
    const id = this.table.findByClient(flow, now);
    if (id === NO_CONNECTION || !this.isGone(id)) return id;
    this.#abandoned.forget(id);
    return this.findByClient(flow, now);
  }

  /** As the table's, but not one that was given up: that is forgotten now. */
  findByReply(flow: Flow, now: Instant): number {
    const id = this.table.findByReply(flow, now);
    if (id === NO_CONNECTION || !this.isGone(id)) return id;
    this.#abandoned.forget(id);
    return this.findByReply(flow, now);
  }

  /** The connection that this packet answers in. */
  findReply(packet: Packet, now: Instant): number {
    const fold = packet.source0 ^ packet.source1 ^ packet.source2 ^ packet.source3;
    if (!this.#replySources.has(fold, packet.sourcePort)) return NO_CONNECTION;
    const flow = this.#flow;
    flow.family = packet.family;
    flow.protocol = packet.protocol;
    flow.client0 = packet.destination0;
    flow.client1 = packet.destination1;
    flow.client2 = packet.destination2;
    flow.client3 = packet.destination3;
    flow.clientPort = packet.destinationPort;
    flow.virtual0 = packet.source0;
    flow.virtual1 = packet.source1;
    flow.virtual2 = packet.source2;
    flow.virtual3 = packet.source3;
    flow.virtualPort = packet.sourcePort;
    return this.findByReply(flow, now);
  }

  /**
   * Whether the table has room for one more entry of `service`, if need be because another gives way; else `refusal` says
   * why. To be asked before each entry, and then enter() to be told of it.
   */
  makeRoom({ holding }: VirtualService): boolean {
    const { table } = this;
    const shares = this.#shares;
    if (shares.admits(holding, !this.#services.hasSeveral)) return true;
    const id = shares.findYielding(holding);
    if (id === NO_CONNECTION) {
      this.refusal = table.size < table.limit ? "drop-service-share" : "drop-table-full";
      return false;
    }
    if (shares.way(id) === WAY.halfOpen) this.#gaveWayHalfOpen++;
    else this.#gaveWayEnded++;
    this.giveUp(id);
    return true;
  }

  /** An entry was added to the table for `destination`. */
  enter(id: number, destination: Destination): void {
    const { table } = this;
    const flags = table.flags(id);
    destination.bind(flags);
    const isTemplate = (flags & CONNECTION_FLAG.template) !== 0;
    const way = isTemplate
      ? WAY.none
      : wayOf(table.protocol(id), table.state(id), table.inPackets(id));
    this.#shares.enter(id, destination.service.holding, way);
  }

  /** Keeps an entry from giving way: what is under way needs it. */
  hold(id: number): void {
    this.#shares.setWay(id, WAY.none);
  }

  /** A template may give way as long as it controls nothing and never led to a conversation. */
  release(template: number): void {
    const { table } = this;
    if (table.controlledCount(template) > 0) return;
    if (table.state(template) === TEMPLATE_STATE.assured) return;
    if ((table.flags(template) & CONNECTION_FLAG.template) === 0) return;
    this.#shares.setWay(template, WAY.halfOpen);
  }

  /** How many entries gave way to new connections. */
  gaveWay(): Record<Yielding, number> {
    return { "gave-way-half-open": this.#gaveWayHalfOpen, "gave-way-ended": this.#gaveWayEnded };
  }

  /** A new connection of a client's first packet, or NO_CONNECTION when there is no room: `refusal` says why. */
  open(
    packet: Opening,
    destination: Destination,
    port: number,
    isOnePacket: boolean,
    now: Instant,
  ): number {
    const binding = this.#binding;
    const { address } = destination;
    binding.family = IP_VERSION[address.family];
    binding.destination0 = address.w0;
    binding.destination1 = address.w1;
    binding.destination2 = address.w2;
    binding.destination3 = address.w3;
    binding.destinationPort = port;
    binding.destinationId = destination.id;
    binding.destinationKey = destination.key;
    binding.flags = destination.connectionFlags;
    if (isOnePacket && packet.protocol === PROTOCOL.udp) binding.flags |= CONNECTION_FLAG.onePacket;
    binding.mark = packet.mark;
    if (!this.makeRoom(destination.service)) return NO_CONNECTION;
    const id = this.table.add(this.#fromClient(packet), binding, now, NEW_CONNECTION_MS);
    if (id === NO_CONNECTION) return id;
    this.enter(id, destination);
    this.#replySources.add(this.ends.replyFold(id), this.ends.replyPort(id));
    return id;
  }

  /** Whether an inherited record holds what a connection or template can hold. */
  isSound(id: number): boolean {
    const { table } = this;
    const protocol = table.protocol(id);
    const state = table.state(id);
    const isTemplate = (table.flags(id) & CONNECTION_FLAG.template) !== 0;
    const isKnown = isTemplate
      ? (protocol === PROTOCOL.ip || this.balances(protocol)) && state <= TEMPLATE_STATE.assured
      : this.#states.of(protocol)?.has(state) === true;
    return isKnown && Number.isFinite(table.expiresAt(id)) && table.timeoutMs(id) > 0;
  }

  /** Goes on with an inherited connection or template. False, and it is given up, when it cannot: ip_vs_bind_dest(). */
  adopt(id: number, destination: Destination, now: Instant): boolean {
    if (!this.table.inherited.adopt(id, destination.id, now)) return false;
    this.enter(id, destination);
    const isTemplate = (this.table.flags(id) & CONNECTION_FLAG.template) !== 0;
    if (!isTemplate) this.#replySources.add(this.ends.replyFold(id), this.ends.replyPort(id));
    return true;
  }

  /** Moves the connection's state on and restarts its timer with the state's time: set_tcp_state() and its kin. */
  advance(id: number, packet: Packet, direction: "input" | "output", now: Instant): void {
    const { table } = this;
    let flags = table.flags(id);
    if (direction === "output" && (flags & CONNECTION_FLAG.noOutput) !== 0) {
      // The first reply seen: from now on this connection is seen whole.
      flags &= ~CONNECTION_FLAG.noOutput;
      table.setFlags(id, flags);
    }
    const way =
      direction === "output"
        ? DIRECTION.output
        : (flags & CONNECTION_FLAG.noOutput) !== 0
          ? DIRECTION.inputOnly
          : DIRECTION.input;
    const states = this.#machine(packet.protocol);
    const before = table.state(id);
    if (direction === "input") this.#countPacket(id, flags);
    const event = eventOf(packet);
    if (event === NO_EVENT) {
      table.touch(id, now, table.timeoutMs(id));
      return;
    }
    const after = states.next(way, event, before);
    if (after !== before) {
      table.setState(id, after);
      this.#offload?.release(table, id);
      this.#recount(id, flags, states.isActive(after));
      this.#shares.setWay(id, wayOf(packet.protocol, after, 0));
    }
    if (packet.protocol === PROTOCOL.udp) this.#useDatagrams(id);
    if (after !== before || packet.protocol === PROTOCOL.udp) {
      if (assuresTemplate(packet.protocol, way, after)) this.#assureTemplate(id);
    }
    table.touch(id, now, states.timeoutMs(after));
  }

  /** With its client's second datagram a flow no longer gives way; until then, the later the more its server says. */
  #useDatagrams(id: number): void {
    const shares = this.#shares;
    if (shares.way(id) === WAY.none) return;
    const way = wayOf(PROTOCOL.udp, UDP_STATE.normal, this.table.inPackets(id));
    if (way === WAY.none) shares.setWay(id, way);
    else shares.refresh(id);
  }

  /** A packet that is scheduled by itself counts for its template. */
  #countPacket(id: number, flags: number): void {
    const { table } = this;
    const control = (flags & CONNECTION_FLAG.onePacket) === 0 ? NO_CONNECTION : table.control(id);
    const counted = control === NO_CONNECTION ? id : control;
    table.setInPackets(counted, table.inPackets(counted) + 1);
  }

  /** From now on the template controls the connection. */
  setControl(id: number, template: number): void {
    this.#shares.setWay(template, WAY.none);
    this.table.setControl(id, template);
  }

  /** Restarts a template's timer: a new connection came through it. */
  renew(template: number, now: Instant): void {
    this.table.touch(template, now, this.table.timeoutMs(template));
  }

  /** Forgets a connection at once, unless others hang on it: ip_vs_conn_expire_now(). */
  giveUp(id: number): void {
    if (this.table.controlledCount(id) > 0) return;
    this.#unbind(id);
    this.table.remove(id);
  }

  /** Gives up the connections of removed destinations: nothing finds or lists one, and expire() forgets them bit by bit. */
  expireUnavailable(): void {
    this.#abandoned.begin();
  }

  /** Whether the connection was given up, and only waits to be forgotten. */
  isGone(id: number): boolean {
    return this.#destinationOf(id).isGone;
  }

  /** Gives up some of the connections that look like an attack's, bit by bit in expire(): a second's part. */
  dropSome(): void {
    this.#dropper.begin();
  }

  /** Work that time brings, on at most `budget` connections. True when there is more to do at once. */
  expire(now: Instant, budget: number): boolean {
    this.#abandoned.sweep(budget);
    if (this.#dropper.isBusy) this.#dropper.work(now, budget);
    const { more } = this.table.expire(now, budget, this.#decide);
    return more || this.#abandoned.isBusy || this.#dropper.isBusy;
  }

  nextDeadline(): Instant | undefined {
    const hasWork = this.#abandoned.isBusy || this.#dropper.isBusy;
    return hasWork ? (0 as Instant) : this.table.nextDeadline();
  }

  /** The name of the connection's state, as listings show it. */
  stateName(id: number): string {
    const { table } = this;
    const state = table.state(id);
    const isTemplate = (table.flags(id) & CONNECTION_FLAG.template) !== 0;
    return isTemplate ? templateStateName(state) : this.#machine(table.protocol(id)).nameOf(state);
  }

  /** Whether connections are of this protocol. */
  balances(protocol: number): boolean {
    return this.#states.of(protocol) !== undefined;
  }

  #machine(protocol: number): StateMachine {
    return this.#states.of(protocol) ?? this.#states.udp;
  }

  #expire(id: number): number {
    if (this.table.controlledCount(id) > 0) return CONTROLLING_MS;
    this.#unbind(id);
    return 0;
  }

  /** ip_vs_conn_del(): a template that was never assured goes with the last of its connections. */
  #drop(id: number): void {
    const { table } = this;
    const control = table.control(id);
    this.giveUp(id);
    if (control === NO_CONNECTION || table.controlledCount(control) > 0) return;
    const isAssured = table.state(control) === TEMPLATE_STATE.assured;
    if (!isAssured) this.giveUp(control);
  }

  #destinationOf(id: number): Destination {
    return this.#services.destination(this.table.destinationId(id));
  }

  #unbind(id: number): void {
    const { table } = this;
    const flags = table.flags(id);
    this.#destinationOf(id).unbind(flags);
    this.#shares.leave(id);
    this.#releaseControl(id);
    if ((flags & CONNECTION_FLAG.template) !== 0) return;
    this.#offload?.release(this.table, id);
    this.#replySources.delete(this.ends.replyFold(id), this.ends.replyPort(id));
  }

  /** The last connection of a template leaves it: what release() says is then true of it. */
  #releaseControl(id: number): void {
    const { table } = this;
    const control = table.control(id);
    if (control === NO_CONNECTION) return;
    table.setControl(id, NO_CONNECTION);
    this.release(control);
  }

  #recount(id: number, flags: number, isActive: boolean): void {
    const wasActive = (flags & CONNECTION_FLAG.inactive) === 0;
    if (wasActive === isActive) return;
    const destination = this.#destinationOf(id);
    this.table.setFlags(id, flags ^ CONNECTION_FLAG.inactive);
    if (isActive) destination.activate();
    else destination.deactivate();
  }

  /** The template has seen a real conversation: ip_vs_control_assure_ct(). */
  #assureTemplate(id: number): void {
    const template = this.table.control(id);
    if (template !== NO_CONNECTION) this.table.setState(template, TEMPLATE_STATE.assured);
  }

  #fromClient(packet: Opening): Flow {
    const flow = this.#flow;
    flow.family = packet.family;
    flow.protocol = packet.protocol;
    flow.client0 = packet.source0;
    flow.client1 = packet.source1;
    flow.client2 = packet.source2;
    flow.client3 = packet.source3;
    flow.clientPort = packet.sourcePort;
    flow.virtual0 = packet.destination0;
    flow.virtual1 = packet.destination1;
    flow.virtual2 = packet.destination2;
    flow.virtual3 = packet.destination3;
    flow.virtualPort = packet.destinationPort;
    return flow;
  }
}
