/**
 * The services of one state, in the order in which they were added: a map that never changes. What one command makes of
 * it shares all but the difference, so that neither a command nor finding out what it changed costs more with more
 * services.
 *
 * A large map that many states share, one of what differs from it, which fewer share, and a small one of what differs from
 * both. One that is not small any more becomes one with that below it.
 */
import type { ServicePlan } from "./service.ts";

/** Entries of the small map: each command copies it. Every so many commands copy the one below. */
const DIFFERENCE_MAX = 32;
/** Entries of the one below. Every so many commands copy the large one: with 10,000 services that takes milliseconds. */
const SHARED_DIFFERENCE_MAX = 512;
/** Commands that are done together are fewer; more changes are found by comparing. */
const STEPS_MAX = 1_000;

/** Without `before` the service comes, behind all others; without `after` it goes. */
export type ServiceChange =
  | { readonly keyText: string; readonly before?: undefined; readonly after: ServicePlan }
  | { readonly keyText: string; readonly before: ServicePlan; readonly after: ServicePlan }
  | { readonly keyText: string; readonly before: ServicePlan; readonly after?: undefined };

/** What made a map of another; that one may be forgotten. */
interface Origin {
  readonly map: WeakRef<ServiceMap>;
  readonly change: ServiceChange;
}

/** From the map below. */
interface Difference {
  /** Those in the place of one that is below, and those that come behind all of them. */
  readonly own: ReadonlyMap<string, ServicePlan>;
  /** Those of below that are not there, or come later in `own`. */
  readonly gone: ReadonlySet<string>;
}

const NO_DIFFERENCE: Difference = { own: new Map(), gone: new Set() };

type Entry = [keyText: string, plan: ServicePlan];

export class ServiceMap implements ReadonlyMap<string, ServicePlan> {
  readonly #shared: ReadonlyMap<string, ServicePlan>;
  readonly #own: Difference["own"];
  readonly #gone: Difference["gone"];
  readonly #origin: Origin | undefined;
  readonly size: number;

  private constructor(
    shared: ReadonlyMap<string, ServicePlan>,
    { own, gone }: Difference,
    size: number,
    origin?: Origin,
  ) {
    this.#origin = origin;
    this.#shared = shared;
    this.#own = own;
    this.#gone = gone;
    this.size = size;
  }

  /** `services` must not change any more. */
  static of(services: ReadonlyMap<string, ServicePlan>): ServiceMap {
    return services instanceof ServiceMap
      ? services
      : new ServiceMap(services, NO_DIFFERENCE, services.size);
  }

  /** With this plan: in the place of the one before, or behind all others. */
  with(keyText: string, plan: ServicePlan): ServiceMap {
    const before = this.get(keyText);
    const change =
      before === undefined ? { keyText, after: plan } : { keyText, before, after: plan };
    const own = new Map(this.#own).set(keyText, plan);
    return this.#next(
      { own, gone: this.#gone },
      this.size + (before === undefined ? 1 : 0),
      change,
    );
  }

  without(keyText: string): ServiceMap {
    const before = this.get(keyText);
    if (before === undefined) return this;
    const own = new Map(this.#own);
    own.delete(keyText);
    const gone = this.#shared.has(keyText) ? new Set(this.#gone).add(keyText) : this.#gone;
    return this.#next({ own, gone }, this.size - 1, { keyText, before });
  }

  get(keyText: string): ServicePlan | undefined {
    return (
      this.#own.get(keyText) ?? (this.#gone.has(keyText) ? undefined : this.#shared.get(keyText))
    );
  }

  has(keyText: string): boolean {
    return this.get(keyText) !== undefined;
  }

  *entries(): Generator<Entry, undefined> {
    for (const [keyText, plan] of this.#shared) {
      if (!this.#gone.has(keyText)) yield [keyText, this.#own.get(keyText) ?? plan];
    }
    for (const entry of this.#own) if (!this.#isInPlace(entry[0])) yield entry;
  }

  *keys(): Generator<string, undefined> {
    for (const [keyText] of this.entries()) yield keyText;
  }

  *values(): Generator<ServicePlan, undefined> {
    for (const [, plan] of this.entries()) yield plan;
  }

  [Symbol.iterator](): Generator<Entry, undefined> {
    return this.entries();
  }

  forEach(
    call: (plan: ServicePlan, keyText: string, map: ReadonlyMap<string, ServicePlan>) => void,
  ): void {
    for (const [keyText, plan] of this.entries()) call(plan, keyText, this);
  }

  /** What made it of `before`, in the order of serviceChanges(), if it was made of that by a few commands. */
  changesSince(before: ReadonlyMap<string, ServicePlan>): readonly ServiceChange[] | undefined {
    const changes: ServiceChange[] = [];
    let origin = this.#origin;
    while (origin !== undefined && changes.length < STEPS_MAX) {
      changes.push(origin.change);
      const map = origin.map.deref();
      if (map === before) return changes.length === 1 ? changes : together(changes.toReversed());
      origin = map === undefined ? undefined : map.#origin;
    }
    return undefined;
  }

  /** The keys of all that may differ between the two, each in its order, when that is quick to say. */
  static suspects(one: ServiceMap, other: ServiceMap): [string[], string[]] | undefined {
    if (one.#shared !== other.#shared) return undefined;
    const all = new Set([one, other].flatMap((map) => [...map.#own.keys(), ...map.#gone]));
    const inOrder = (map: ServiceMap): string[] => [
      ...[...all].filter((keyText) => map.#isInPlace(keyText)),
      ...[...map.#own.keys()].filter((keyText) => !map.#isInPlace(keyText)),
    ];
    return [inOrder(one), inOrder(other)];
  }

  /** Whether it stands where a shared one of the same key does. */
  #isInPlace(keyText: string): boolean {
    return this.#shared.has(keyText) && !this.#gone.has(keyText);
  }

  #next(difference: Difference, size: number, change: ServiceChange): ServiceMap {
    const origin = { map: new WeakRef<ServiceMap>(this), change };
    if (countOf(difference) <= DIFFERENCE_MAX) {
      return new ServiceMap(this.#shared, difference, size, origin);
    }
    const below = ServiceMap.of(this.#shared).#with(difference, size);
    return new ServiceMap(below, NO_DIFFERENCE, size, origin);
  }

  /** With all of a difference. */
  #with(difference: Difference, size: number): ReadonlyMap<string, ServicePlan> {
    const own = new Map(this.#own);
    const gone = new Set(this.#gone);
    for (const keyText of difference.gone) {
      own.delete(keyText);
      if (this.#shared.has(keyText)) gone.add(keyText);
    }
    for (const [keyText, plan] of difference.own) own.set(keyText, plan);
    const map = new ServiceMap(this.#shared, { own, gone }, size);
    return countOf(map.#difference) <= SHARED_DIFFERENCE_MAX ? map : new Map(map);
  }

  get #difference(): Difference {
    return { own: this.#own, gone: this.#gone };
  }
}

function countOf({ own, gone }: Difference): number {
  return own.size + gone.size;
}

/** What changes one after the other make of the first's map: what goes, and then what comes or is changed. */
function together(changes: readonly ServiceChange[]): ServiceChange[] {
  const going = new Map<string, ServiceChange>();
  const coming = new Map<string, ServiceChange>();
  for (const { keyText, before, after } of changes) {
    const earlier = coming.get(keyText);
    if (after === undefined) {
      coming.delete(keyText);
      const first = earlier === undefined ? before : earlier.before;
      if (first !== undefined) going.set(keyText, { keyText, before: first });
    } else if (earlier?.before !== undefined || (earlier === undefined && before !== undefined)) {
      coming.set(keyText, { keyText, before: earlier?.before ?? before!, after });
    } else {
      coming.set(keyText, { keyText, after });
    }
  }
  return [...going.values(), ...coming.values()];
}
