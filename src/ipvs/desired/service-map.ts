/**
 * The services of one state, in the order in which they were added: a map that never changes. What one command makes of
 * it shares all but the difference, so that neither a command nor finding out what it changed costs more with more
 * services.
 *
 * A large map that many states share, and a small one of what differs. Once that is not small any more, both become one.
 */
import type { ServicePlan } from "./service.ts";

/** Entries of the small map. Each command copies it; every so many commands copy the large one. */
const DIFFERENCE_MAX = 64;

/** Without `before` the service comes, behind all others; without `after` it goes. */
export type ServiceChange =
  | { readonly keyText: string; readonly before?: undefined; readonly after: ServicePlan }
  | { readonly keyText: string; readonly before: ServicePlan; readonly after: ServicePlan }
  | { readonly keyText: string; readonly before: ServicePlan; readonly after?: undefined };

/** What made a map of another; that one may be forgotten. */
interface Origin {
  readonly map: WeakRef<ServiceMap>;
  readonly changes: readonly ServiceChange[];
}

type Entry = [keyText: string, plan: ServicePlan];

export class ServiceMap implements ReadonlyMap<string, ServicePlan> {
  readonly #shared: ReadonlyMap<string, ServicePlan>;
  /** Those in the place of a shared one, and those that come behind all shared ones. */
  readonly #own: ReadonlyMap<string, ServicePlan>;
  /** Shared ones that are not there, or come later in `own`. */
  readonly #gone: ReadonlySet<string>;
  readonly #origin: Origin | undefined;
  readonly size: number;

  private constructor(
    shared: ReadonlyMap<string, ServicePlan>,
    own: ReadonlyMap<string, ServicePlan>,
    gone: ReadonlySet<string>,
    origin?: Origin,
  ) {
    this.#origin = origin;
    this.#shared = shared;
    this.#own = own;
    this.#gone = gone;
    let size = shared.size - gone.size;
    for (const keyText of own.keys()) if (!this.#isInPlace(keyText)) size++;
    this.size = size;
  }

  /** `services` must not change any more. */
  static of(services: ReadonlyMap<string, ServicePlan>): ServiceMap {
    return services instanceof ServiceMap
      ? services
      : new ServiceMap(services, new Map(), new Set());
  }

  /** With this plan: in the place of the one before, or behind all others. */
  with(keyText: string, plan: ServicePlan): ServiceMap {
    const before = this.get(keyText);
    const change =
      before === undefined ? { keyText, after: plan } : { keyText, before, after: plan };
    return this.#next(new Map(this.#own).set(keyText, plan), this.#gone, [change]);
  }

  without(keyText: string): ServiceMap {
    const before = this.get(keyText);
    if (before === undefined) return this;
    const own = new Map(this.#own);
    own.delete(keyText);
    const gone = this.#shared.has(keyText) ? new Set(this.#gone).add(keyText) : this.#gone;
    return this.#next(own, gone, [{ keyText, before }]);
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

  /** What made it of `before`, if it was made of that. */
  changesSince(before: ReadonlyMap<string, ServicePlan>): readonly ServiceChange[] | undefined {
    return this.#origin?.map.deref() === before ? this.#origin.changes : undefined;
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

  #next(
    own: ReadonlyMap<string, ServicePlan>,
    gone: ReadonlySet<string>,
    changes: readonly ServiceChange[],
  ): ServiceMap {
    const origin = { map: new WeakRef<ServiceMap>(this), changes };
    const next = new ServiceMap(this.#shared, own, gone, origin);
    if (own.size + gone.size <= DIFFERENCE_MAX) return next;
    return new ServiceMap(new Map(next), new Map(), new Set(), origin);
  }
}
