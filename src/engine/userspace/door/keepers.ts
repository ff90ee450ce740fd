/**
 * Who keeps the door's tables for a while after their process has gone (nft.ts), written where the next process finds it.
 *
 * A process is known by its pid and when it started (field 22 of /proc/PID/stat), because pids are used again.
 */
import { readFileSync } from "node:fs";

/** Each is a pid, when it started, and the number of its tables; zeros are a free place. */
const WORDS_EACH = 3;
const PLACES = 8;
/** Where they begin in the file of connections. */
export const KEEPERS_AT = 1088;
/** The descriptor by which a keeper has the network namespace of our end of the lane. */
export const KEPT_NAMESPACE_FD = 3;
export const KEEPER_WORDS = WORDS_EACH * PLACES;

export class Keepers {
  readonly #words: Float64Array;
  /** Those that others started. */
  readonly #earlier = new Set<number>();

  constructor(words: Float64Array) {
    this.#words = words;
    for (let place = 0; place < PLACES; place++) {
      if (this.#isAlive(place)) this.#earlier.add(place);
      else this.#clear(place);
    }
  }

  /** A number for tables that none of those kept has, nor `other` ones. */
  freeNumber(...other: readonly number[]): number {
    const kept = this.#places().map((place) => this.#words[place * WORDS_EACH + 2]!);
    const taken = new Set([...kept, ...other]);
    let number = 0;
    while (taken.has(number)) number++;
    return number;
  }

  /** Those that live, whoever started them. */
  pids(): number[] {
    return this.#places()
      .filter((place) => this.#isAlive(place))
      .map((place) => this.#words[place * WORDS_EACH]!);
  }

  /** Our own, whose tables have this number. It leads a process group. */
  add(pid: number, number: number): void {
    const startedAt = startOf(pid);
    if (startedAt === undefined) return;
    const place = this.#freePlace();
    this.#words.set([0, startedAt, number], place * WORDS_EACH);
    // Last, because it makes the place count.
    this.#words[place * WORDS_EACH] = pid;
  }

  /** Ends one of our own, and with it its tables. */
  end(pid: number): void {
    for (let place = 0; place < PLACES; place++) {
      if (this.#words[place * WORDS_EACH] === pid) this.#end(place);
    }
  }

  /** Ends those of earlier processes, and with them their tables. */
  endEarlier(): void {
    for (const place of this.#earlier) this.#end(place);
  }

  /** Those that count. */
  #places(): number[] {
    const all = Array.from({ length: PLACES }, (_, place) => place);
    return all.filter((place) => this.#words[place * WORDS_EACH] !== 0);
  }

  /**
   * When many processes ended before they took packets, the last one goes: a process that takes packets ends all before it,
   * so it is the oldest whose tables keep the host away.
   */
  #freePlace(): number {
    const used = this.#places();
    for (let place = 0; place < PLACES; place++) if (!used.includes(place)) return place;
    const startedAt = (place: number): number => this.#words[place * WORDS_EACH + 1]!;
    const youngest = used.reduce((one, other) =>
      startedAt(other) >= startedAt(one) ? other : one,
    );
    this.#end(youngest);
    return youngest;
  }

  #end(place: number): void {
    if (this.#isAlive(place)) kill(this.#words[place * WORDS_EACH]!);
    this.#clear(place);
  }

  #clear(place: number): void {
    this.#words.fill(0, place * WORDS_EACH, (place + 1) * WORDS_EACH);
    this.#earlier.delete(place);
  }

  #isAlive(place: number): boolean {
    const [pid = 0, startedAt] = this.#words.subarray(place * WORDS_EACH);
    return Number.isInteger(pid) && pid > 1 && startOf(pid) === startedAt;
  }
}

/** When the process started, in ticks since boot; undefined when there is none. */
function startOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    // The name, in parentheses, may have blanks and parentheses itself.
    const [state, ...rest] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return state === "Z" ? undefined : Number(rest[18]);
  } catch {
    return undefined;
  }
}

/** Its whole group: what it waits for, too. */
function kill(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // It has just ended by itself.
  }
}
