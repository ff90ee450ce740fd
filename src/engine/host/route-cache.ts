/**
 * The answers to the questions for routes that were asked last. Neither a hit nor an entry allocates.
 *
 * Each question has four places; an answer that comes takes one from another. So a million clients cost no more memory
 * than a hundred thousand. Time is counted in ticks that somebody else makes: a clock would cost as much as the lookup.
 */
import type { Route } from "../../ipvs/host.ts";
import type { Address } from "../../net/address.ts";

export type RouteAnswer = Route | "local" | "unreachable";

const WAYS = 4;
const PLACES_MAX = 1 << 17;

/** Words of a place: what was asked, and until when the answer holds. */
// biome-ignore format: a table
const at = { destination: 0, source: 4, mark: 8, kind: 9, epoch: 10, expires: 11 } as const;
const PLACE_LENGTH = 12;

/** What kind of question: of which family, and whether it names a source. */
const INET6 = 1;
const FROM_SOURCE = 2;

export class RouteCache {
  readonly #sets: number;
  readonly #words: Int32Array;
  readonly #answers: (RouteAnswer | undefined)[];
  /** Places of another epoch are empty. */
  #epoch = 1;
  #tick = 0;
  #next = 0;

  constructor(places: number = PLACES_MAX) {
    this.#sets = places / WAYS;
    this.#words = new Int32Array(places * PLACE_LENGTH);
    this.#answers = Array.from<RouteAnswer | undefined>({ length: places });
  }

  find(destination: Address, source: Address | undefined, mark: number): RouteAnswer | undefined {
    const place = this.#placeOf(destination, source, mark);
    if (place < 0 || this.#words[place * PLACE_LENGTH + at.expires]! <= this.#tick)
      return undefined;
    return this.#answers[place];
  }

  /** Keeps an answer for `ticks`. */
  set(
    destination: Address,
    source: Address | undefined,
    mark: number,
    answer: RouteAnswer,
    ticks: number,
  ): void {
    const known = this.#placeOf(destination, source, mark);
    const place = known < 0 ? this.#freePlace(destination, source, mark) : known;
    const words = this.#words;
    const from = place * PLACE_LENGTH;
    writeAddress(words, from + at.destination, destination);
    if (source !== undefined) writeAddress(words, from + at.source, source);
    words[from + at.mark] = mark;
    words[from + at.kind] = kindOf(destination, source);
    words[from + at.epoch] = this.#epoch;
    words[from + at.expires] = this.#tick + ticks;
    this.#answers[place] = answer;
  }

  clear(): void {
    this.#epoch++;
  }

  tick(): void {
    this.#tick++;
  }

  /** Where the question lies, whether its answer still holds or not; -1 when nowhere. */
  #placeOf(destination: Address, source: Address | undefined, mark: number): number {
    const words = this.#words;
    const kind = kindOf(destination, source);
    const first = this.#firstPlace(destination, source, mark);
    for (let place = first; place < first + WAYS; place++) {
      const from = place * PLACE_LENGTH;
      if (
        words[from + at.epoch] === this.#epoch &&
        words[from + at.kind] === kind &&
        words[from + at.mark] === (mark | 0) &&
        isAddress(words, from + at.destination, destination) &&
        (source === undefined || isAddress(words, from + at.source, source))
      ) {
        return place;
      }
    }
    return -1;
  }

  /** An empty place, one that no longer holds, or whichever has its turn. */
  #freePlace(destination: Address, source: Address | undefined, mark: number): number {
    const first = this.#firstPlace(destination, source, mark);
    for (let place = first; place < first + WAYS; place++) {
      const from = place * PLACE_LENGTH;
      if (this.#words[from + at.epoch] !== this.#epoch) return place;
      if (this.#words[from + at.expires]! <= this.#tick) return place;
    }
    this.#next = (this.#next + 1) % WAYS;
    return first + this.#next;
  }

  #firstPlace(destination: Address, source: Address | undefined, mark: number): number {
    let hash = destination.hash;
    if (source !== undefined) hash ^= Math.imul(source.hash, 0x9e3779b1);
    if (mark !== 0) hash ^= Math.imul(mark, 0x85ebca6b);
    return ((hash ^ (hash >>> 15)) & (this.#sets - 1)) * WAYS;
  }
}

function kindOf(destination: Address, source: Address | undefined): number {
  return (destination.family === "inet6" ? INET6 : 0) | (source === undefined ? 0 : FROM_SOURCE);
}

function writeAddress(words: Int32Array, start: number, { w0, w1, w2, w3 }: Address): void {
  words[start] = w0;
  words[start + 1] = w1;
  words[start + 2] = w2;
  words[start + 3] = w3;
}

function isAddress(words: Int32Array, start: number, { w0, w1, w2, w3 }: Address): boolean {
  return (
    words[start + 3] === w3 &&
    words[start + 2] === w2 &&
    words[start + 1] === w1 &&
    words[start] === w0
  );
}
