/**
 * What no packet can do without: it is parsed, and something about its flow is looked up.
 *
 * A table of typed memory with a cheap hash and one probe, nothing checked, nothing counted: the floor under every
 * director in this language on this machine. Figures are given as multiples of it, because those travel.
 */
import type { Packet } from "../src/ipvs/packets/packet.ts";

/** Client's address, ports, and a value. */
const WORDS = 4;

export class FloorTable {
  readonly #words: Int32Array;
  readonly #mask: number;

  /** For up to `flows`, half full at most. */
  constructor(flows: number) {
    let capacity = 2;
    while (capacity < 2 * flows) capacity *= 2;
    this.#words = new Int32Array(capacity * WORDS);
    this.#mask = capacity - 1;
  }

  /** The last to come has the slot: a probe reads it all the same. */
  add(packet: Packet): void {
    const slot = this.#slot(packet);
    this.#words[slot] = packet.source3;
    this.#words[slot + 1] = portsOf(packet);
    this.#words[slot + 2] = 1;
  }

  /** Its value, or 0. */
  probe(packet: Packet): number {
    const slot = this.#slot(packet);
    const words = this.#words;
    return words[slot] === packet.source3 && words[slot + 1] === portsOf(packet)
      ? words[slot + 2]!
      : 0;
  }

  #slot(packet: Packet): number {
    const mixed = Math.imul(packet.source3 ^ Math.imul(portsOf(packet), 0x9e3779b1), 0x85ebca6b);
    return ((mixed ^ (mixed >>> 15)) & this.#mask) * WORDS;
  }
}

function portsOf(packet: Packet): number {
  return (packet.sourcePort << 16) | packet.destinationPort;
}
