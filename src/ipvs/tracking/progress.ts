/** What packets make of connections: their states, by the tables of protocols, their times, and what they count as. */
import type { Instant } from "../../base/clock.ts";
import { type ConnectionTable, NO_CONNECTION } from "../connections/connection-table.ts";
import { CONNECTION_FLAG } from "../connections/flow.ts";
import {
  assuresTemplate,
  PROTOCOL,
  ProtocolStates,
  TEMPLATE_STATE,
  templateStateName,
} from "../connections/protocol-states.ts";
import { DIRECTION, type StateMachine } from "../connections/state-machine.ts";
import { UDP_STATE } from "../connections/udp-state.ts";
import { WAY, wayOf } from "../defence/holding.ts";
import type { TableShares } from "../defence/table-shares.ts";
import { DEFAULT_TIMEOUTS, type Timeouts } from "../desired/service.ts";
import type { OffloadedConnection } from "../offload.ts";
import type { Packet } from "../packets/packet.ts";
import { eventOf, NO_EVENT } from "../packets/packet-event.ts";
import type { Destination } from "../services/destination.ts";

interface Surroundings {
  readonly destinationOf: (id: number) => Destination;
}

export class Progress {
  readonly #table: ConnectionTable;
  readonly #shares: TableShares;
  readonly #surroundings: Surroundings;
  #timeouts: Timeouts = DEFAULT_TIMEOUTS;
  #secureTcp = false;
  #states = new ProtocolStates(DEFAULT_TIMEOUTS, { secureTcp: false });

  constructor(table: ConnectionTable, shares: TableShares, surroundings: Surroundings) {
    this.#table = table;
    this.#shares = shares;
    this.#surroundings = surroundings;
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

  /** The tables by which connections move on now. */
  get states(): ProtocolStates {
    return this.#states;
  }

  /** Whether connections are of this protocol. */
  balances(protocol: number): boolean {
    return this.#states.of(protocol) !== undefined;
  }

  /** Whether connections of this protocol can have this state. */
  knows(protocol: number, state: number): boolean {
    return this.#states.of(protocol)?.has(state) === true;
  }

  /** The name of the connection's state, as listings show it. */
  stateName(id: number): string {
    const table = this.#table;
    const state = table.state(id);
    const isTemplate = (table.flags(id) & CONNECTION_FLAG.template) !== 0;
    return isTemplate ? templateStateName(state) : this.#machine(table.protocol(id)).nameOf(state);
  }

  /** Moves the connection's state on and restarts its timer with the state's time: set_tcp_state() and its kin. */
  advance(id: number, packet: Packet, direction: "input" | "output", now: Instant): void {
    const table = this.#table;
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
      this.#recount(id, flags, states.isActive(after));
      this.#shares.setWay(id, wayOf(packet.protocol, after, 0));
    }
    if (packet.protocol === PROTOCOL.udp) this.#useDatagrams(id);
    if (after !== before || packet.protocol === PROTOCOL.udp) {
      if (assuresTemplate(packet.protocol, way, after)) this.#assureTemplate(id);
    }
    table.touch(id, now, states.timeoutMs(after));
  }

  /** Somebody else has moved the connection on, and counted it. */
  follow(id: number, connection: OffloadedConnection): void {
    const { state, flags, packets, timeoutMs, seen, isAnswered } = connection;
    const table = this.#table;
    const protocol = table.protocol(id);
    const before = table.state(id);
    const had = table.flags(id);
    table.setInPackets(id, packets);
    table.setState(id, state);
    table.setFlags(id, flags);
    if (state !== before) this.#shares.setWay(id, wayOf(protocol, state, 0));
    if (protocol === PROTOCOL.udp) this.#useDatagrams(id);
    const hasAnswered = isAnswered || ((had ^ flags) & CONNECTION_FLAG.noOutput) !== 0;
    const way = hasAnswered ? DIRECTION.output : DIRECTION.input;
    if (state !== before || hasAnswered) {
      if (assuresTemplate(protocol, way, state)) this.#assureTemplate(id);
    }
    table.touch(id, seen, timeoutMs);
  }

  /** With its client's second datagram a flow no longer gives way; until then, the later the more its server says. */
  #useDatagrams(id: number): void {
    const shares = this.#shares;
    if (shares.way(id) === WAY.none) return;
    const way = wayOf(PROTOCOL.udp, UDP_STATE.normal, this.#table.inPackets(id));
    if (way === WAY.none) shares.setWay(id, way);
    else shares.refresh(id);
  }

  /** A packet that is scheduled by itself counts for its template. */
  #countPacket(id: number, flags: number): void {
    const table = this.#table;
    const control = (flags & CONNECTION_FLAG.onePacket) === 0 ? NO_CONNECTION : table.control(id);
    const counted = control === NO_CONNECTION ? id : control;
    table.setInPackets(counted, table.inPackets(counted) + 1);
  }

  #machine(protocol: number): StateMachine {
    return this.#states.of(protocol) ?? this.#states.udp;
  }

  #recount(id: number, flags: number, isActive: boolean): void {
    const wasActive = (flags & CONNECTION_FLAG.inactive) === 0;
    if (wasActive === isActive) return;
    const destination = this.#surroundings.destinationOf(id);
    this.#table.setFlags(id, flags ^ CONNECTION_FLAG.inactive);
    if (isActive) destination.activate();
    else destination.deactivate();
  }

  /** The template has seen a real conversation: ip_vs_control_assure_ct(). */
  #assureTemplate(id: number): void {
    const template = this.#table.control(id);
    if (template !== NO_CONNECTION) this.#table.setState(template, TEMPLATE_STATE.assured);
  }
}
