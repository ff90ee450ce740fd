/**
 * How many connections go to a destination, in words that somebody else may write, too: an offload that opens connections by
 * itself has them where it can reach them (offload.ts). So each change is one atomic step.
 */
const AT = { active: 0, inactive: 1, isOverloaded: 2 } as const;

const WORDS = 3;

export interface DestinationLoadParts {
  readonly words?: Int32Array;
  /** Where they begin in `words`. */
  readonly at?: number;
  /** What an offload knows the destination by; negative where none does. */
  readonly slot?: number;
  readonly isInherited?: boolean;
  /** It has changed. `isDecisive`: so has whether it is overloaded. */
  readonly onChanged?: (slot: number, isDecisive: boolean) => void;
}

export class DestinationLoad {
  readonly slot: number;
  /** An earlier process's connections count already. */
  readonly isInherited: boolean;
  readonly #words: Int32Array;
  readonly #at: number;

  readonly #onChanged: DestinationLoadParts["onChanged"];

  constructor(parts: DestinationLoadParts = {}) {
    this.isInherited = parts.isInherited ?? false;
    this.#words = parts.words ?? new Int32Array(WORDS);
    this.#at = parts.at ?? 0;
    this.slot = parts.slot ?? -1;
    this.#onChanged = parts.onChanged;
  }

  get active(): number {
    return this.#words[this.#at + AT.active]!;
  }

  get inactive(): number {
    return this.#words[this.#at + AT.inactive]!;
  }

  /** Reached its upper threshold and did not yet fall below the lower. */
  get isOverloaded(): boolean {
    return this.#words[this.#at + AT.isOverloaded] !== 0;
  }

  set isOverloaded(isOverloaded: boolean) {
    this.#words[this.#at + AT.isOverloaded] = isOverloaded ? 1 : 0;
  }

  addActive(change: number): void {
    Atomics.add(this.#words, this.#at + AT.active, change);
  }

  addInactive(change: number): void {
    Atomics.add(this.#words, this.#at + AT.inactive, change);
  }

  /** All that belongs to a change has been written: who schedules by it may know. `isDecisive`: see DestinationLoadParts. */
  changed(isDecisive: boolean): void {
    this.#onChanged?.(this.slot, isDecisive);
  }

  /** Takes another's numbers over. */
  copy({ active, inactive, isOverloaded }: DestinationLoad): void {
    this.#words[this.#at + AT.active] = active;
    this.#words[this.#at + AT.inactive] = inactive;
    this.isOverloaded = isOverloaded;
  }
}

/** Where destinations' loads lie. */
export interface DestinationLoads {
  /** `key`: of the destination, where an earlier process may have had it (destination-key.ts). */
  take(key?: () => number): DestinationLoad;
  free(load: DestinationLoad): void;
}

/** Memory of the process's own. */
export const OWN_LOADS: DestinationLoads = {
  take: () => new DestinationLoad(),
  free: () => {},
};
