/**
 * Packets from clients: the connection they belong to, or a new one, and on to its destination.
 *
 * ip_vs_in_hook(), tcp_conn_schedule(), ip_vs_schedule() and ip_vs_leave() in the kernel.
 */
import type { Instant } from "../base/clock.ts";
import { IP_PROTOCOL } from "../net/ip-protocol.ts";
import { TCP_FLAG } from "../net/tcp.ts";
import { NO_CONNECTION } from "./connections/connection-table.ts";
import { CONNECTION_FLAG, FORWARDING_MASK } from "./connections/flow.ts";
import { TCP_STATE } from "./connections/tcp-state.ts";
import type { Destination } from "./destination.ts";
import type { Transmitter } from "./forward/transmit.ts";
import type { Host } from "./host.ts";
import type { OutcomeSlot } from "./outcome.ts";
import type { Packet } from "./packet.ts";
import { isUsable, Templates } from "./persistence.ts";
import type { Reason } from "./reasons.ts";
import type { Request } from "./schedulers/scheduler.ts";
import type { ServiceTable } from "./service-table.ts";
import type { Sysctls } from "./sysctls.ts";
import type { Tracker } from "./tracker.ts";
import type { VirtualService } from "./virtual-service.ts";

const FTP_PORT = 21;
const FTP_DATA_PORT = 20;
/** Offset of the flags in a TCP header. */
const TCP_FLAGS_AT = 13;
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
    const { tracker } = this.#parts;
    const found = tracker.find(packet, now);
    let id = found;
    if (id !== NO_CONNECTION && isFirst(packet) && this.#isToBeRescheduled(id)) id = NO_CONNECTION;
    if (id !== NO_CONNECTION && !this.#destination(id).isAvailable) {
      if (!this.#parts.sysctls().expire_nodest_conn)
        return outcome.drop("drop-destination-removed");
      id = NO_CONNECTION;
    }
    if (id !== NO_CONNECTION) {
      if (!this.#isLocal(packet, id)) return outcome.pass("pass-not-local");
      return this.#forward(packet, outcome, id, now);
    }
    const made = this.#schedule(packet, outcome, now);
    // Only now: the entry that is given up still counted while its successor was scheduled, as in the kernel.
    if (found !== NO_CONNECTION) tracker.giveUp(found);
    return typeof made === "number" ? this.#forward(packet, outcome, made, now) : made;
  }

  #forward(packet: Packet, outcome: OutcomeSlot, id: number, now: Instant): OutcomeSlot {
    const { tracker, services, transmitter } = this.#parts;
    const destination = this.#destination(id);
    const port = tracker.table.destinationPort(id);
    const method = tracker.table.flags(id) & FORWARDING_MASK;
    services.countIn(destination, packet.length);
    tracker.advance(id, packet, "input", now);
    transmitter.send(packet, outcome, destination, method, tracker.to(id), port);
    tracker.finish(id);
    return outcome;
  }

  #destination(id: number): Destination {
    return this.#parts.services.destination(this.#parts.tracker.table.destinationId(id));
  }

  /** A client's first packet on an old entry: whether that entry is to be forgotten. is_new_conn_expected(). */
  #isToBeRescheduled(id: number): boolean {
    const { table } = this.#parts.tracker;
    const { conn_reuse_mode, expire_nodest_conn } = this.#parts.sysctls();
    if (expire_nodest_conn && this.#destination(id).weight === 0) return true;
    if (conn_reuse_mode === 0 || table.control(id) !== NO_CONNECTION) return false;
    const state = table.state(id);
    if (table.protocol(id) !== IP_PROTOCOL.tcp) return false;
    return (
      state === TCP_STATE.timeWait ||
      state === TCP_STATE.close ||
      ((conn_reuse_mode & REUSE_FIN_WAIT) !== 0 &&
        state === TCP_STATE.finWait &&
        (table.flags(id) & CONNECTION_FLAG.noOutput) !== 0)
    );
  }

  /** The packets of a VIP that the host lost are not the director's: in the kernel they would not reach LOCAL_IN. */
  #isLocal(packet: Packet, id: number): boolean {
    return this.#destination(id).service.isLocal(packet, this.#parts.host);
  }

  /** A new connection's id, or the outcome when there is none. */
  #schedule(packet: Packet, outcome: OutcomeSlot, now: Instant): number | OutcomeSlot {
    const { services, host } = this.#parts;
    if (!this.#mayOpen(packet)) {
      return outcome.pass(
        services.find(packet) === undefined ? "pass-no-service" : "pass-not-first",
      );
    }
    const service = services.find(packet);
    if (service === undefined) return outcome.pass("pass-no-service");
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
      if (!isUsable(destination, this.#parts.sysctls().expire_quiescent_template)) {
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
    const reason: Reason = "drop-no-destination";
    return this.#parts.transmitter.refuse(packet, outcome, reason, { kind: "port-unreachable" });
  }

  #mayOpen(packet: Packet): boolean {
    if (packet.protocol === IP_PROTOCOL.udp) return true;
    if (packet.protocol === IP_PROTOCOL.sctp) return isFirst(packet);
    const flags = packet.bytes[packet.transport + TCP_FLAGS_AT]!;
    if ((flags & TCP_FLAG.rst) !== 0) return false;
    return (flags & TCP_FLAG.syn) !== 0 || this.#parts.sysctls().sloppy_tcp;
  }
}

const SCTP_HEADER_LENGTH = 12;
const SCTP_INIT = 1;

/** is_new_conn(): TCP's SYN, whatever else is set; SCTP's INIT. */
function isFirst(packet: Packet): boolean {
  const { bytes, transport, end, protocol } = packet;
  if (protocol === IP_PROTOCOL.tcp) return (bytes[transport + TCP_FLAGS_AT]! & TCP_FLAG.syn) !== 0;
  if (protocol !== IP_PROTOCOL.sctp) return false;
  return (
    transport + SCTP_HEADER_LENGTH < end && bytes[transport + SCTP_HEADER_LENGTH] === SCTP_INIT
  );
}
