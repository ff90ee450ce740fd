/**
 * What stops a packet on its way on: its time to live is spent, it does not fit, nobody is there. And telling its source.
 */
import type { Address } from "../../net/address.ts";
import type { Host } from "../host.ts";
import type { OutcomeSlot } from "../packets/outcome.ts";
import type { Packet } from "../packets/packet.ts";
import type { Reason } from "../packets/reasons.ts";
import { isAnswerable, notice, type Trouble } from "./notices.ts";
import { wireLength } from "./output.ts";

export class Refusals {
  readonly #host: Host;

  constructor(host: Host) {
    this.#host = host;
  }

  /** Drops the packet and tells its source, from the address that it was sent to or that the host has towards it. */
  refuse(packet: Packet, outcome: OutcomeSlot, reason: Reason, trouble: Trouble): OutcomeSlot {
    outcome.drop(reason);
    return this.tell(packet, outcome, this.#noticeSource(packet), trouble);
  }

  /** No route leads on. */
  unreachable(packet: Packet, outcome: OutcomeSlot): OutcomeSlot {
    return this.refuse(packet, outcome, "drop-unreachable", { kind: "host-unreachable" });
  }

  /** Adds a message from `from`, if there may be one. Asks for the host's leave last: asking counts as sending. */
  tell(
    packet: Packet,
    outcome: OutcomeSlot,
    from: Address | undefined,
    trouble: Trouble,
  ): OutcomeSlot {
    if (from === undefined || !isAnswerable(packet)) return outcome;
    if (!this.#host.mayTell(packet.source, trouble.kind)) return outcome;
    return outcome.withNotice(notice(packet, from, trouble));
  }

  /** Takes one from the time to live and sees that the packet fits into `mtu`; the refusal when it cannot go. */
  prepare(packet: Packet, outcome: OutcomeSlot, mtu: number): OutcomeSlot | undefined {
    return this.spendTimeToLive(packet, outcome) ?? this.checkLength(packet, outcome, mtu);
  }

  spendTimeToLive(packet: Packet, outcome: OutcomeSlot): OutcomeSlot | undefined {
    const refused = this.checkTimeToLive(packet, outcome);
    if (refused === undefined) packet.decrementTimeToLive();
    return refused;
  }

  checkTimeToLive(packet: Packet, outcome: OutcomeSlot): OutcomeSlot | undefined {
    if (packet.timeToLive > 1) return undefined;
    return this.refuse(packet, outcome, "drop-time-exceeded", { kind: "time-exceeded" });
  }

  /**
   * ensure_mtu_is_adequate(): a packet that nobody on the way may fragment must fit. One that came in fragments may go
   * on in such.
   */
  checkLength(packet: Packet, outcome: OutcomeSlot, mtu: number): OutcomeSlot | undefined {
    if (this.fits(packet, mtu)) return undefined;
    return this.refuse(packet, outcome, "drop-packet-too-big", { kind: "too-big", mtu });
  }

  fits(packet: Packet, mtu: number): boolean {
    if (packet.length <= mtu) return true;
    const length = packet.longestFragment || wireLength(packet);
    return length <= mtu || (packet.family === 4 && !packet.ipv4.dontFragment);
  }

  /**
   * icmp_send(): the address that the packet was sent to when it is the host's own, else the host's towards the source.
   * A mark that routes to the host makes an address its own, but none that the host sends IPv4 from: nobody is told then.
   */
  #noticeSource(packet: Packet): Address | undefined {
    if (this.#host.isLocal(packet.destination)) return packet.destination;
    if (packet.hook === "local-in" && packet.family === 4) return undefined;
    const back = this.#host.route(packet.source);
    if (back === "local" && packet.hook !== "wire") return packet.source;
    return typeof back === "string" ? undefined : back.source;
  }
}
