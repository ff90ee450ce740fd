/**
 * Which packets the door takes, kept in step with what the director decides about.
 *
 * While services change, whatever either the old or the new ones need is taken; the director passes what is not its,
 * and that is given back. So at no moment does a service's packet reach both, and none is lost in between. What
 * existing connections still need stays taken until they end, also after their service or server was removed.
 */
import type { DesiredState } from "../../../ipvs/desired-state.ts";
import type { Destination } from "../../../ipvs/destination.ts";
import type { Address } from "../../../net/address.ts";
import type { DoorRules } from "./door-rules.ts";
import {
  difference,
  doorRules,
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
  /** Has the kernel take what these say. */
  readonly take: (rules: DoorRules) => Promise<void>;
  readonly isLocal: (address: Address) => boolean;
  /** Destinations that connections go to, removed ones included. */
  readonly destinationsInUse: () => Iterable<Destination>;
  /** The door still takes more than it must, or not yet what it should: it is tried again. */
  readonly onError: (error: unknown) => void;
}

export class TakenPackets implements Disposable {
  readonly #options: TakenPacketsOptions;
  /** What services need. */
  #wanted = NOTHING;
  /** What the door takes: that, and what connections need besides. */
  #rules = NOTHING;
  #takenLocalServers = "";
  #review: NodeJS.Timeout | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #isOpen = true;

  constructor(options: TakenPacketsOptions) {
    this.#options = options;
  }

  /**
   * Takes what `desired` needs, has `change` change the director, and stops taking what is no longer needed. When it
   * throws, nothing has changed. Calls are done one after the other.
   */
  during(desired: DesiredState, change: () => void): Promise<void> {
    return this.#inTurn(() => this.#during(desired, change));
  }

  /** To be called when the host's addresses may have changed: which servers are the host itself follows from them. */
  addressesChanged(): void {
    if (this.#localServers() === this.#takenLocalServers) return;
    void this.#inTurn(async () => {
      try {
        await this.#take(this.#rules);
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

  async #during(desired: DesiredState, change: () => void): Promise<void> {
    const wanted = rulesForServices(desired);
    const both = union(this.#rules, wanted);
    try {
      if (both !== this.#rules) {
        this.#rules = both;
        await this.#take(both);
      }
      change();
      this.#wanted = wanted;
    } finally {
      await this.#release();
    }
  }

  /** Stops taking what neither services nor connections need. */
  async #release(): Promise<void> {
    const { destinationsInUse, onError } = this.#options;
    const unwanted = difference(this.#rules, this.#wanted);
    if (sizeOf(unwanted) === 0) return;
    const inUse = rulesForConnectionsTo(destinationsInUse());
    const needed = union(this.#wanted, intersection(unwanted, inUse));
    if (sizeOf(needed) < sizeOf(this.#rules)) {
      try {
        await this.#take(needed);
        this.#rules = needed;
      } catch (error) {
        if (this.#isOpen) onError(error);
      }
    }
    if (this.#isOpen) this.#reviewLater();
  }

  async #take(rules: NeededRules): Promise<void> {
    const { take, isLocal } = this.#options;
    const servers = this.#localServers(rules);
    await take(doorRules(rules, isLocal));
    this.#takenLocalServers = servers;
  }

  /** Which servers are the host itself, as text. */
  #localServers({ replies, direct }: NeededRules = this.#rules): string {
    const { isLocal } = this.#options;
    const servers = [
      ...[...replies].map(([text, { address }]) => [text, address] as const),
      ...[...direct].map(([text, { server }]) => [text, server] as const),
    ];
    return servers.flatMap(([text, address]) => (isLocal(address) ? text : [])).join();
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
