/**
 * Who has tried before: the client of a dropped SYN sends it again after a second (RFC 6298), a flood of random sources
 * does not. So of beginnings that are too many, the second try of each is to be preferred.
 *
 * A Bloom filter with one hash in two generations: it costs 256 KiB and the same time always, now and then takes a first
 * try for a second, and never forgets one within MEMORY_MS.
 */
import type { Instant } from "../../base/clock.ts";
import type { Opening } from "../packets/opening.ts";

/** Longer than clients wait for the first two times: one second and two. */
const MEMORY_MS = 4_000;

const BITS_SHIFT = 20;

export class SecondTries {
  readonly #key: number;
  #young = new Int32Array(1 << (BITS_SHIFT - 5));
  #old = new Int32Array(1 << (BITS_SHIFT - 5));
  #turnsAt = 0;

  /** `key`: random, so that nobody outside knows which tries look like another's second. */
  constructor(key: number) {
    this.#key = key;
  }

  /** Whether this opening was told of lately; it now is. */
  isSecond(opening: Opening, now: Instant): boolean {
    if (now >= this.#turnsAt) this.#turn(now);
    const hash = hashOf(opening, this.#key);
    const word = hash >>> (32 - BITS_SHIFT + 5);
    const bit = 1 << ((hash >>> (32 - BITS_SHIFT)) & 31);
    const isKnown = ((this.#young[word]! | this.#old[word]!) & bit) !== 0;
    this.#young[word] = this.#young[word]! | bit;
    return isKnown;
  }

  #turn(now: Instant): void {
    const spare = this.#old.fill(0);
    this.#old = this.#young;
    this.#young = spare;
    if (now >= this.#turnsAt + MEMORY_MS) this.#old.fill(0);
    this.#turnsAt = now + MEMORY_MS;
  }
}

/** Of the flow's ends; MurmurHash3's mixing. The virtual address adds nothing: a client's port tells its tries apart. */
function hashOf(opening: Opening, key: number): number {
  let hash = mix(key, opening.source0);
  hash = mix(hash, opening.source1);
  hash = mix(hash, opening.source2);
  hash = mix(hash, opening.source3);
  hash = mix(hash, (opening.sourcePort << 16) | opening.destinationPort);
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

function mix(hash: number, word: number): number {
  const scrambled = Math.imul(word, 0xcc9e2d51);
  const mixed = hash ^ Math.imul((scrambled << 15) | (scrambled >>> 17), 0x1b873593);
  return (Math.imul((mixed << 13) | (mixed >>> 19), 5) + 0xe6546b64) | 0;
}
