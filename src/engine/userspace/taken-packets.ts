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
import { GuardRules, NO_RULES } from "./guard-rules.ts";
import type { HostGuard } from "./host-guard.ts";

/** How long what nothing needs any more may stay taken. */
const REVIEW_INTERVAL_MS = 1_000;

export interface TakenPacketsOptions {
  readonly guard: HostGuard;
  /** Destinations that connections go to, removed ones included. */
  readonly destinationsInUse: () => Iterable<Destination>;
  /** The guard still takes more than it must. It is tried again, and meanwhile all of that is given back. */
  readonly onError: (error: unknown) => void;
}

export class TakenPackets implements Disposable {
  readonly #options: TakenPacketsOptions;
  /** What services need. */
  #wanted = NO_RULES;
  /** What the guard takes: that, and what connections need besides. */
  #rules = NO_RULES;
  #review: NodeJS.Timeout | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: TakenPacketsOptions) {
    this.#options = options;
  }

  /** Whether the host's stack did not get this packet. `isInPieces`: it came as fragments. */
  has(packet: Packet, isInPieces: boolean): boolean {
    return this.#rules.takes(packet, isInPieces);
  }

  /**
   * Takes what `desired` needs, has `change` change the director, and stops taking what is no longer needed. When it
   * throws, nothing has changed. Calls are done one after the other.
   */
  during(desired: DesiredState, change: () => void): Promise<void> {
    return this.#inTurn(() => this.#during(desired, change));
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#review);
  }

  async #during(desired: DesiredState, change: () => void): Promise<void> {
    const { guard } = this.#options;
    const before = this.#rules;
    const wanted = GuardRules.for(desired);
    this.#rules = before.union(wanted);
    try {
      await guard.update(this.#rules);
      change();
    } catch (error) {
      await guard.update(before).catch(this.#options.onError);
      this.#rules = before;
      this.#reviewLater();
      throw error;
    }
    this.#wanted = wanted;
    await this.#release();
  }

  /** Stops taking what neither services nor connections need. */
  async #release(): Promise<void> {
    const { guard, destinationsInUse, onError } = this.#options;
    const inUse = GuardRules.forConnectionsTo(destinationsInUse());
    const needed = this.#wanted.union(this.#rules.intersection(inUse));
    if (!needed.equals(this.#rules)) {
      try {
        await guard.update(needed);
        this.#rules = needed;
      } catch (error) {
        onError(error);
      }
    }
    this.#reviewLater();
  }

  #reviewLater(): void {
    clearTimeout(this.#review);
    if (this.#rules.equals(this.#wanted)) return;
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
