/**
 * Packets from clients: the connection they belong to, or a new one, and on to its destination.
 *
 * ip_vs_in_hook() in the kernel.
 */
import type { Instant } from "../base/clock.ts";
import { IP_PROTOCOL } from "../net/ip-protocol.ts";
import type { ConnectionOpener } from "./connection-opener.ts";
import { NO_CONNECTION } from "./connections/connection-table.ts";
import { CONNECTION_FLAG, FORWARDING, FORWARDING_MASK } from "./connections/flow.ts";
import { SCTP_STATE } from "./connections/sctp-state.ts";
import { TCP_STATE } from "./connections/tcp-state.ts";
import type { DirectorParts } from "./director-parts.ts";
import type { OutcomeSlot } from "./packets/outcome.ts";
import type { Packet } from "./packets/packet.ts";
import { isFirst } from "./packets/packet-event.ts";
import type { Destination } from "./services/destination.ts";

/** conn_reuse_mode's bit for the state in which DR and TUN see a connection end. */
const REUSE_FIN_WAIT = 2;

export class Incoming {
  readonly #parts: DirectorParts;
  readonly #opener: ConnectionOpener;

  constructor(parts: DirectorParts, opener: ConnectionOpener) {
    this.#parts = parts;
    this.#opener = opener;
  }

  receive(packet: Packet, outcome: OutcomeSlot, now: Instant): OutcomeSlot {
    const { tracker, services, host, sysctls } = this.#parts;
    const id = tracker.find(packet, now);
    if (id === NO_CONNECTION) return this.#begin(packet, outcome, now);
    const destination = services.destination(tracker.table.destinationId(id));
    // Packets to a VIP that the host lost are not the director's: in the kernel they would not reach LOCAL_IN.
    if (!services.isOwn(packet, destination.service, host)) return outcome.pass("pass-not-local");
    if (!tracker.resets.isIdle && tracker.resets.has(id)) {
      const ended = this.#parts.endings.end(packet, outcome, id, destination, true);
      if (ended !== undefined) return ended;
    }
    const isToBeRescheduled = isFirst(packet) && this.#isToBeRescheduled(id, destination);
    if (!isToBeRescheduled && !this.#isOvertaken(id, destination)) {
      if (destination.isAvailable) return this.#forward(packet, outcome, id, destination, now);
      if (sysctls().expire_nodest_conn === 0) return outcome.drop("drop-destination-removed");
    }
    tracker.room.hold(id);
    this.#begin(packet, outcome, now);
    // Only now: the entry that is given up still counted while its successor was scheduled, as in the kernel.
    tracker.giveUp(id);
    return outcome;
  }

  /** A packet of no connection. */
  #begin(packet: Packet, outcome: OutcomeSlot, now: Instant): OutcomeSlot {
    const { tracker, services } = this.#parts;
    const id = this.#opener.open(packet, outcome, now);
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
    tracker.progress.advance(id, packet, "input", now);
    const method = flags & FORWARDING_MASK;
    transmitter.send(packet, outcome, destination, method, id).of(id);
    const isOnePacket = (flags & CONNECTION_FLAG.onePacket) !== 0;
    // The kernel's LOCAL_OUT hook takes the host's own errors about requests for those of a router behind it.
    if (outcome.notices.length > 0 && method !== FORWARDING.masquerade && !isOnePacket) {
      services.countOut(destination, outcome.notices[0]!.length);
    }
    if (isOnePacket) tracker.giveUp(id);
    return outcome;
  }

  /**
   * An offload opened it for this very packet, and left that to the director; and when the director comes to it, the
   * destination is no longer there.
   */
  #isOvertaken(id: number, destination: Destination): boolean {
    const { table } = this.#parts.tracker;
    if (destination.isAvailable || destination.service.plan.persistence !== undefined) return false;
    return table.inPackets(id) === 0 && table.control(id) === NO_CONNECTION;
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
}
