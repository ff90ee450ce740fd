/**
 * Who may still enter when the connection table fills up, and who has to go: docs/decisions/0009-a-full-table.md.
 *
 * The kernel's table has no limit, so this is ours. A service may open connections as long as it holds less than seven
 * times what is free: "dynamic thresholds" (Choudhury and Hahne, IEEE/ACM Transactions on Networking 6, 1998). One
 * alone gets seven eighths, several get equal parts, and whoever comes next finds an eighth of what the others left.
 * Beyond, an entry must give way: one that is half open, of the service that holds most, the oldest first; then one
 * whose connection has ended. Where there is neither, the newcomer is refused. Nothing else is ever given up.
 *
 * Each question costs the same, whatever the table's size and the number of services.
 */
import type { ConnectionTable } from "../connections/connection-table.ts";
import { Holding, NO_ENTRY, WAY } from "./holding.ts";

/** How many times what is free a service may hold. */
const FREE_TIMES = 7;

/** Services that are looked at in search of the one that holds most. */
const SEARCHED_MAX = 64;

export class TableShares {
  readonly #table: ConnectionTable;
  /** By entry: who holds it, how it gives way, and its neighbours among those that give way alike. */
  readonly #holderOf: Int32Array;
  readonly #way: Int8Array;
  readonly #next: Int32Array;
  readonly #previous: Int32Array;
  /** Services that hold entries, by place. */
  readonly #holders: (Holding | undefined)[] = [];
  readonly #freePlaces: number[] = [];
  /** By way, the service that held most when this was last looked at. */
  readonly #largest: Holding[] = [new Holding(), new Holding(), new Holding()];
  #searched = 0;

  constructor(table: ConnectionTable) {
    this.#table = table;
    this.#holderOf = new Int32Array(table.limit);
    this.#way = new Int8Array(table.limit);
    this.#next = new Int32Array(table.limit);
    this.#previous = new Int32Array(table.limit);
  }

  /** Whether a service may have one entry more without another's giving way. One that is alone may have them all. */
  admits(asker: Holding, isAlone: boolean): boolean {
    const free = this.#table.limit - this.#table.size;
    return asker.entries < FREE_TIMES * free || (isAlone && free > 0);
  }

  /** The entry that gives way to one of `asker`'s, or NO_ENTRY. */
  findYielding(asker: Holding): number {
    const halfOpen = this.#oldest(asker, WAY.halfOpen);
    return halfOpen === NO_ENTRY ? this.#oldest(asker, WAY.ended) : halfOpen;
  }

  /** A new entry of the table is `holder`'s, and gives way last of its kind. */
  enter(id: number, holder: Holding, way: number): void {
    if (holder.entries++ === 0) {
      holder.place = this.#freePlaces.pop() ?? this.#holders.length;
      this.#holders[holder.place] = holder;
    }
    this.#holderOf[id] = holder.place;
    this.#way[id] = WAY.none;
    this.setWay(id, way);
  }

  /** The entry is about to leave the table. */
  leave(id: number): void {
    this.setWay(id, WAY.none);
    const holder = this.#holder(id);
    if (--holder.entries > 0) return;
    this.#holders[holder.place] = undefined;
    this.#freePlaces.push(holder.place);
  }

  way(id: number): number {
    return this.#way[id]!;
  }

  /** The entry gives way in another manner from now on, the last of its kind. */
  setWay(id: number, way: number): void {
    const before = this.#way[id]!;
    if (before === way) return;
    const holder = this.#holder(id);
    if (before !== WAY.none) this.#unlink(id, holder, before);
    if (way !== WAY.none) this.#append(id, holder, way);
    this.#way[id] = way;
  }

  /** The entry was used: of its kind it gives way last. */
  refresh(id: number): void {
    const way = this.#way[id]!;
    const holder = this.#holder(id);
    if (way === WAY.none || holder.last[way] === id) return;
    this.#unlink(id, holder, way);
    this.#append(id, holder, way);
  }

  #holder(id: number): Holding {
    return this.#holders[this.#holderOf[id]!]!;
  }

  /** Of the service that holds most, but never of one that holds less than who asks; then the asker's own. */
  #oldest(asker: Holding, way: number): number {
    let largest = this.#largest[way]!;
    if (!largest.has(way) || largest.entries < asker.entries) largest = this.#search(way, asker);
    return largest.first[way]!;
  }

  /** The holder of most entries among some that have one which gives way so; at least `asker`. */
  #search(way: number, asker: Holding): Holding {
    let largest = asker;
    const count = Math.min(SEARCHED_MAX, this.#holders.length);
    for (let looked = 0; looked < count; looked++) {
      this.#searched = this.#searched + 1 < this.#holders.length ? this.#searched + 1 : 0;
      const holder = this.#holders[this.#searched];
      if (holder?.has(way) && holder.entries > largest.entries) largest = holder;
    }
    if (largest.has(way)) this.#largest[way] = largest;
    return largest;
  }

  #append(id: number, holder: Holding, way: number): void {
    const last = holder.last[way]!;
    this.#previous[id] = last;
    this.#next[id] = NO_ENTRY;
    if (last === NO_ENTRY) holder.first[way] = id;
    else this.#next[last] = id;
    holder.last[way] = id;
    const largest = this.#largest[way]!;
    if (holder.entries > largest.entries || !largest.has(way)) this.#largest[way] = holder;
  }

  #unlink(id: number, holder: Holding, way: number): void {
    const next = this.#next[id]!;
    const previous = this.#previous[id]!;
    if (previous === NO_ENTRY) holder.first[way] = next;
    else this.#next[previous] = next;
    if (next === NO_ENTRY) holder.last[way] = previous;
    else this.#previous[next] = previous;
  }
}
