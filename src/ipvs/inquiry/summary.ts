/** How many connections there are, by whom and by age, and which are the oldest: counted bit by bit. */
import type { Instant } from "../../base/clock.ts";
import { NO_CONNECTION } from "../connections/connection-table.ts";
import { formatEndpoint } from "../desired/service.ts";
import { type ConnectionStatus, clientOf, connectionStatus, PROTOCOL_NAME } from "../status.ts";
import type { ConnectionFilter, Grouping } from "./filter.ts";
import { type Inquired, type Matcher, matcher } from "./matcher.ts";

/** In milliseconds: connections younger than the first, than the second, ... and all others. */
export const AGES_BELOW_MS = [60_000, 300_000, 900_000, 3_600_000] as const;

/** Groups that are told apart; what comes when there are so many is counted as others. */
const GROUPS_MAX = 100_000;

export interface ConnectionGroup {
  readonly name: string;
  readonly count: number;
}

export interface ConnectionSummary {
  readonly count: number;
  /** The largest first; empty when nothing was to be counted by. */
  readonly groups: readonly ConnectionGroup[];
  /** How many are in no group, because there are too many. */
  readonly others: number;
  /** As AGES_BELOW_MS has them, and one more. An age that is not known is old. */
  readonly byAge: readonly number[];
  readonly oldest: readonly ConnectionStatus[];
}

export interface SummaryOptions {
  readonly by?: Grouping | undefined;
  /** How many of the oldest are told. */
  readonly oldest?: number | undefined;
}

export class Summary {
  readonly #inquired: Inquired;
  readonly #matches: Matcher;
  readonly #by: Grouping | undefined;
  readonly #oldestMax: number;
  readonly #groups = new Map<string | number, number>();
  readonly #byAge = [...AGES_BELOW_MS.map(() => 0), 0];
  /** By age, the oldest first. */
  #oldest: { readonly id: number; readonly ageMs: number }[] = [];
  #others = 0;
  #count = 0;
  #last = NO_CONNECTION;

  constructor(inquired: Inquired, filter: ConnectionFilter, { by, oldest = 0 }: SummaryOptions) {
    this.#inquired = inquired;
    this.#matches = matcher(inquired, filter);
    this.#by = by;
    this.#oldestMax = oldest;
  }

  /** Looks at `budget` more of them. False when that were all. */
  work(now: Instant, budget: number): boolean {
    const { table } = this.#inquired.tracker;
    for (let looked = 0; looked < budget; looked++) {
      const id = table.nextId(this.#last);
      if (id === NO_CONNECTION) return false;
      this.#last = id;
      if (this.#matches(id, now)) this.#note(id, now);
    }
    return true;
  }

  result(now: Instant): ConnectionSummary {
    const { tracker } = this.#inquired;
    const { table } = tracker;
    const counts = new Map<string, number>();
    for (const [key, count] of this.#groups) {
      const name = this.#nameOf(key);
      counts.set(name, (counts.get(name) ?? 0) + count);
    }
    const groups = [...counts].map(([name, count]) => ({ name, count }));
    return {
      count: this.#count,
      groups: groups.sort((one, other) => other.count - one.count),
      others: this.#others,
      byAge: this.#byAge,
      // One may have ended since it was looked at.
      oldest: this.#oldest
        .filter(({ id }) => table.has(id) && this.#matches(id, now))
        .map(({ id }) => connectionStatus(tracker, id, now)),
    };
  }

  #note(id: number, now: Instant): void {
    const { table } = this.#inquired.tracker;
    this.#count++;
    const ageMs = table.ageMs(id, now) ?? Number.POSITIVE_INFINITY;
    let age = 0;
    while (age < AGES_BELOW_MS.length && ageMs >= AGES_BELOW_MS[age]!) age++;
    this.#byAge[age]!++;
    this.#noteOldest(id, ageMs);
    if (this.#by === undefined) return;
    const key = this.#keyOf(id, this.#by);
    const count = this.#groups.get(key);
    if (count === undefined && this.#groups.size >= GROUPS_MAX) this.#others++;
    else this.#groups.set(key, (count ?? 0) + 1);
  }

  #noteOldest(id: number, ageMs: number): void {
    const oldest = this.#oldest;
    if (this.#oldestMax === 0) return;
    if (oldest.length === this.#oldestMax && oldest.at(-1)!.ageMs >= ageMs) return;
    const at = oldest.findIndex((each) => each.ageMs < ageMs);
    oldest.splice(at < 0 ? oldest.length : at, 0, { id, ageMs });
    if (oldest.length > this.#oldestMax) oldest.pop();
  }

  #keyOf(id: number, by: Grouping): string | number {
    const { tracker } = this.#inquired;
    const { table } = tracker;
    switch (by) {
      case "client":
        return clientOf(table, id).toString();
      case "state":
        return `${PROTOCOL_NAME[table.protocol(id)] ?? "IP"} ${tracker.progress.stateName(id)}`;
      case "server":
      case "service":
        return table.destinationId(id);
    }
  }

  #nameOf(key: string | number): string {
    if (typeof key === "string") return key;
    const { plan, service } = this.#inquired.services.destination(key);
    return this.#by === "server" ? formatEndpoint(plan.endpoint) : service.keyText;
  }
}
