/** Does with a packet what the director decided about it: on to a next hop, back to the host, or nothing. */
import type { Outcome } from "../../ipvs/outcome.ts";
import type { Packet } from "../../ipvs/packet.ts";
import { addTimeToLive } from "./door/lane-frame.ts";
import type { LaneSender } from "./door/lane-sender.ts";
import type { FrameSender } from "./frame-sender.ts";
import type { RingFrame } from "./packet-ring.ts";

export class Dispatch {
  readonly #sender: FrameSender;
  readonly #back: LaneSender;

  constructor(sender: FrameSender, back: LaneSender) {
    this.#sender = sender;
    this.#back = back;
  }

  /** `arrived` is the packet that lies in the frame; the outcome's is another when fragments made it whole. */
  perform(outcome: Outcome, arrived: Packet, frame: RingFrame): void {
    const { verdict, packet, route, parts, notices } = outcome;
    if (verdict === "forward" && route !== undefined) {
      if (parts.length > 0) for (const part of parts) this.#sender.sendCopy(part, route);
      else if (packet !== arrived) {
        this.#sender.sendCopy(packet.bytes.subarray(packet.start, packet.end), route);
      } else {
        const { offload } = frame;
        offload.needsChecksum = packet.isChecksumPartial;
        this.#sender.send(frame.memory, packet.start, packet.end, route, offload);
      }
    } else if (verdict === "pass") this.giveBack(packet, arrived, frame);
    for (const notice of notices) this.#sender.sendRouted(notice);
  }

  /** The packet is the host's after all, as it now lies. */
  giveBack(packet: Packet, arrived: Packet, frame: RingFrame): void {
    const { bytes, start, end, mark, hook } = packet;
    // The host's forwarding takes one from the time to live, which it has done already.
    if (hook === "forward") addTimeToLive(bytes, start);
    const { offload } = frame;
    offload.needsChecksum = packet.isChecksumPartial;
    if (packet === arrived) this.#back.send(frame.memory, start, end, mark, offload);
    else this.#back.sendCopy(bytes.subarray(start, end), mark, offload);
  }
}
