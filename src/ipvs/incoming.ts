/**
 * Packets from clients: the connection they belong to, or a new one, and on to its destination.
 *
 * ip_vs_in_hook(), tcp_conn_schedule(), ip_vs_schedule() and ip_vs_leave() in the kernel.
 */
import type { Instant } from "../base/clock.ts";
import { IP_PROTOCOL } from "../net/ip-protocol.ts";
import { NO_CONNECTION } from "./connections/connection-table.ts";
import { CONNECTION_FLAG, FORWARDING, FORWARDING_MASK } from "./connections/flow.ts";
import { SCTP_STATE } from "./connections/sctp-state.ts";
import { TCP_STATE } from "./connections/tcp-state.ts";
import type { Destination } from "./destination.ts";
import type { Transmitter } from "./forward/transmit.ts";
import type { Host } from "./host.ts";
import type { OutcomeSlot } from "./outcome.ts";
import type { Packet } from "./packet.ts";
import { isEmpty, isFirst, mayOpen } from "./packet-event.ts";
import { isUsable, Templates } from "./persistence.ts";
import type { Request } from "./schedulers/scheduler.ts";
import type { ServiceTable } from "./service-table.ts";
import type { Sysctls } from "./sysctls.ts";
import type { Tracker } from "./tracker.ts";
import type { VirtualService } from "./virtual-service.ts";

const FTP_PORT = 21;
const FTP_DATA_PORT = 20;
/** conn_reuse_mode's bit for the state in which DR and TUN see a connection end. */
const REUSE_FIN_WAIT = 2;

/** What the ways of a packet share. */
export interface Parts {
  readonly host: Host;
  readonly services: ServiceTable;
  readonly tracker: Tracker;
  readonly transmitter: Transmitter;
  readonly sysctls: () => Sysctls;
}

/** The request that schedulers get, filled anew for each new connection. */
class SchedulingRequest implements Request {
  clientFold = 0;
  clientPort = 0;
  destinationFold = 0;
  now = 0;
  #packet: Packet | undefined;

  fill(packet: Packet, now: Instant): this {
    this.#packet = packet;
    this.clientFold = packet.source0 ^ packet.source1 ^ packet.source2 ^ packet.source3;
    this.clientPort = packet.sourcePort;
    this.destinationFold =
      packet.destination0 ^ packet.destination1 ^ packet.destination2 ^ packet.destination3;
    this.now = now;
    return this;
  }

  get destinationText(): string {
    return this.#packet!.destination.toString();
  }
}

export class Incoming {
  readonly #parts: Parts;
  readonly #templates: Templates;
  readonly #request = new SchedulingRequest();

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#templates = new Templates(parts.tracker.table);
  }

  receive(packet: Packet, outcome: OutcomeSlot, now: Instant): OutcomeSlot {
    const { tracker, services, host, sysctls } = this.#parts;
    const id = tracker.find(packet, now);
    if (id === NO_CONNECTION) return this.#begin(packet, outcome, now);
    const destination = services.destination(tracker.table.destinationId(id));
    // Packets to a VIP that the host lost are not the director's: in the kernel they would not reach LOCAL_IN.
    if (!destination.service.isLocal(packet, host)) return outcome.pass("pass-not-local");
    if (!(isFirst(packet) && this.#isToBeRescheduled(id, destination))) {
      if (destination.isAvailable) return this.#forward(packet, outcome, id, destination, now);
      if (sysctls().expire_nodest_conn === 0) return outcome.drop("drop-destination-removed");
    }
    this.#begin(packet, outcome, now);
    // Only now: the entry that is given up still counted while its successor was scheduled, as in the kernel.
    tracker.giveUp(id);
    return outcome;
  }

  /** A packet of no connection. */
  #begin(packet: Packet, outcome: OutcomeSlot, now: Instant): OutcomeSlot {
    const { tracker, services } = this.#parts;
    const id = this.#schedule(packet, outcome, now);
    if (typeof id !== "number") return id;
    const destination = services.destination(tracker.table.destinationId(id));
    return this.#forward(packet, outcome, id, destination, now);
  }

  #forward(
    packet: Packet,
    outcome: OutcomeSlot,
    id: number,
    destination: Destination,
    now: Instant,
  ): OutcomeSlot {
    const { tracker, services, transmitter } = this.#parts;
    const flags = tracker.table.flags(id);
    services.countIn(destination, packet.length);
    tracker.advance(id, packet, "input", now);
    const method = flags & FORWARDING_MASK;
    transmitter.send(packet, outcome, destination, method, id);
    const isOnePacket = (flags & CONNECTION_FLAG.onePacket) !== 0;
    // The kernel's LOCAL_OUT hook takes the host's own errors about requests for those of a router behind it.
    if (outcome.notices.length > 0 && method !== FORWARDING.masquerade && !isOnePacket) {
      services.countOut(destination, outcome.notices[0]!.length);
    }
    if (isOnePacket) tracker.giveUp(id);
    return outcome;
  }

  /** A client's first packet on an old entry: whether that entry is to be forgotten. is_new_conn_expected(). */
  #isToBeRescheduled(id: number, destination: Destination): boolean {
    const { table } = this.#parts.tracker;
    const { conn_reuse_mode, expire_nodest_conn } = this.#parts.sysctls();
    if (expire_nodest_conn !== 0 && destination.weight === 0) return true;
    if (conn_reuse_mode === 0 || table.control(id) !== NO_CONNECTION) return false;
    const state = table.state(id);
    if (table.protocol(id) === IP_PROTOCOL.sctp) return state === SCTP_STATE.closed;
    if (state === TCP_STATE.timeWait || state === TCP_STATE.close) return true;
    const hasReplies = (table.flags(id) & CONNECTION_FLAG.noOutput) === 0;
    return (conn_reuse_mode & REUSE_FIN_WAIT) !== 0 && state === TCP_STATE.finWait && !hasReplies;
  }

  /** A new connection's id, or the outcome when there is none. */
  #schedule(packet: Packet, outcome: OutcomeSlot, now: Instant): number | OutcomeSlot {
    const { services, host, sysctls } = this.#parts;
    if (isEmpty(packet) && host.isLocal(packet.destination)) return outcome.drop("drop-malformed");
    const service = services.find(packet);
    if (service === undefined) return outcome.pass("pass-no-service");
    if (!mayOpen(packet, sysctls().sloppy_tcp !== 0)) return outcome.pass("pass-not-first");
    if (!service.isLocal(packet, host)) return outcome.pass("pass-not-local");
    if (packet.sourcePort === FTP_DATA_PORT) return outcome.pass("pass-source-port-20");
    const { persistence } = service.plan;
    if (persistence !== undefined) {
      return this.#schedulePersistent(packet, service, outcome, now);
    }
    if (service.mark === 0 && packet.destinationPort !== service.port) {
      return this.#leave(packet, service, outcome);
    }
    const destination = this.#pick(packet, service, now);
    if (destination === undefined) return this.#leave(packet, service, outcome);
    const port = destination.port || packet.destinationPort;
    return this.#open(packet, service, destination, port, outcome, now);
  }

  #schedulePersistent(
    packet: Packet,
    service: VirtualService,
    outcome: OutcomeSlot,
    now: Instant,
  ): number | OutcomeSlot {
    const { tracker, services } = this.#parts;
    const { table } = tracker;
    const persistence = service.plan.persistence!;
    let template = this.#templates.find(packet, service, persistence, now);
    let destination: Destination | undefined;
    if (template !== NO_CONNECTION) {
      destination = services.destination(table.destinationId(template));
      if (!isUsable(destination, this.#parts.sysctls().expire_quiescent_template !== 0)) {
        table.invalidateTemplate(template);
        template = NO_CONNECTION;
      }
    }
    if (template === NO_CONNECTION) {
      destination = this.#pick(packet, service, now);
      if (destination === undefined) return this.#leave(packet, service, outcome);
      template = this.#templates.add(packet, service, persistence, destination, now);
      if (template === NO_CONNECTION) return outcome.drop("drop-table-full");
      destination.bind(table.flags(template));
    }
    const target = destination!;
    const isServicePort = packet.destinationPort === service.port;
    const port = isServicePort && target.port !== 0 ? target.port : packet.destinationPort;
    const id = this.#open(packet, service, target, port, outcome, now);
    if (typeof id !== "number") return id;
    table.setControl(id, template);
    tracker.renew(template, now);
    return id;
  }

  #open(
    packet: Packet,
    service: VirtualService,
    destination: Destination,
    port: number,
    outcome: OutcomeSlot,
    now: Instant,
  ): number | OutcomeSlot {
    const { tracker, services } = this.#parts;
    const id = tracker.open(packet, destination, port, service.plan.onePacket, now);
    if (id === NO_CONNECTION) return outcome.drop("drop-table-full");
    services.countConnection(destination);
    return id;
  }

  #pick(packet: Packet, service: VirtualService, now: Instant): Destination | undefined {
    return service.scheduler.pick(this.#request.fill(packet, now), service.destinations);
  }

  /** No destination may take it: ip_vs_leave(). */
  #leave(packet: Packet, service: VirtualService, outcome: OutcomeSlot): OutcomeSlot {
    if (service.port === FTP_PORT && packet.destinationPort !== FTP_PORT) {
      return outcome.pass("pass-ftp-other-port");
    }
    const trouble = { kind: "port-unreachable" } as const;
    return this.#parts.transmitter.refuse(packet, outcome, "drop-no-destination", trouble);
  }
}
