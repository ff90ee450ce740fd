/**
 * Which packets the door takes, kept in step with what the director decides about.
 *
 * While services change, whatever either the old or the new ones need is taken; the director passes what is not its,
 * and that is given back. So at no moment does a service's packet reach both, and none is lost in between. What
 * existing connections still need stays taken until they end, also after their service or server was removed.
 *
 * Each rule is counted by the services that need it: a change costs what it changes.
 */
import { Pauses } from "../../../base/pauses.ts";
import { Tally } from "../../../base/tally.ts";
import type { DesiredState } from "../../../ipvs/desired/desired-state.ts";
import { serviceChanges } from "../../../ipvs/desired/service-changes.ts";
import type { Destination } from "../../../ipvs/services/destination.ts";
import type { Address } from "../../../net/address.ts";
import { type DoorRules, NO_RULES } from "./door-rules.ts";
import {
  doorRules,
  localRules,
  type NeededRule,
  type NeededRules,
  type RuleChanges,
  ruleChanges,
  rulesForConnectionsTo,
  serverOf,
} from "./needed-rules.ts";

/** How long what nothing needs any more may stay taken. */
const REVIEW_INTERVAL_MS = 1_000;

export interface TakenPacketsOptions {
  /** Has the kernel take what the first say, too, and what the second say no more. */
  readonly take: (added: DoorRules, removed: DoorRules) => Promise<void>;
  readonly isLocal: (address: Address) => boolean;
  /** Destinations that connections go to, removed ones included. */
  readonly destinationsInUse: () => Iterable<Destination>;
  /** The door still takes more than it must, or not yet what it should: it is tried again. */
  readonly onError: (error: unknown) => void;
}

interface Taken {
  readonly rule: NeededRule;
  /** Whether its server is the host itself. */
  isLocal: boolean;
}

export class TakenPackets implements Disposable {
  readonly #options: TakenPacketsOptions;
  #services: DesiredState["services"] = new Map();
  /** What services need. */
  readonly #wanted = new Tally<string>();
  /** What the door takes: that, and what connections need besides. */
  readonly #taken = new Map<string, Taken>();
  /** Those that no service needs. */
  readonly #unwanted = new Set<string>();
  #review: NodeJS.Timeout | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #isOpen = true;

  constructor(options: TakenPacketsOptions) {
    this.#options = options;
  }

  /**
   * Takes what each of `steps` needs, has `change` lead the director through them, and stops taking what the last no
   * longer needs. When it throws, nothing has changed. Calls are done one after the other.
   */
  during(steps: readonly DesiredState[], change: () => Promise<void>): Promise<void> {
    return this.#inTurn(() => this.#during(steps, change));
  }

  /** To be called when the host's addresses may have changed: which servers are the host itself follows from them. */
  addressesChanged(): void {
    void this.#inTurn(async () => {
      try {
        await this.#followAddresses();
      } catch (error) {
        if (!this.#isOpen) return;
        this.#options.onError(error);
        setTimeout(() => this.addressesChanged(), REVIEW_INTERVAL_MS).unref();
      }
    });
  }

  [Symbol.dispose](): void {
    this.#isOpen = false;
    clearTimeout(this.#review);
  }

  async #during(steps: readonly DesiredState[], change: () => Promise<void>): Promise<void> {
    const coming: RuleChanges["coming"][] = [];
    const going: RuleChanges["going"][] = [];
    let services = this.#services;
    const pauses = new Pauses();
    for (const step of steps) {
      await pauses.ifDue();
      for (const { before, after } of serviceChanges(services, step.services)) {
        const rules = ruleChanges(before, after);
        coming.push(rules.coming);
        going.push(rules.going);
      }
      services = step.services;
    }
    const missing = this.#want(coming);
    let done = coming;
    try {
      if (missing.size > 0) await this.#take(missing);
      await change();
      this.#services = services;
      done = going;
    } finally {
      if (this.#unwant(done)) await this.#release();
    }
  }

  /** Those that are not taken yet. */
  #want(all: readonly RuleChanges["coming"][]): Map<string, NeededRule> {
    const missing = new Map<string, NeededRule>();
    for (const rules of all) {
      for (const [text, rule] of rules) {
        this.#wanted.add(text);
        if (this.#taken.has(text)) this.#unwanted.delete(text);
        else missing.set(text, rule);
      }
    }
    return missing;
  }

  /** Whether something is taken now that no service needs. */
  #unwant(all: readonly RuleChanges["going"][]): boolean {
    let isLess = false;
    for (const rules of all) {
      for (const [text] of rules) {
        if (!this.#wanted.delete(text) || !this.#taken.has(text)) continue;
        this.#unwanted.add(text);
        isLess = true;
      }
    }
    return isLess;
  }

  async #take(missing: NeededRules): Promise<void> {
    const { take } = this.#options;
    const taken = [...missing].map(
      ([text, rule]) => [text, { rule, isLocal: this.#isLocal(rule) }] as const,
    );
    await take(doorRules(taken.map(([, each]) => each)), NO_RULES);
    for (const [text, each] of taken) this.#taken.set(text, each);
  }

  /** Stops taking what neither services nor connections need. */
  async #release(): Promise<void> {
    const { take, destinationsInUse, onError } = this.#options;
    const unneeded = new Set(this.#unwanted);
    for (const destination of unneeded.size > 0 ? destinationsInUse() : []) {
      for (const text of rulesForConnectionsTo(destination).keys()) unneeded.delete(text);
    }
    if (unneeded.size > 0) {
      try {
        await take(NO_RULES, doorRules([...unneeded].map((text) => this.#taken.get(text)!)));
        for (const text of unneeded) {
          this.#taken.delete(text);
          this.#unwanted.delete(text);
        }
      } catch (error) {
        if (this.#isOpen) onError(error);
      }
    }
    if (this.#isOpen) this.#reviewLater();
  }

  /** Servers that are the host itself now, or no more. */
  async #followAddresses(): Promise<void> {
    const changed = [...this.#taken.values()].filter(
      ({ rule, isLocal }) => this.#isLocal(rule) !== isLocal,
    );
    if (changed.length === 0) return;
    const rulesOf = (isLocal: boolean): DoorRules => ({
      ...NO_RULES,
      ...localRules(changed.filter((each) => each.isLocal === isLocal).map(({ rule }) => rule)),
    });
    await this.#options.take(rulesOf(false), rulesOf(true));
    for (const each of changed) each.isLocal = !each.isLocal;
  }

  #isLocal(rule: NeededRule): boolean {
    const server = serverOf(rule);
    return server !== undefined && this.#options.isLocal(server);
  }

  #reviewLater(): void {
    clearTimeout(this.#review);
    if (this.#unwanted.size === 0) return;
    this.#review = setTimeout(() => {
      void this.#inTurn(() => this.#release());
    }, REVIEW_INTERVAL_MS);
    this.#review.unref();
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const turn = this.#last.then(work);
    this.#last = turn.catch(() => undefined);
    return turn;
  }
}
