/** Does with a packet what the director decided about it: on to a next hop, back to the host, or nothing. */
import { Output } from "../../ipvs/forward/output.ts";
import type { Host, Route } from "../../ipvs/host.ts";
import type { Outcome } from "../../ipvs/packets/outcome.ts";
import type { Packet } from "../../ipvs/packets/packet.ts";
import { addTimeToLive } from "./door/lane-frame.ts";
import type { LaneSender } from "./door/lane-sender.ts";
import type { RingFrame } from "./ring/packet-ring.ts";
import type { FrameSender } from "./sending/frame-sender.ts";
import type { HostSender } from "./sending/host-sender.ts";

export interface DispatchParts {
  readonly sender: FrameSender;
  /** For messages of the host's own, and what its processes sent. */
  readonly hostSender: HostSender;
  readonly back: LaneSender;
  readonly host: Host;
  /** Whether what goes on passes the host's output and postrouting chains: net.ipv4.vs.conntrack. */
  readonly passesFilters: () => boolean;
}

/** What the loopback takes. */
const LOCAL_MTU = 65_535;

export class Dispatch {
  readonly #sender: FrameSender;
  readonly #hostSender: HostSender;
  readonly #back: LaneSender;
  readonly #host: Host;
  readonly #passesFilters: () => boolean;
  readonly #output = new Output();
  #tooBig = 0;

  constructor({ sender, hostSender, back, host, passesFilters }: DispatchParts) {
    this.#passesFilters = passesFilters;
    this.#host = host;
    this.#sender = sender;
    this.#hostSender = hostSender;
    this.#back = back;
  }

  /** Packets that would have left as the host's own, and are longer than their way takes. */
  get tooBig(): number {
    return this.#tooBig;
  }

  /** `arrived` is the packet that lies in the frame; the outcome's is another when fragments made it whole. */
  perform(outcome: Outcome, arrived: Packet, frame: RingFrame): void {
    const { verdict, packet, route, parts, notices } = outcome;
    if (verdict === "forward" && route !== undefined) {
      if (this.#passesFilters()) this.#sendThroughFilters(packet, route, parts);
      else if (parts.length > 0) for (const part of parts) this.#sender.sendCopy(part, route);
      else if (packet !== arrived) {
        this.#sender.sendCopy(packet.bytes.subarray(packet.start, packet.end), route);
      } else {
        const { offload } = frame;
        offload.needsChecksum = packet.isChecksumPartial;
        this.#sender.send(frame.memory, packet.start, packet.end, route, offload);
      }
    } else if (verdict === "pass" || outcome.teachesHost) this.giveBack(packet, arrived, frame);
    for (const notice of notices) this.#hostSender.enqueue(notice);
  }

  /** As a packet of the host's own would leave: through its output and postrouting chains. */
  #sendThroughFilters(packet: Packet, route: Route, parts: readonly Uint8Array[]): void {
    const whole = parts.length > 0 ? parts : this.#cut(packet, route.mtu);
    for (const part of whole) this.#hostSender.enqueueBy(route, part, packet.mark);
  }

  /** The packet is the host's after all, as it now lies: its stack goes on with it where it was taken. */
  giveBack(packet: Packet, arrived: Packet, frame: RingFrame): void {
    const { bytes, start, end, mark, hook } = packet;
    if (hook === "local-out") {
      this.sendOut(packet);
      return;
    }
    // The host's forwarding takes one from the time to live, which it has done already.
    if (hook === "forward") addTimeToLive(bytes, start);
    const { offload } = frame;
    offload.needsChecksum = packet.isChecksumPartial;
    if (packet === arrived) this.#back.send(frame.memory, start, end, mark, offload);
    else this.#back.sendCopy(bytes.subarray(start, end), mark, offload);
  }

  /** Sends what a process of the host's own sent on its way, past the door's own rule. */
  sendOut(packet: Packet): void {
    const route = this.#host.routeFrom(packet.source, packet.destination, packet.mark);
    const mtu = typeof route === "string" ? LOCAL_MTU : route.mtu;
    for (const part of this.#cut(packet, mtu)) this.#hostSender.enqueue(part, packet.mark);
  }

  #cut(packet: Packet, mtu: number): Uint8Array[] {
    const parts = this.#output.cut(packet, mtu);
    if (parts === undefined) this.#tooBig++;
    return parts ?? [];
  }
}
