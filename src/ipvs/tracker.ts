/**
 * The life of connections: found, opened, moved on by each packet, given up, expired; and what listings tell of them.
 *
 * Joins the table (connections/) with the destinations that entries count on: ip_vs_conn.c.
 */
import type { Instant } from "../base/clock.ts";
import { type ConnectionTable, NO_CONNECTION } from "./connections/connection-table.ts";
import { Binding, CONNECTION_FLAG, Flow } from "./connections/flow.ts";
import { ProtocolStates } from "./connections/protocol-states.ts";
import type { Destination } from "./destination.ts";
import type { Packet } from "./packet.ts";
import type { Words } from "./forward/masquerade.ts";
import { DEFAULT_TIMEOUTS, type Timeouts } from "./service.ts";
import type { ServiceTable } from "./service-table.ts";

/** What a new entry has until its first packet's state gives it a time: ip_vs_conn_new(). */
const NEW_TIMEOUT_MS = 3_000;
/** A template whose time is over while connections hang on it gets so much more: ip_vs_conn_expire(). */
const CONTROLLING_TIMEOUT_MS = 60_000;

/** A template's state once a connection through it was established. */
const ASSURED = 1;

const UDP = 17;

/** Four signed words; one object is reused. */
class WordSlot {
  w0 = 0;
  w1 = 0;
  w2 = 0;
  w3 = 0;
}

export class Tracker {
  readonly table: ConnectionTable;
  readonly #services: ServiceTable;
  readonly #states = new ProtocolStates(DEFAULT_TIMEOUTS);
  readonly #flow = new Flow();
  readonly #binding = new Binding();
  readonly #words = new WordSlot();
  readonly #decide = (id: number): number => this.#expire(id);
  #timeouts: Timeouts = DEFAULT_TIMEOUTS;

  constructor(table: ConnectionTable, services: ServiceTable) {
    this.table = table;
    this.#services = services;
  }

  get timeouts(): Timeouts {
    return this.#timeouts;
  }

  /** Timers that run keep running; each connection's next packet brings the new time. */
  set timeouts(timeouts: Timeouts) {
    this.#timeouts = timeouts;
    this.#states.setTimeouts(timeouts);
  }

  /** The connection of a client's packet. */
  find(packet: Packet, now: Instant): number {
    return this.table.findByClient(this.#fromClient(packet), now);
  }

  /** The connection that this packet answers in. */
  findReply(packet: Packet, now: Instant): number {
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
    return this.table.findByReply(flow, now);
  }

  /** A new connection of a client's first packet, or NO_CONNECTION when the table is full. */
  open(
    packet: Packet,
    destination: Destination,
    port: number,
    isOnePacket: boolean,
    now: Instant,
  ): number {
    const binding = this.#binding;
    const { address } = destination;
    binding.family = address.family === "inet" ? 4 : 6;
    binding.destination0 = address.w0;
    binding.destination1 = address.w1;
    binding.destination2 = address.w2;
    binding.destination3 = address.w3;
    binding.destinationPort = port;
    binding.destinationId = destination.id;
    binding.flags = destination.connectionFlags;
    if (isOnePacket && packet.protocol === UDP) binding.flags |= CONNECTION_FLAG.onePacket;
    binding.mark = packet.mark;
    const id = this.table.add(this.#fromClient(packet), binding, now, NEW_TIMEOUT_MS);
    if (id !== NO_CONNECTION) destination.bind(binding.flags);
    return id;
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
    const isInputOnly = (flags & CONNECTION_FLAG.noOutput) !== 0;
    const states = this.#states.of(packet.protocol);
    const before = table.state(id);
    const after = states.next(isInputOnly ? "input-only" : direction, before, packet);
    if (after !== before) {
      table.setState(id, after);
      this.#recount(id, flags, states.isActive(after));
    }
    if (states.assures(direction, after)) this.#assureTemplate(id);
    if (direction === "input") table.setInPackets(id, table.inPackets(id) + 1);
    table.touch(id, now, states.timeoutMs(after));
  }

  /** Restarts a template's timer: a new connection came through it. */
  renew(template: number, now: Instant): void {
    this.table.touch(template, now, this.table.timeoutMs(template));
  }

  /** An entry for one datagram only is over once the datagram is sent. */
  finish(id: number): void {
    if ((this.table.flags(id) & CONNECTION_FLAG.onePacket) !== 0) this.giveUp(id);
  }

  /** Forgets a connection at once, unless others hang on it: ip_vs_conn_expire_now(). */
  giveUp(id: number): void {
    if (this.table.controlledCount(id) > 0) return;
    this.#unbind(id);
    this.table.remove(id);
  }

  /** Forgets the connections of destinations that are not configured any more. */
  expireUnavailable(): void {
    const { table } = this;
    for (let id = table.nextId(NO_CONNECTION); id !== NO_CONNECTION; id = table.nextId(id)) {
      if (!this.#services.destination(table.destinationId(id)).isAvailable) this.giveUp(id);
    }
  }

  /** Work that time brings, on at most `budget` connections. True when there is more to do at once. */
  expire(now: Instant, budget: number): boolean {
    return this.table.expire(now, budget, this.#decide).more;
  }

  nextDeadline(): Instant | undefined {
    return this.table.nextDeadline();
  }

  /** Where the connection's packets go. The object is reused. */
  to(id: number): Words {
    return this.#fill(id, "destination");
  }

  /** What its client talks to. The object is reused. */
  virtual(id: number): Words {
    return this.#fill(id, "virtual");
  }

  /** The name of the connection's state, as listings show it. */
  stateName(id: number): string {
    const { table } = this;
    const state = table.state(id);
    if ((table.flags(id) & CONNECTION_FLAG.template) !== 0) {
      return state === ASSURED ? "ASSURED" : "NONE";
    }
    return this.#states.of(table.protocol(id)).name(state);
  }

  #expire(id: number): number {
    if (this.table.controlledCount(id) > 0) return CONTROLLING_TIMEOUT_MS;
    this.#unbind(id);
    return 0;
  }

  #unbind(id: number): void {
    this.#services.destination(this.table.destinationId(id)).unbind(this.table.flags(id));
  }

  #recount(id: number, flags: number, isActive: boolean): void {
    const wasActive = (flags & CONNECTION_FLAG.inactive) === 0;
    if (wasActive === isActive) return;
    const destination = this.#services.destination(this.table.destinationId(id));
    this.table.setFlags(id, flags ^ CONNECTION_FLAG.inactive);
    if (isActive) destination.activate();
    else destination.deactivate();
  }

  /** The template has seen a real conversation: ip_vs_control_assure_ct(). */
  #assureTemplate(id: number): void {
    const template = this.table.control(id);
    if (template !== NO_CONNECTION) this.table.setState(template, ASSURED);
  }

  #fill(id: number, end: "destination" | "virtual"): Words {
    const words = this.#words;
    words.w0 = this.table[end](id, 0);
    words.w1 = this.table[end](id, 1);
    words.w2 = this.table[end](id, 2);
    words.w3 = this.table[end](id, 3);
    return words;
  }

  #fromClient(packet: Packet): Flow {
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
