/** Fragments become the packets that they were cut from: ip_vs_gather_frags() in ip_vs_core.c, which asks ip_defrag(). */
import type { Instant } from "../../base/clock.ts";
import { Reassembler } from "../../net/reassembly.ts";
import { NO_ARRIVAL, Packet } from "./packet.ts";

/** Bytes before a whole packet: for a tunnel's headers, and before them for a frame's. */
const HEADROOM = 64;
const ROOM_BEFORE = HEADROOM + 64;

export class Gathering {
  readonly #reassembler = new Reassembler();
  readonly #whole = new Packet();

  /** The packet that `fragment` completes, which arrived as its last fragment did; good until the next call. */
  add(fragment: Packet, now: Instant): Packet | "incomplete" | "malformed" {
    const { hook, interfaceIndex, isUnicast } = fragment;
    const view = fragment.family === 4 ? fragment.ipv4 : fragment.ipv6;
    const bytes = this.#reassembler.add(view, now, fragment.mark);
    if (bytes === undefined) return "incomplete";
    const { mark } = this.#reassembler;
    const memory = new Uint8Array(ROOM_BEFORE + bytes.length);
    memory.set(bytes, ROOM_BEFORE);
    const arrival = { ...NO_ARRIVAL, hook, interfaceIndex, isUnicast, mark, headroom: HEADROOM };
    const whole = this.#whole;
    if (whole.moveTo(memory, ROOM_BEFORE, memory.length, arrival) !== undefined) return "malformed";
    whole.longestFragment = this.#reassembler.longestFragment;
    return whole;
  }

  /** Gives up what waited too long. */
  expire(now: Instant): void {
    this.#reassembler.expire(now);
  }
}
