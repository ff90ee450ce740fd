/** Does with a frame what the director decided about its packet: on to a next hop, back to the host, or nothing. */
import type { Outcome } from "../../ipvs/outcome.ts";
import type { Packet } from "../../ipvs/packet.ts";
import { ETHERNET_HEADER_LENGTH } from "../../net/ethernet.ts";
import type { FrameSender } from "./frame-sender.ts";
import type { HostLane } from "./host-lane.ts";
import type { HostSender } from "./host-sender.ts";
import type { RingFrame } from "./packet-ring.ts";
import type { TakenPackets } from "./taken-packets.ts";

export interface DispatchParts {
  readonly sender: FrameSender;
  /** For messages of the host's own. */
  readonly hostSender: HostSender;
  /** What the guard took from the host. */
  readonly taken: TakenPackets;
  readonly lane: HostLane;
}

export class Dispatch {
  readonly #sender: FrameSender;
  readonly #hostSender: HostSender;
  readonly #taken: TakenPackets;
  readonly #lane: HostLane;

  constructor({ sender, hostSender, taken, lane }: DispatchParts) {
    this.#sender = sender;
    this.#hostSender = hostSender;
    this.#taken = taken;
    this.#lane = lane;
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
    } else if (verdict === "pass") {
      const isInPieces = packet.isFragment || packet !== arrived;
      if (this.#taken.has(packet, isInPieces)) this.#giveBack(packet, frame);
    }
    for (const notice of notices) this.#hostSender.enqueue(notice);
  }

  /** The packet is the host's after all, as it now lies. */
  #giveBack(packet: Packet, frame: RingFrame): void {
    const bytes = new Uint8Array(ETHERNET_HEADER_LENGTH + packet.end - packet.start);
    bytes.set(packet.bytes.subarray(packet.start, packet.end), ETHERNET_HEADER_LENGTH);
    this.#lane.writeHeader(bytes, ETHERNET_HEADER_LENGTH);
    const { offload } = frame;
    offload.needsChecksum = packet.isChecksumPartial;
    this.#sender.sendFrame(bytes, this.#lane.entryIndex, offload);
  }
}
