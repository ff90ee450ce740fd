/**
 * Which packets the host's own stack does not get, kept in step with what the director decides about.
 *
 * While services change, whatever either the old or the new ones take is taken; the director passes what is not its,
 * and that is given back. So at no moment does a service's packet reach both, and none is lost in between. What
 * existing connections still need stays taken until they end, also after their service or server was removed.
 */
import type { DesiredState } from "../../ipvs/desired-state.ts";
import type { Destination } from "../../ipvs/destination.ts";
import type { Packet } from "../../ipvs/packet.ts";
import { GuardMatcher, type GuardRules } from "./guard-rules.ts";
import type { HostGuard } from "./host-guard.ts";
import {
  difference,
  guardRules,
  intersection,
  type NeededRules,
  NOTHING,
  rulesForConnectionsTo,
  rulesForServices,
  sizeOf,
  union,
} from "./needed-rules.ts";

/** How long what nothing needs any more may stay taken. */
const REVIEW_INTERVAL_MS = 1_000;

export interface TakenPacketsOptions {
  readonly guard: HostGuard;
  /** Whether the packet's destination is an address of the host. */
  readonly isForHost: (packet: Packet) => boolean;
  /** Destinations that connections go to, removed ones included. */
  readonly destinationsInUse: () => Iterable<Destination>;
  /** Before the guard takes more, and after it takes less. */
  readonly onRules: (rules: GuardRules) => void;
  /** The guard still takes more than it must. It is tried again, and meanwhile all of that is given back. */
  readonly onError: (error: unknown) => void;
}

export class TakenPackets implements Disposable {
  readonly #options: TakenPacketsOptions;
  /** What services need. */
  #wanted = NOTHING;
  /** What the guard takes: that, and what connections need besides. */
  #rules = NOTHING;
  #matcher = new GuardMatcher(guardRules(NOTHING));
  #review: NodeJS.Timeout | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #isOpen = true;

  constructor(options: TakenPacketsOptions) {
    this.#options = options;
  }

  /** Whether the host's stack did not get this packet. `isInPieces`: it came as fragments. */
  has(packet: Packet, isInPieces: boolean): boolean {
    return this.#matcher.takes(packet, this.#options.isForHost, isInPieces);
  }

  /**
   * Takes what `desired` needs, has `change` change the director, and stops taking what is no longer needed. When it
   * throws, nothing has changed. Calls are done one after the other.
   */
  during(desired: DesiredState, change: () => void): Promise<void> {
    return this.#inTurn(() => this.#during(desired, change));
  }

  [Symbol.dispose](): void {
    this.#isOpen = false;
    clearTimeout(this.#review);
  }

  async #during(desired: DesiredState, change: () => void): Promise<void> {
    const wanted = rulesForServices(desired);
    const both = union(this.#rules, wanted);
    try {
      if (both !== this.#rules) {
        this.#set(both);
        await this.#options.guard.update(guardRules(both));
      }
      change();
      this.#wanted = wanted;
    } finally {
      await this.#release();
    }
  }

  /** Stops taking what neither services nor connections need. */
  async #release(): Promise<void> {
    const { guard, destinationsInUse, onError } = this.#options;
    const unwanted = difference(this.#rules, this.#wanted);
    if (sizeOf(unwanted) === 0) return;
    const inUse = rulesForConnectionsTo(destinationsInUse());
    const needed = union(this.#wanted, intersection(unwanted, inUse));
    if (sizeOf(needed) < sizeOf(this.#rules)) {
      try {
        await guard.update(guardRules(needed));
        this.#set(needed);
      } catch (error) {
        if (this.#isOpen) onError(error);
      }
    }
    if (this.#isOpen) this.#reviewLater();
  }

  #set(rules: NeededRules): void {
    this.#rules = rules;
    const guarded = guardRules(rules);
    this.#matcher = new GuardMatcher(guarded);
    this.#options.onRules(guarded);
  }

  #reviewLater(): void {
    clearTimeout(this.#review);
    if (sizeOf(this.#rules) === sizeOf(this.#wanted)) return;
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
