/** What the programs have counted at each destination since it was last told: struct destination in bpf/abi/. */

import type { Destination } from "../../ipvs/services/destination.ts";
import type { OffloadedTraffic } from "../../ipvs/services/service-table.ts";
import { destination } from "./abi.ts";
import { DESTINATIONS_MAX } from "./kernel-maps.ts";

const COUNTERS = ["connections", "inPackets", "inBytes", "outPackets", "outBytes"] as const;
const WORDS = destination.size / 4;
const LONG_WORDS = destination.size / 8;

export class DestinationCounts {
  readonly #words: Uint32Array;
  readonly #counts: BigUint64Array;
  /** By slot, as they were when they were told. */
  readonly #told = new Map<number, number[]>();
  /** Their lower words then, by which most destinations, of which nothing was counted since, cost no more than a look. */
  readonly #lowerWords = new Uint32Array(DESTINATIONS_MAX * COUNTERS.length);

  /** `memory`: of all destinations. */
  constructor(memory: ArrayBufferLike) {
    this.#words = new Uint32Array(memory);
    this.#counts = new BigUint64Array(memory);
  }

  /** Nothing is counted there any more. */
  forget(slot: number): void {
    this.#told.delete(slot);
    this.#lowerWords.fill(0, slot * COUNTERS.length, (slot + 1) * COUNTERS.length);
  }

  tell(which: Destination, told: OffloadedTraffic): void {
    const { slot } = which.load;
    if (slot < 0 || !this.#hasCounted(slot)) return;
    const at = slot * LONG_WORDS + destination.connections / 8;
    const before = this.#told.get(slot);
    const now = COUNTERS.map((_, index) => Number(Atomics.load(this.#counts, at + index)));
    const since = now.map((count, index) => count - (before?.[index] ?? 0));
    if (since.every((count) => count === 0)) return;
    this.#told.set(slot, now);
    const [connections, inPackets, inBytes, outPackets, outBytes] = since as Five;
    told(which, { connections, inPackets, inBytes, outPackets, outBytes });
  }

  /** Whether counters are others than they were at the last call. */
  #hasCounted(slot: number): boolean {
    let hasCounted = false;
    for (let index = 0; index < COUNTERS.length; index++) {
      const word = this.#words[slot * WORDS + destination.connections / 4 + 2 * index]!;
      const before = slot * COUNTERS.length + index;
      if (this.#lowerWords[before] === word) continue;
      this.#lowerWords[before] = word;
      hasCounted = true;
    }
    return hasCounted;
  }
}

type Five = [number, number, number, number, number];
