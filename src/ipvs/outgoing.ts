/**
 * Packets from real servers on their way to clients: ip_vs_out_hook() and handle_response().
 *
 * A masqueraded connection's replies get the service's address back. DR's and TUN's are seen only when the director
 * happens to be the servers' gateway: they go on as they are, and from then on count as a conversation seen whole.
 */
import type { Instant } from "../base/clock.ts";
import { NO_CONNECTION } from "./connections/connection-table.ts";
import { CONNECTION_FLAG, FORWARDING, FORWARDING_MASK } from "./connections/flow.ts";
import type { Parts } from "./incoming.ts";
import type { OutcomeSlot } from "./outcome.ts";
import type { Packet } from "./packet.ts";
import { isReset } from "./packet-event.ts";
import type { Scheduling } from "./scheduling.ts";

export class Outgoing {
  readonly #parts: Parts;
  readonly #scheduling: Scheduling;

  constructor(parts: Parts, scheduling: Scheduling) {
    this.#parts = parts;
    this.#scheduling = scheduling;
  }

  /** Undefined when the packet is no reply of any connection. */
  receive(packet: Packet, outcome: OutcomeSlot, now: Instant): OutcomeSlot | undefined {
    const { tracker, services, transmitter, host } = this.#parts;
    const id = tracker.findReply(packet, now);
    if (id === NO_CONNECTION) {
      return this.#beginCall(packet, outcome, now) ?? this.#unknown(packet, outcome);
    }
    const { table } = tracker;
    const route = host.route(packet.destination);
    if (route !== "local" && !host.isForwarding(packet.family === 4 ? "inet" : "inet6")) {
      return outcome.pass("pass-not-forwarding");
    }
    const isMasqueraded = (table.flags(id) & FORWARDING_MASK) === FORWARDING.masquerade;
    if (isMasqueraded) {
      // The kernel's hook comes after what its forwarding refuses: such packets count nowhere.
      const refused = transmitter.prepareReply(packet, outcome, route);
      if (refused !== undefined) return refused;
    }
    services.countOut(services.destination(table.destinationId(id)), packet.length);
    tracker.advance(id, packet, "output", now);
    if (!isMasqueraded || route === "unreachable") return outcome.pass("pass-reply");
    return transmitter.reply(packet, outcome, route, id);
  }

  /** A real server begins a conversation itself, where its service's persistence engine lets it: sip's conn_out. */
  #beginCall(packet: Packet, outcome: OutcomeSlot, now: Instant): OutcomeSlot | undefined {
    const { services, tracker, transmitter, host } = this.#parts;
    const caller = services.addresses.callerOf(packet);
    if (caller === undefined) return undefined;
    // What the host does not forward never comes to the kernel's hook.
    if (packet.timeToLive <= 1) return undefined;
    const route = host.route(packet.destination);
    if (route === "local" || route === "unreachable") return undefined;
    if (!host.isForwarding(packet.family === 4 ? "inet" : "inet6")) return undefined;
    const id = this.#scheduling.openFromServer(packet, caller, now);
    if (id === NO_CONNECTION) return undefined;
    const refused = transmitter.prepareReply(packet, outcome, route);
    if (refused === undefined) {
      services.countOut(caller, packet.length);
      tracker.advance(id, packet, "output", now);
      transmitter.reply(packet, outcome, route, id);
    }
    const isOnePacket = (tracker.table.flags(id) & CONNECTION_FLAG.onePacket) !== 0;
    if (isOnePacket || refused !== undefined) tracker.giveUp(id);
    return outcome;
  }

  /** A real server that sends from a service's port without an entry is told so, if the operator wants it. */
  #unknown(packet: Packet, outcome: OutcomeSlot): OutcomeSlot | undefined {
    const { services, sysctls, transmitter } = this.#parts;
    if (sysctls().nat_icmp_send === 0 || !services.addresses.hasMasqueraded(packet))
      return undefined;
    if (isReset(packet)) return undefined;
    return transmitter.refuse(packet, outcome, "drop-no-destination", { kind: "port-unreachable" });
  }
}
