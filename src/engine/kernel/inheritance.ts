/**
 * Goes on with the programs' table as an earlier process left it: connections that the director has no record of are told, some at
 * a time, and then it is seen to that each destination counts the connections that there are.
 */

import { NO_CONNECTION } from "../../ipvs/connections/connection-table.ts";
import { CONNECTION_FLAG } from "../../ipvs/connections/flow.ts";
import type { OffloadListener } from "../../ipvs/offload.ts";
import type { Destination } from "../../ipvs/services/destination.ts";
import type { EntryView, KernelEntries } from "./kernel-entries.ts";
import type { KernelMaps } from "./kernel-maps.ts";
import type { KernelServices } from "./kernel-services.ts";

/** Of its slot, as often in a row, before a difference counts: a packet may be counted, and its news not yet told. */
const AGREEING = 3;
/** To see a moment in which no news came. */
const ATTEMPTS = 8;

interface Parts {
  readonly maps: KernelMaps;
  readonly entries: KernelEntries;
  readonly mirror: KernelServices;
  /** An entry, by its flow, which lies in `view`. */
  readonly hear: (view: DataView, at: number, entry: EntryView) => void;
}

export class Inheritance {
  readonly #parts: Parts;
  readonly #slots = new Set<number>();
  #elements: ReturnType<KernelEntries["all"]> | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Looks at up to `budget` records: whether those were all. */
  work(budget: number): boolean {
    const { maps, entries, mirror, hear } = this.#parts;
    if (this.#elements === undefined) {
      // What was told before is in the table; what is told from now on comes behind it.
      maps.news.discard();
      this.#elements = entries.all();
    }
    for (let looked = 0; looked < budget; looked++) {
      const next = this.#elements.next();
      if (next.done === true) {
        mirror.settled(this.#slots);
        return true;
      }
      // A free record costs as much as another.
      if (next.value === undefined) continue;
      const { view, at, entry } = next.value;
      this.#slots.add(entry.slot);
      hear(view, at, entry);
    }
    return false;
  }
}

interface Difference {
  readonly active: number;
  readonly inactive: number;
  readonly seen: number;
}

/**
 * Sees that destinations count what there is: an earlier process may have ended between a connection and its count. A difference
 * stays the same as long as nobody mends it, so it is looked at while packets flow.
 */
export class Recount {
  readonly #maps: KernelMaps;
  readonly #mirror: KernelServices;
  readonly #listener: OffloadListener;
  readonly #differences = new Map<number, Difference>();
  readonly #done = new Set<number>();
  /** Destinations whose count was not what it should be. */
  mended = 0;

  constructor(maps: KernelMaps, mirror: KernelServices, listener: OffloadListener) {
    this.#maps = maps;
    this.#mirror = mirror;
    this.#listener = listener;
  }

  /** To be called from time to time, when all news have been told, until it is true. `tell`: tells what has come meanwhile. */
  look(tell: () => void): boolean {
    const counted = this.#snapshot(tell);
    if (counted === undefined) return false;
    const { table } = this.#listener;
    for (let id = table.nextId(NO_CONNECTION); id !== NO_CONNECTION; id = table.nextId(id)) {
      const flags = table.flags(id);
      const destination = this.#listener.destinationOf(id);
      const count = counted.get(destination);
      if (count === undefined || (flags & CONNECTION_FLAG.template) !== 0) continue;
      if ((flags & CONNECTION_FLAG.inactive) === 0) count.active--;
      else count.inactive--;
    }
    let isAgreed = true;
    for (const [destination, { active, inactive }] of counted) {
      isAgreed = this.#consider(destination, active, inactive) && isAgreed;
    }
    return isAgreed;
  }

  #consider(destination: Destination, active: number, inactive: number): boolean {
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
  #snapshot(tell: () => void): Map<Destination, { active: number; inactive: number }> | undefined {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      tell();
      const counted = new Map(
        [...this.#mirror.counted()].map(([, each]) => {
          const { active, inactive } = each.load;
          return [each, { active, inactive }] as const;
        }),
      );
      if (this.#maps.news.isEmpty) return counted;
    }
    return undefined;
  }
}
