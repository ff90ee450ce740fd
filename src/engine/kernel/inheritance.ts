/**
 * Goes on with the programs' table as an earlier process left it: connections that the director has no record of are told, some at
 * a time.
 */
import type { EntryView, KernelEntries } from "./kernel-entries.ts";
import type { KernelMaps } from "./kernel-maps.ts";
import type { KernelServices } from "./kernel-services.ts";

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
