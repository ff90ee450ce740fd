/**
 * Packets from real servers on their way to clients: ip_vs_out_hook() and handle_response().
 *
 * A masqueraded connection's replies get the service's address back. DR's and TUN's are seen only when the director
 * happens to be the servers' gateway: they go on as they are, and from then on count as a conversation seen whole.
 *
 * From the wire a packet meets here first what the host would have done with it before the kernel's hook. At "forward"
 * that is done; at "local-in" and "local-out" the packet goes on in the host's own stack.
 */
import type { Instant } from "../base/clock.ts";
import { FAMILY_OF } from "../net/ip-family.ts";
import type { ConnectionOpener } from "./connection-opener.ts";
import { NO_CONNECTION } from "./connections/connection-table.ts";
import { CONNECTION_FLAG, FORWARDING, FORWARDING_MASK } from "./connections/flow.ts";
import type { DirectorParts } from "./director-parts.ts";
import type { OutcomeSlot } from "./packets/outcome.ts";
import type { Packet } from "./packets/packet.ts";
import { isReset } from "./packets/packet-event.ts";

export class Outgoing {
  readonly #parts: DirectorParts;
  readonly #opener: ConnectionOpener;

  constructor(parts: DirectorParts, opener: ConnectionOpener) {
    this.#parts = parts;
    this.#opener = opener;
  }

  /** Undefined when the packet is no reply of any connection. */
  receive(packet: Packet, outcome: OutcomeSlot, now: Instant): OutcomeSlot | undefined {
    const { tracker, replies } = this.#parts;
    const id = tracker.findReply(packet, now);
    if (id === NO_CONNECTION) {
      return this.#beginCall(packet, outcome, now) ?? this.#unknown(packet, outcome);
    }
    if (packet.hook === "wire") {
      const route = replies.hostRoute(packet);
      if (route !== "local" && !this.#isForwarding(packet)) {
        return outcome.pass("pass-not-forwarding");
      }
      // The kernel's hook comes after what its forwarding refuses: such packets count nowhere.
      const refused = this.#isMasqueraded(id) ? replies.prepare(packet, outcome, route) : undefined;
      if (refused !== undefined) return refused;
    }
    return this.#respond(packet, outcome, id, now);
  }

  /** handle_response(). */
  #respond(packet: Packet, outcome: OutcomeSlot, id: number, now: Instant): OutcomeSlot {
    const { tracker, services, replies } = this.#parts;
    const destination = services.destination(tracker.table.destinationId(id));
    if (!tracker.resets.isIdle && tracker.resets.has(id)) {
      const ended = this.#parts.endings.end(packet, outcome, id, destination, false);
      if (ended !== undefined) return ended;
    }
    const isMasqueraded = this.#isMasqueraded(id);
    const route = isMasqueraded ? replies.route(packet, id) : undefined;
    // What cannot be routed as it would lie then is lost without a word: ip_vs_route_me_harder().
    if (route === "unreachable") return outcome.drop("drop-unreachable");
    services.countOut(destination, packet.length);
    tracker.progress.advance(id, packet, "output", now);
    if (route === undefined) return outcome.pass("pass-reply");
    replies.send(packet, outcome, route, id).of(id);
    // The host's word to the service about its answer is the server's: the kernel's LOCAL_OUT hook hands it on.
    for (const each of outcome.notices) services.countIn(destination, each.length);
    return outcome;
  }

  /** A real server begins a conversation itself, where its service's persistence engine lets it: __ip_vs_rs_conn_out(). */
  #beginCall(packet: Packet, outcome: OutcomeSlot, now: Instant): OutcomeSlot | undefined {
    const { services, tracker, replies } = this.#parts;
    if (packet.hook === "local-in") return undefined;
    const caller = services.addresses.callerOf(packet);
    if (caller === undefined) return undefined;
    const isFromWire = packet.hook === "wire";
    const route = isFromWire ? replies.hostRoute(packet) : "local";
    // What the host does not forward never comes to the kernel's hook.
    if (isFromWire) {
      if (packet.timeToLive <= 1 || typeof route === "string") return undefined;
      if (!this.#isForwarding(packet)) return undefined;
    }
    const id = this.#opener.openFromServer(packet, caller, now);
    if (id === NO_CONNECTION) return undefined;
    const refused = replies.prepare(packet, outcome, route);
    if (refused === undefined) this.#respond(packet, outcome, id, now);
    const isOnePacket = (tracker.table.flags(id) & CONNECTION_FLAG.onePacket) !== 0;
    if (isOnePacket || refused !== undefined) tracker.giveUp(id);
    return outcome;
  }

  /** A real server that sends from a service's port without an entry is told so, if the operator wants it. */
  #unknown(packet: Packet, outcome: OutcomeSlot): OutcomeSlot | undefined {
    const { services, sysctls, refusals } = this.#parts;
    if (sysctls().nat_icmp_send === 0 || !services.addresses.hasMasqueraded(packet))
      return undefined;
    if (isReset(packet)) return undefined;
    return refusals.refuse(packet, outcome, "drop-no-destination", { kind: "port-unreachable" });
  }

  #isForwarding({ family }: Packet): boolean {
    return this.#parts.host.isForwarding(FAMILY_OF[family]);
  }

  #isMasqueraded(id: number): boolean {
    return (this.#parts.tracker.table.flags(id) & FORWARDING_MASK) === FORWARDING.masquerade;
  }
}
