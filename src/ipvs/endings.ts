/** A packet of a connection that is being ended from outside: in its place both sides get a reset (tracking/resets.ts). */
import { FORWARDING_MASK } from "./connections/flow.ts";
import type { Transmitter } from "./forward/transmit.ts";
import type { OutcomeSlot } from "./packets/outcome.ts";
import { NO_ARRIVAL, Packet } from "./packets/packet.ts";
import type { Destination } from "./services/destination.ts";
import type { Tracker } from "./tracking/tracker.ts";

/** Bytes before the server's reset: for a tunnel's headers, and before them for a frame's. */
const HEADROOM = 64;
const ROOM_BEFORE = HEADROOM + 64;

export class Endings {
  readonly #tracker: Tracker;
  readonly #transmitter: Transmitter;
  readonly #reset = new Packet();

  constructor(tracker: Tracker, transmitter: Transmitter) {
    this.#tracker = tracker;
    this.#transmitter = transmitter;
  }

  /**
   * Ends the connection, if the packet tells where both sides are: the server's reset goes the way of a client's packet,
   * the client's leaves as a message of the host's own. Undefined when it does not: it goes on as any other.
   */
  end(
    packet: Packet,
    outcome: OutcomeSlot,
    id: number,
    destination: Destination,
    isFromClient: boolean,
  ): OutcomeSlot | undefined {
    const tracker = this.#tracker;
    const resets = tracker.resets.resetsBy(packet, id, isFromClient);
    if (resets === undefined) return undefined;
    const { toClient, toServer } = resets;
    const memory = new Uint8Array(ROOM_BEFORE + toServer.length);
    memory.set(toServer, ROOM_BEFORE);
    const hook = isFromClient ? packet.hook : "local-in";
    const reset = this.#reset;
    reset.moveTo(memory, ROOM_BEFORE, memory.length, { ...NO_ARRIVAL, hook, headroom: HEADROOM });
    outcome.packet = reset;
    const method = tracker.table.flags(id) & FORWARDING_MASK;
    this.#transmitter.send(reset, outcome, destination, method, id).withNotice(toClient);
    tracker.resets.done(id);
    return outcome;
  }
}
