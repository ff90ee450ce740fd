/**
 * Which servers are to be asked in which way: a watch for each check of a server, however many services use it, and what was
 * found by it last. The process that asks is told what is to be asked, and what no more.
 */
import {
  type CheckPlan,
  canonical,
  type OnFailure,
  type ServiceHealth,
} from "../ipvs/desired/health.ts";
import {
  type DestinationPlan,
  formatEndpoint,
  type ServiceKey,
  type ServicePlan,
} from "../ipvs/desired/service.ts";
import type { ServiceChange } from "../ipvs/desired/service-map.ts";
import { type Report, rememberedDown, standingAtStart } from "./judge.ts";
import { markOf } from "./memory.ts";
import type { Assignment, Order } from "./prober/protocol.ts";
import { targetOf, type WatchTarget } from "./target.ts";

const PORTION = 500;

/** What one check of one server found last. */
export interface Watch {
  readonly id: number;
  readonly check: CheckPlan;
  readonly target: WatchTarget;
  report: Report;
  latencyMs: number | undefined;
  warning: string | undefined;
}

export interface WatchesOptions {
  readonly order: (order: Order) => void;
  /** What a daemon before this one knew to be down, by markOf(). */
  readonly remembered: Set<string>;
}

/** By destinations. */
type ServiceWatches = ReadonlyMap<string, readonly Watch[]>;

export class Watches {
  readonly #options: WatchesOptions;
  readonly #watches = new Map<string, Watch>();
  readonly #byId = new Map<number, { readonly key: string; readonly watch: Watch }>();
  /** Which services use a watch, and how many of their destinations. */
  readonly #users = new Map<Watch, Map<string, number>>();
  readonly #served = new Map<string, ServiceWatches>();
  #nextId = 1;

  constructor(options: WatchesOptions) {
    this.#options = options;
  }

  follow(changes: readonly ServiceChange[]): void {
    const order = { add: [] as Assignment[], remove: [] as number[] };
    for (const { keyText, after } of changes) {
      const before = this.#served.get(keyText);
      if (after?.health === undefined) this.#served.delete(keyText);
      else this.#serve(keyText, after, order);
      if (before !== undefined) this.#release(keyText, before, order);
    }
    this.#order(order);
  }

  /** Everything anew: the process that asked is another. */
  orderAll(): void {
    const add = [...this.#watches.values()].map(assignmentOf);
    this.#order({ add, remove: [] });
  }

  byId(id: number): Watch | undefined {
    return this.#byId.get(id)?.watch;
  }

  /** Of services that are in force. */
  byService(): Iterable<readonly [keyText: string, watches: ServiceWatches]> {
    return this.#served;
  }

  usersOf(watch: Watch): Iterable<string> {
    return this.#users.get(watch)?.keys() ?? [];
  }

  /** What is known to be down, by markOf(). */
  *knownDown(): Generator<string> {
    for (const [key, { report }] of this.#watches) {
      if (!report.up && report.isKnown) yield markOf(key);
    }
  }

  /** What is known by a check of a destination, whether it is asked already or not. */
  report(check: CheckPlan, destination: DestinationPlan, service: ServiceKey): Report {
    const key = watchKey(check, targetOf(check, destination, service));
    return this.#watches.get(key)?.report ?? this.#firstReport(key, check);
  }

  #firstReport(key: string, check: CheckPlan): Report {
    return this.#options.remembered.has(markOf(key))
      ? { ...rememberedDown(check), why: "was down before this daemon started" }
      : { ...standingAtStart(check), why: "not asked yet" };
  }

  #serve(keyText: string, plan: ServicePlan, order: { add: Assignment[] }): void {
    const all = new Map<string, readonly Watch[]>();
    for (const destination of plan.destinations) {
      const at = formatEndpoint(destination.endpoint);
      const { checks } = settingsOf(plan.health!, at);
      if (checks.length === 0) continue;
      const watches = checks.map((check) => this.#watch(check, destination, plan.key, order));
      all.set(at, watches);
      for (const watch of watches) {
        const users = this.#users.get(watch) ?? new Map<string, number>();
        users.set(keyText, (users.get(keyText) ?? 0) + 1);
        this.#users.set(watch, users);
      }
    }
    this.#served.set(keyText, all);
  }

  #watch(
    check: CheckPlan,
    destination: DestinationPlan,
    service: ServiceKey,
    order: { add: Assignment[] },
  ): Watch {
    const target = targetOf(check, destination, service);
    const key = watchKey(check, target);
    let watch = this.#watches.get(key);
    if (watch === undefined) {
      const report = this.#firstReport(key, check);
      watch = {
        id: this.#nextId++,
        check,
        target,
        report,
        latencyMs: undefined,
        warning: undefined,
      };
      this.#watches.set(key, watch);
      this.#options.remembered.delete(markOf(key));
      this.#byId.set(watch.id, { key, watch });
      order.add.push(assignmentOf(watch));
    }
    return watch;
  }

  #release(keyText: string, watches: ServiceWatches, order: { remove: number[] }): void {
    for (const watch of [...watches.values()].flat()) {
      const users = this.#users.get(watch)!;
      const count = users.get(keyText)! - 1;
      if (count > 0) users.set(keyText, count);
      else users.delete(keyText);
      if (users.size > 0) continue;
      this.#users.delete(watch);
      this.#watches.delete(this.#byId.get(watch.id)!.key);
      this.#byId.delete(watch.id);
      order.remove.push(watch.id);
    }
  }

  /** In portions: one line of it shall not stop whoever reads it. */
  #order({ add, remove }: Order): void {
    if (remove.length > 0) this.#options.order({ add: [], remove });
    for (let at = 0; at < add.length; at += PORTION) {
      this.#options.order({ add: add.slice(at, at + PORTION), remove: [] });
    }
  }
}

export function settingsOf(
  health: ServiceHealth,
  at: string,
): { readonly checks: readonly CheckPlan[]; readonly onFailure: OnFailure } {
  const own = health.destinations[at];
  return {
    checks: own?.checks ?? health.checks,
    onFailure: own?.onFailure ?? health.onFailure,
  };
}

/** Equal checks of one server have equal keys, whatever they are called. */
function watchKey(check: CheckPlan, target: WatchTarget): string {
  return canonical({ ...check, ...target, name: undefined, via: undefined })!;
}

function assignmentOf({ id, check, target, report }: Watch): Assignment {
  const { type, settings, intervalMs, jitterMs, timeoutMs, retryMs, backoffMs, rise, fall } = check;
  const { up, isKnown, against, downs } = report;
  const times = { intervalMs, jitterMs, timeoutMs, retryMs, backoffMs, rise, fall };
  return { id, type, settings, target, ...times, standing: { up, isKnown, against, downs } };
}
