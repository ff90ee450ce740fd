/**
 * Sees that destinations count what there is: an earlier process may have ended between a connection and its count.
 *
 * Records are counted some at a time; those that are counted already and change meanwhile are told by the table. A difference
 * stays the same as long as nobody mends it, so it is looked at while packets flow.
 */
import { type ConnectionTable, NO_CONNECTION } from "../../ipvs/connections/connection-table.ts";
import { CONNECTION_FLAG } from "../../ipvs/connections/flow.ts";
import type { Destination } from "../../ipvs/services/destination.ts";

/** Records at a time: about a millisecond's. */
const PORTION = 8_192;
/** In the last one's place. */
const ALL = Number.POSITIVE_INFINITY;
/** Of its slot, as often in a row, before a difference counts: a packet may be counted, and its news not yet told. */
const AGREEING = 3;
/** To see a moment in which no news came. */
const ATTEMPTS = 8;

type Counted = Pick<Destination, "id" | "load" | "recount">;

interface Parts {
  readonly table: ConnectionTable;
  readonly news: { readonly isEmpty: boolean };
  /** Destinations that count their connections where the programs have them. */
  readonly counted: () => Iterable<Counted>;
}

interface Count {
  active: number;
  inactive: number;
}

interface Difference extends Readonly<Count> {
  readonly seen: number;
}

export class Recount implements Disposable {
  readonly #parts: Parts;
  /** Of the records up to the last one, by destination's id. */
  readonly #counts = new Map<number, Count>();
  readonly #differences = new Map<number, Difference>();
  readonly #done = new Set<number>();
  #last = NO_CONNECTION;
  /** Destinations whose count was not what it should be. */
  mended = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
    parts.table.onCounted = (id, change) => {
      if (id <= this.#last) this.#count(id, change);
    };
  }

  [Symbol.dispose](): void {
    this.#parts.table.onCounted = undefined;
  }

  /** To be called from time to time, when all news have been told, until it is true. `tell`: tells what has come meanwhile. */
  look(tell: () => void): boolean {
    if (!this.#walk()) return false;
    const counted = this.#snapshot(tell);
    if (counted === undefined) return false;
    let isAgreed = true;
    for (const [destination, { active, inactive }] of counted) {
      const records = this.#counts.get(destination.id);
      const difference = {
        active: active - (records?.active ?? 0),
        inactive: inactive - (records?.inactive ?? 0),
      };
      isAgreed = this.#consider(destination, difference) && isAgreed;
    }
    return isAgreed;
  }

  /** Counts some more records: whether those were all. */
  #walk(): boolean {
    const { table } = this.#parts;
    if (this.#last === ALL) return true;
    for (let looked = 0; looked < PORTION; looked++) {
      const id = table.nextId(this.#last);
      if (id === NO_CONNECTION) {
        this.#last = ALL;
        return true;
      }
      this.#last = id;
      this.#count(id, 1);
    }
    return false;
  }

  #count(id: number, change: 1 | -1): void {
    const { table } = this.#parts;
    const flags = table.flags(id);
    if ((flags & CONNECTION_FLAG.template) !== 0) return;
    const destination = table.destinationId(id);
    const count = this.#counts.get(destination) ?? { active: 0, inactive: 0 };
    this.#counts.set(destination, count);
    if ((flags & CONNECTION_FLAG.inactive) === 0) count.active += change;
    else count.inactive += change;
  }

  #consider(destination: Counted, { active, inactive }: Readonly<Count>): boolean {
    const { slot } = destination.load;
    if (this.#done.has(slot)) return true;
    const before = this.#differences.get(slot);
    const isSame = before?.active === active && before.inactive === inactive;
    const seen = isSame ? before.seen + 1 : 1;
    this.#differences.set(slot, { active, inactive, seen });
    if (seen < AGREEING) return false;
    this.#done.add(slot);
    if (active === 0 && inactive === 0) return true;
    this.mended++;
    destination.recount(-active, -inactive);
    return true;
  }

  /** What destinations count in a moment in which the director's table is the programs'; undefined: there was none. */
  #snapshot(tell: () => void): Map<Counted, Readonly<Count>> | undefined {
    const { counted, news } = this.#parts;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      tell();
      const counts = new Map(
        Array.from(counted(), (each) => {
          const { active, inactive } = each.load;
          return [each, { active, inactive }] as const;
        }),
      );
      if (news.isEmpty) return counts;
    }
    return undefined;
  }
}
