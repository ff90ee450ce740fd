/**
 * The daemon's side of health: what becomes of services by what was found of their servers (watches.ts). Control asks
 * over() for what the engine gets of a service; nothing here is written as the operator's wish.
 */
import type { ServiceHealth } from "../ipvs/desired/health.ts";
import {
  type DestinationPlan,
  formatEndpoint,
  formatServiceKey,
  type ServiceKey,
  type ServicePlan,
} from "../ipvs/desired/service.ts";
import type { ServiceChange } from "../ipvs/desired/service-map.ts";
import type { ProbeTarget } from "./checker.ts";
import { type Effective, effectiveOf } from "./effective.ts";
import {
  type Decision,
  type DestinationStanding,
  decide,
  destinationAfter,
  findingOf,
  nextMoment,
} from "./judge.ts";
import type { Change, Lag, Told } from "./prober/protocol.ts";
import { settingsOf, type Watch, Watches, type WatchesOptions } from "./watches.ts";

/** What is known of a destination of a service. */
export interface DestinationView {
  readonly plan: DestinationPlan;
  /** Undefined: nobody checks it. */
  readonly standing: DestinationStanding | undefined;
  readonly watches: readonly Watch[];
  /** What the engine was given; undefined: it is not in the service. */
  readonly weight: number | undefined;
}

export interface ServiceView {
  readonly key: ServiceKey;
  readonly health: ServiceHealth;
  readonly decision: Decision;
  readonly destinations: readonly DestinationView[];
}

/** What happened, for the log and for whoever else wants to know. */
export type HealthEvent =
  | {
      readonly kind: "destination";
      readonly service: ServiceKey;
      readonly destination: DestinationPlan;
      readonly up: boolean;
      readonly why: string;
    }
  | {
      readonly kind: "quorum";
      readonly service: ServiceKey;
      readonly has: boolean;
      readonly decision: Decision;
      readonly health: ServiceHealth;
    }
  | { readonly kind: "panic"; readonly service: ServiceKey; readonly isPanic: boolean }
  | {
      readonly kind: "warning";
      readonly target: ProbeTarget;
      readonly check: string;
      readonly warning: string;
    };

export interface KeeperOptions extends WatchesOptions {
  /** What over() says of these services is different from before. */
  readonly renew: (keyTexts: readonly string[]) => Promise<void>;
  readonly happened: (event: HealthEvent) => void;
  readonly failed: (error: unknown) => void;
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
}

/** What is different in many services at once is done together, and after that waits for more of it. */
const BATCH_MS = { first: 0, busy: 400 } as const;
/** So many services at once are many. */
const BUSY = 20;

interface Judged {
  readonly plan: ServicePlan;
  readonly standings: ReadonlyMap<string, DestinationStanding>;
  readonly decision: Decision;
  /** What was told of its quorum last; undefined: nothing yet. */
  readonly toldQuorum: boolean | undefined;
}

export class HealthKeeper {
  readonly #options: KeeperOptions;
  readonly #watches: Watches;
  readonly #judged = new Map<string, Judged>();
  /** By the plan that the engine has. */
  readonly #effective = new WeakMap<ServicePlan, Effective>();
  readonly #moments = new Map<string, number>();
  readonly #changed = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #clock: NodeJS.Timeout | undefined;
  #clockAt = Number.POSITIVE_INFINITY;
  #isRenewing = false;
  #quietUntil = 0;
  lag: Lag | undefined;

  constructor(options: KeeperOptions) {
    this.#options = options;
    this.#watches = new Watches(options);
  }

  over(plan: ServicePlan, before: ServicePlan | undefined): ServicePlan {
    return this.#laidOver(plan, before, (keyText) => this.#judge(keyText, plan));
  }

  wouldBe(plan: ServicePlan, before: ServicePlan | undefined): ServicePlan {
    return this.#laidOver(plan, before, (keyText) => this.#judgement(keyText, plan));
  }

  follow(changes: readonly ServiceChange[]): void {
    this.#watches.follow(changes);
    for (const { keyText, after } of changes) {
      if (after?.health !== undefined) continue;
      this.#judged.delete(keyText);
      this.#moments.delete(keyText);
    }
    this.#setClock();
  }

  /** Everything anew: the process that asked is another. */
  orderAll(): void {
    this.#watches.orderAll();
  }

  hear({ changes = [], latencies = [], lag }: Told): void {
    for (const [id, latencyMs] of latencies) {
      const watch = this.#watches.byId(id);
      if (watch !== undefined) watch.latencyMs = latencyMs;
    }
    if (lag !== undefined) this.lag = lag;
    for (const change of changes) this.#note(change);
    if (this.#changed.size > 0) this.#renewSoon();
  }

  /** What is known to be down, by markOf(). */
  knownDown(): Iterable<string> {
    return this.#watches.knownDown();
  }

  *services(): Generator<ServiceView> {
    for (const [keyText, watches] of this.#watches.byService()) {
      const judged = this.#judged.get(keyText);
      if (judged === undefined) continue;
      const { plan, standings, decision } = judged;
      yield {
        key: plan.key,
        health: plan.health!,
        decision,
        destinations: plan.destinations.map((destination, index) => {
          const at = formatEndpoint(destination.endpoint);
          return {
            plan: destination,
            standing: standings.get(at),
            watches: watches.get(at) ?? [],
            weight: decision.weights[index],
          };
        }),
      };
    }
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    clearTimeout(this.#clock);
  }

  #laidOver(
    plan: ServicePlan,
    before: ServicePlan | undefined,
    judge: (keyText: string) => Judged | undefined,
  ): ServicePlan {
    const effectiveBefore = before && this.#effective.get(before);
    if (plan.health === undefined && effectiveBefore === undefined) return plan;
    const { decision } = judge(formatServiceKey(plan.key)) ?? {};
    const effective = effectiveOf(plan, decision ?? asConfigured(plan), effectiveBefore);
    this.#effective.set(effective.plan, effective);
    return effective.plan;
  }

  #note({ id, latencyMs, warning, ...report }: Change): void {
    const watch = this.#watches.byId(id);
    if (watch === undefined) return;
    if (warning !== undefined && warning !== watch.warning) {
      const check = watch.check.name ?? watch.check.type;
      this.#options.happened({ kind: "warning", target: watch.target, check, warning });
    }
    watch.report = report;
    watch.latencyMs = latencyMs;
    watch.warning = warning;
    for (const keyText of this.#watches.usersOf(watch)) this.#changed.add(keyText);
  }

  #renewSoon(): void {
    if (this.#timer !== undefined || this.#isRenewing) return;
    const waitMs = Math.max(BATCH_MS.first, this.#quietUntil - this.#options.now());
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.#renew();
    }, waitMs);
    this.#timer.unref();
  }

  async #renew(): Promise<void> {
    const { renew, failed, now } = this.#options;
    const keyTexts = [...this.#changed];
    this.#changed.clear();
    this.#isRenewing = true;
    try {
      await renew(keyTexts);
    } catch (error) {
      // What the engine could not do now is tried again with the next news.
      for (const keyText of keyTexts) this.#changed.add(keyText);
      this.#quietUntil = now() + BATCH_MS.busy;
      failed(error);
    }
    this.#isRenewing = false;
    if (keyTexts.length >= BUSY) this.#quietUntil = now() + BATCH_MS.busy;
    this.#setClock();
    if (this.#changed.size > 0) this.#renewSoon();
  }

  /** Takes down what is decided, and tells of what is new. */
  #judge(keyText: string, plan: ServicePlan): Judged | undefined {
    const judged = this.#judgement(keyText, plan);
    if (judged === undefined) return undefined;
    const before = this.#judged.get(keyText);
    const { standings } = judged;
    const health = plan.health!;
    for (const destination of plan.destinations) {
      const at = formatEndpoint(destination.endpoint);
      const [last, standing] = [before?.standings.get(at), standings.get(at)];
      if (last === undefined || standing === undefined) continue;
      // One that began as down is told of when that is known, as keepalived does with alpha.
      const isFoundDown = !standing.up && standing.isKnown && !last.isKnown;
      if (last.up === standing.up && !isFoundDown) continue;
      const { up, why } = standing;
      this.#options.happened({ kind: "destination", service: plan.key, destination, up, why });
    }
    this.#tell(judged, before);
    const moment = nextMoment(standings.values(), health.slowStartMs, this.#options.now());
    if (moment === undefined) this.#moments.delete(keyText);
    else this.#moments.set(keyText, moment);
    this.#judged.set(keyText, judged);
    return judged;
  }

  /** What is to be decided of it by what is known now. */
  #judgement(keyText: string, plan: ServicePlan): Judged | undefined {
    const { health } = plan;
    if (health === undefined) return undefined;
    const now = this.#options.now();
    const before = this.#judged.get(keyText);
    const standings = new Map<string, DestinationStanding>();
    const candidates = plan.destinations.map((destination) => {
      const at = formatEndpoint(destination.endpoint);
      const { checks, onFailure } = settingsOf(health, at);
      if (checks.length === 0)
        return { weight: destination.weight, onFailure, standing: undefined };
      const reports = checks.map((check) => this.#watches.report(check, destination, plan.key));
      const last = before?.standings.get(at);
      const standing = destinationAfter(last, findingOf(reports), health.flapping, now);
      standings.set(at, standing);
      return { weight: destination.weight, onFailure, standing };
    });
    const hadQuorum = before?.decision.hasQuorum ?? true;
    const decision = decide(health, candidates, hadQuorum, now);
    const isKnown = [...standings.values()].every((each) => each.isKnown);
    const toldQuorum = toldAfter(before?.toldQuorum, decision.hasQuorum, isKnown);
    return { plan, standings, decision, toldQuorum };
  }

  #tell({ plan, decision, toldQuorum }: Judged, before: Judged | undefined): void {
    const { key: service, health } = plan;
    if (toldQuorum !== undefined && toldQuorum !== before?.toldQuorum) {
      const has = toldQuorum;
      this.#options.happened({ kind: "quorum", service, has, decision, health: health! });
    }
    const { isPanic } = decision;
    if ((before?.decision.isPanic ?? false) !== isPanic) {
      this.#options.happened({ kind: "panic", service, isPanic });
    }
  }

  /** For what time alone changes: slow starts, and the end of being held down. */
  #setClock(): void {
    const next = Math.min(...this.#moments.values());
    if (next === this.#clockAt) return;
    this.#clockAt = next;
    clearTimeout(this.#clock);
    if (next === Number.POSITIVE_INFINITY) return;
    this.#clock = setTimeout(() => this.#tick(), Math.max(1, next - this.#options.now()));
    this.#clock.unref();
  }

  #tick(): void {
    const now = this.#options.now();
    this.#clockAt = Number.POSITIVE_INFINITY;
    for (const [keyText, moment] of this.#moments) {
      if (moment > now) continue;
      this.#moments.delete(keyText);
      this.#changed.add(keyText);
    }
    if (this.#changed.size > 0) this.#renewSoon();
    else this.#setClock();
  }
}

/**
 * What was told of a service's quorum, after this: at first that it has it, as keepalived does at its start; that it has not
 * once that is known.
 */
function toldAfter(
  told: boolean | undefined,
  hasQuorum: boolean,
  isKnown: boolean,
): boolean | undefined {
  return hasQuorum || told !== undefined || isKnown ? hasQuorum : undefined;
}

function asConfigured({ destinations }: ServicePlan): Pick<Decision, "weights" | "sorryWeight"> {
  return { weights: destinations.map(({ weight }) => weight), sorryWeight: undefined };
}
