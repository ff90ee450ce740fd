/**
 * The life of connections: found, opened, given up, expired. What each packet makes of their states is progress.ts's, who
 * has a place when the table is full room.ts's.
 *
 * Joins the table (connections/) with the destinations that entries count on: ip_vs_conn.c.
 */
import type { Instant } from "../../base/clock.ts";
import { ConnectionEnds } from "../connections/connection-ends.ts";
import { type ConnectionTable, NO_CONNECTION } from "../connections/connection-table.ts";
import { Binding, CONNECTION_FLAG, Flow } from "../connections/flow.ts";
import {
  CONTROLLING_MS,
  NEW_CONNECTION_MS,
  PROTOCOL,
  TEMPLATE_STATE,
} from "../connections/protocol-states.ts";
import { TCP_STATE } from "../connections/tcp-state.ts";
import { EntryDropper } from "../defence/entry-dropper.ts";
import { TableShares } from "../defence/table-shares.ts";
import type { Offload, Standing } from "../offload.ts";
import type { Opening } from "../packets/opening.ts";
import type { Packet } from "../packets/packet.ts";
import type { Destination } from "../services/destination.ts";
import type { ServiceTable } from "../services/service-table.ts";
import { Abandoned } from "./abandoned.ts";
import { answeredFlow, bindTo, flowOf } from "./ends-of.ts";
import { Offloaded } from "./offloaded.ts";
import { Progress } from "./progress.ts";
import { ReplySources } from "./reply-sources.ts";
import { Resets, type ResetTally } from "./resets.ts";
import { Room } from "./room.ts";

/** States in which both sides have a connection. */
const RESETTABLE: ReadonlySet<number> = new Set([
  TCP_STATE.established,
  TCP_STATE.finWait,
  TCP_STATE.closeWait,
  TCP_STATE.lastAck,
]);

export class Tracker {
  readonly table: ConnectionTable;
  readonly ends: ConnectionEnds;
  /** What packets make of connections' states. */
  readonly progress: Progress;
  /** Who has a place in the table. */
  readonly room: Room;
  /** TCP connections that are being ended from outside. */
  readonly resets: Resets;
  readonly #services: ServiceTable;
  readonly #offload: Offload | undefined;
  readonly #flow = new Flow();
  readonly #binding = new Binding();
  readonly #dropper: EntryDropper;
  readonly #abandoned: Abandoned;
  readonly #replySources = new ReplySources();
  readonly #decide = (id: number): number => this.#expire(id);

  constructor(table: ConnectionTable, services: ServiceTable, seed: number, offload?: Offload) {
    this.#offload = offload;
    this.table = table;
    this.ends = new ConnectionEnds(table);
    this.#services = services;
    const shares = new TableShares(table);
    this.room = new Room(table, shares, {
      isAlone: () => !services.hasSeveral,
      giveUp: (id) => this.giveUp(id),
    });
    this.progress = new Progress(table, shares, {
      destinationOf: (id) => this.#destinationOf(id),
    });
    this.resets = new Resets({ table, forget: (id) => this.giveUpWithTemplate(id) });
    this.#abandoned = new Abandoned({
      table,
      isGone: (id) => this.isGone(id),
      giveUp: (id) => this.giveUp(id),
      abandon: () => services.abandonRemoved(),
    });
    offload?.listen(
      new Offloaded(
        this,
        (id) => this.#destinationOf(id),
        (id) => this.#forgetReplaced(id),
        (server) => services.orphan(server),
      ),
    );
    this.#dropper = new EntryDropper({
      table,
      seed,
      isOnePacket: (id) => this.#destinationOf(id).service.plan.onePacket,
      drop: (id) => this.#drop(id),
    });
  }

  /** Hears what an offload has to tell: to be called before somebody is shown connections. */
  hear(): void {
    this.#offload?.tell();
  }

  /** The connection of a client's packet. */
  find(packet: Packet, now: Instant): number {
    return this.findByClient(flowOf(this.#flow, packet), now);
  }

  /** As the table's, but not one that was given up: that is forgotten now, because none of these controls others. */
  findByClient(flow: Flow, now: Instant): number {
    const id = this.table.findByClient(flow, now);
    if (id === NO_CONNECTION) return id;
    if (this.#offload?.take(this.table, id) === false) this.#seeReplaced(id);
    else if (this.isGone(id)) this.#abandoned.forget(id);
    else return id;
    return this.findByClient(flow, now);
  }

  /** As the table's, but not one that was given up: that is forgotten now. */
  findByReply(flow: Flow, now: Instant): number {
    const id = this.table.findByReply(flow, now);
    if (id === NO_CONNECTION) return id;
    if (this.#offload?.take(this.table, id) === false) this.#seeReplaced(id);
    else if (this.isGone(id)) this.#abandoned.forget(id);
    else return id;
    return this.findByReply(flow, now);
  }

  /** The connection that this packet answers in. */
  findReply(packet: Packet, now: Instant): number {
    const fold = packet.source0 ^ packet.source1 ^ packet.source2 ^ packet.source3;
    if (!this.#replySources.has(fold, packet.sourcePort)) return NO_CONNECTION;
    return this.findByReply(answeredFlow(this.#flow, packet), now);
  }

  /** A connection or a template was added to the table for `destination`. */
  enter(id: number, destination: Destination): void {
    destination.bind(this.table.flags(id));
    this.room.enter(id, destination.service.holding);
    this.#offload?.opened(this.table, id);
  }

  /** Packets that this connection's server sends are known from now on. */
  expectReplies(id: number): void {
    this.#replySources.add(this.ends.replyFold(id), this.ends.replyPort(id));
  }

  /** No new connection follows the template any more. */
  invalidateTemplate(id: number): void {
    this.#offload?.release(this.table, id);
    this.table.invalidateTemplate(id);
  }

  /** A new connection of a client's first packet, or NO_CONNECTION when there is no room: `room.refusal` says why. */
  open(
    packet: Opening,
    destination: Destination,
    port: number,
    isOnePacket: boolean,
    now: Instant,
  ): number {
    const binding = bindTo(this.#binding, destination, port, packet.mark);
    if (isOnePacket && packet.protocol === PROTOCOL.udp) binding.flags |= CONNECTION_FLAG.onePacket;
    if (!this.room.makeFor(destination.service)) return NO_CONNECTION;
    const id = this.table.add(flowOf(this.#flow, packet), binding, now, NEW_CONNECTION_MS);
    if (id === NO_CONNECTION) return id;
    this.enter(id, destination);
    this.expectReplies(id);
    return id;
  }

  /** Whether an inherited record holds what a connection or template can hold. */
  isSound(id: number): boolean {
    const { table } = this;
    const protocol = table.protocol(id);
    const state = table.state(id);
    const isTemplate = (table.flags(id) & CONNECTION_FLAG.template) !== 0;
    const isKnown = isTemplate
      ? (protocol === PROTOCOL.ip || this.progress.balances(protocol)) &&
        state <= TEMPLATE_STATE.assured
      : this.progress.knows(protocol, state);
    return isKnown && Number.isFinite(table.expiresAt(id)) && table.timeoutMs(id) > 0;
  }

  /** An entry of another tracker's was put into the table, for `destination`. */
  enterCopy(id: number, destination: Destination): void {
    this.enter(id, destination);
    const isTemplate = (this.table.flags(id) & CONNECTION_FLAG.template) !== 0;
    if (!isTemplate) this.expectReplies(id);
  }

  /** What an offload that outlived the process knows of an inherited connection. */
  standing(id: number): Standing {
    return this.#offload?.standing(this.table, id) ?? "unknown";
  }

  /** Goes on with an inherited connection or template. False, and it is given up, when it cannot: ip_vs_bind_dest(). */
  adopt(id: number, destination: Destination, now: Instant): boolean {
    if (!this.table.inherited.adopt(id, destination.id, now)) return false;
    if (this.#isTemplate(id) || !destination.load.isInherited) {
      destination.bind(this.table.flags(id));
    }
    this.room.enter(id, destination.service.holding);
    if (!this.#isTemplate(id)) this.expectReplies(id);
    this.#offload?.adopted(this.table, id);
    return true;
  }

  /** Connections that only the offload knows, after all others were adopted: whether that was all. */
  settle(budget: number): boolean {
    return this.#offload?.settle(budget) ?? true;
  }

  #isTemplate(id: number): boolean {
    return (this.table.flags(id) & CONNECTION_FLAG.template) !== 0;
  }

  /** From now on the template controls the connection. */
  setControl(id: number, template: number): void {
    this.room.hold(template);
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

  /** Forgets a connection, and its template with the last one of it. */
  giveUpWithTemplate(id: number): void {
    const control = this.table.control(id);
    this.giveUp(id);
    if (control !== NO_CONNECTION) this.giveUp(control);
  }

  /** Begins to end a TCP connection from outside; false for one of which no side would believe it. */
  reset(id: number, now: Instant, tally: ResetTally): boolean {
    const { table } = this;
    if (table.protocol(id) !== PROTOCOL.tcp || !RESETTABLE.has(table.state(id))) return false;
    // What tells where its sides are has to come here.
    this.#offload?.take(table, id);
    this.resets.begin(id, now, tally);
    return true;
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
    const isTemplate = (table.flags(id) & CONNECTION_FLAG.template) !== 0;
    const isCounted = this.#offload?.release(table, id) !== false;
    if (isCounted) this.#destinationOf(id).unbind(table.flags(id));
    this.#leave(id);
    this.#releaseControl(id);
    if (!isTemplate) this.#replySources.delete(this.ends.replyFold(id), this.ends.replyPort(id));
  }

  #leave(id: number): void {
    if (!this.resets.isIdle) this.resets.leave(id);
    this.room.leave(id);
  }

  /** Another connection has its place, which was not told yet. */
  #seeReplaced(id: number): void {
    this.#forgetReplaced(id);
    this.#offload?.tell();
  }

  #forgetReplaced(id: number): void {
    this.#unbind(id);
    this.table.remove(id);
  }

  /** The last connection of a template leaves it: what the room's release() says is then true of it. */
  #releaseControl(id: number): void {
    const { table } = this;
    const control = table.control(id);
    if (control === NO_CONNECTION) return;
    table.setControl(id, NO_CONNECTION);
    this.room.release(control);
  }
}
