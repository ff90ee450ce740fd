/**
 * The life of connections: found, opened, moved on by each packet, given up, expired; and what listings tell of them.
 *
 * Joins the table (connections/) with the destinations that entries count on: ip_vs_conn.c.
 */
import type { Instant } from "../base/clock.ts";
import { type ConnectionTable, NO_CONNECTION } from "./connections/connection-table.ts";
import { Binding, CONNECTION_FLAG, Flow } from "./connections/flow.ts";
import {
  assuresTemplate,
  CONTROLLING_MS,
  NEW_CONNECTION_MS,
  PROTOCOL,
  ProtocolStates,
  TEMPLATE_STATE,
  templateStateName,
} from "./connections/protocol-states.ts";
import { sctpEvent } from "./connections/sctp-state.ts";
import { DIRECTION, type StateMachine } from "./connections/state-machine.ts";
import { tcpEvent } from "./connections/tcp-state.ts";
import { UDP_EVENT } from "./connections/udp-state.ts";
import type { Destination } from "./destination.ts";
import type { Words } from "./forward/masquerade.ts";
import type { Packet } from "./packet.ts";
import { DEFAULT_TIMEOUTS, type Timeouts } from "./service.ts";
import type { ServiceTable } from "./service-table.ts";

/** Offset of the flags in a TCP header, and of the first chunk in an SCTP packet. */
const TCP_FLAGS_AT = 13;
const SCTP_CHUNK_AT = 12;
const SCTP_CHUNK_HEADER = 4;
const NO_CHUNK = -1;

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
  readonly #flow = new Flow();
  readonly #binding = new Binding();
  readonly #words = new WordSlot();
  readonly #decide = (id: number): number => this.#expire(id);
  #timeouts: Timeouts = DEFAULT_TIMEOUTS;
  #secureTcp = false;
  #states = new ProtocolStates(DEFAULT_TIMEOUTS, { secureTcp: false });

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
    this.#states = new ProtocolStates(timeouts, { secureTcp: this.#secureTcp });
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
    if (isOnePacket && packet.protocol === PROTOCOL.udp) binding.flags |= CONNECTION_FLAG.onePacket;
    binding.mark = packet.mark;
    const id = this.table.add(this.#fromClient(packet), binding, now, NEW_CONNECTION_MS);
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
    const isInputOnly = direction === "input" && (flags & CONNECTION_FLAG.noOutput) !== 0;
    const way = isInputOnly ? DIRECTION.inputOnly : DIRECTION[direction];
    const states = this.#machine(packet.protocol);
    const before = table.state(id);
    const after = states.next(way, eventOf(packet), before);
    if (after !== before) {
      table.setState(id, after);
      this.#recount(id, flags, states.isActive(after));
    }
    if (after !== before || packet.protocol === PROTOCOL.udp) {
      if (assuresTemplate(packet.protocol, way, after)) this.#assureTemplate(id);
    }
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
    const isTemplate = (table.flags(id) & CONNECTION_FLAG.template) !== 0;
    return isTemplate ? templateStateName(state) : this.#machine(table.protocol(id)).nameOf(state);
  }

  #machine(protocol: number): StateMachine {
    return this.#states.of(protocol) ?? this.#states.udp;
  }

  #expire(id: number): number {
    if (this.table.controlledCount(id) > 0) return CONTROLLING_MS;
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
    if (template !== NO_CONNECTION) this.table.setState(template, TEMPLATE_STATE.assured);
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

function eventOf(packet: Packet): number {
  switch (packet.protocol) {
    case PROTOCOL.tcp:
      return tcpEvent(packet.bytes[packet.transport + TCP_FLAGS_AT]!);
    case PROTOCOL.sctp:
      return sctpEventOf(packet);
    default:
      return UDP_EVENT.datagram;
  }
}

/** From the first two chunks; the second begins at a multiple of four (RFC 9260 section 3.2). */
function sctpEventOf({ bytes, transport, end }: Packet): number {
  const first = transport + SCTP_CHUNK_AT;
  if (first + SCTP_CHUNK_HEADER > end) return sctpEvent(NO_CHUNK, NO_CHUNK);
  const length = (bytes[first + 2]! << 8) | bytes[first + 3]!;
  const second = first + ((Math.max(length, SCTP_CHUNK_HEADER) + 3) & ~3);
  return sctpEvent(bytes[first]!, second < end ? bytes[second]! : NO_CHUNK);
}
