/**
 * Takes the services' packets away from the host's own stack, which would answer them too.
 *
 * A packet socket sees a frame before netfilter does, so a drop in a prerouting chain leaves us our copy. The table is
 * owned by an nft process that ends with this one, whatever ends it.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { type GuardRules, NO_RULES } from "./guard-rules.ts";
import {
  type Change,
  changesBetween,
  commandFor,
  createTable,
  elementsOf,
  type GuardElements,
  NO_ELEMENTS,
} from "./guard-table.ts";
import { GUARD_TABLE } from "./guard-words.ts";
import { Nft, NftError } from "./nft.ts";

/** Of one transaction: a longer one does not fit a netlink message of an unprivileged user's. */
const ELEMENTS_PER_TRANSACTION = 1_000;

/** After an attempt to start nft again that failed. */
const RETRY_MS = 1_000;

export interface HostGuardOptions {
  /** nft ended by itself: until onRestored the host sees the services' packets. It is started again at once. */
  readonly onLost: (error: Error) => void;
  readonly onRestored: () => void;
}

export class HostGuard implements AsyncDisposable {
  readonly #options: HostGuardOptions;
  #nft: Nft | undefined;
  #wanted = NO_RULES;
  #applied: GuardElements = NO_ELEMENTS;
  /** One after the other: a transaction builds on the one before. */
  #queue: Promise<unknown> = Promise.resolve();
  #isOpen = true;
  #sparesOwn = true;

  private constructor(options: HostGuardOptions) {
    this.#options = options;
  }

  /** Makes the table, empty. Rejects with nft's words when that cannot be. */
  static async open(options: HostGuardOptions): Promise<HostGuard> {
    const guard = new HostGuard(options);
    await guard.#start();
    return guard;
  }

  /**
   * Whether replies of a server to the host itself are left to it. False on a kernel without nft_fib_inet: they are
   * taken, too, and must be handed back by the host lane.
   */
  get sparesOwnConversations(): boolean {
    return this.#sparesOwn;
  }

  /**
   * Makes `rules` true, in one transaction when no more than 1000 elements change. When it rejects, with nft's words, what
   * was true before is, except for transactions that were done.
   */
  update(rules: GuardRules): Promise<void> {
    this.#wanted = rules;
    return this.#inTurn(() => this.#apply(rules));
  }

  /** The host sees everything again when this resolves. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOpen = false;
    await this.#nft?.end();
  }

  async #start(): Promise<void> {
    const nft = new Nft((error) => this.#lost(nft, error));
    try {
      await this.#create(nft);
    } catch (error) {
      await nft.end();
      throw error;
    }
    this.#nft = nft;
    this.#applied = NO_ELEMENTS;
  }

  async #create(nft: Nft): Promise<void> {
    try {
      await nft.make(GUARD_TABLE, createTable(true));
      this.#sparesOwn = true;
    } catch (error) {
      if (!(error instanceof NftError)) throw error;
      // Without nft_fib_inet the first attempt failed for that; otherwise the second fails as the first did.
      await nft.run(createTable(false)).catch((second: Error) => {
        const hint = second.message.includes("not permitted") ? " (it needs CAP_NET_ADMIN)" : "";
        throw new NftError(`Cannot guard services: ${second.message}${hint}`, { cause: error });
      });
      this.#sparesOwn = false;
    }
  }

  async #apply(rules: GuardRules): Promise<void> {
    const nft = this.#nft;
    if (nft === undefined) throw new NftError("Cannot guard services: nft is being restarted");
    const wanted = elementsOf(rules);
    for (const transaction of transactionsOf(changesBetween(this.#applied, wanted))) {
      await nft.run(transaction.map(commandFor).join("; "));
      this.#applied = withChanges(this.#applied, transaction);
    }
  }

  #lost(nft: Nft, error: Error): void {
    // Of one that did not get as far as making its table, the starter tells.
    if (nft !== this.#nft || !this.#isOpen) return;
    this.#nft = undefined;
    this.#options.onLost(error);
    void this.#restart();
  }

  async #restart(): Promise<void> {
    while (this.#isOpen) {
      try {
        await this.#inTurn(async () => {
          await this.#start();
          await this.#apply(this.#wanted);
        });
        if (this.#isOpen) this.#options.onRestored();
        else await this.#nft?.end();
        return;
      } catch (error) {
        this.#options.onLost(error instanceof Error ? error : new NftError(String(error)));
      }
      await sleep(RETRY_MS, undefined, { ref: false });
    }
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#queue.then(work);
    this.#queue = done.catch(() => {});
    return done;
  }
}

/** The changes in portions that one transaction can hold. */
export function transactionsOf(changes: readonly Change[]): Change[][] {
  const transactions: Change[][] = [];
  let room = 0;
  for (const { verb, set, elements } of changes) {
    for (let from = 0; from < elements.length; ) {
      if (room === 0) {
        transactions.push([]);
        room = ELEMENTS_PER_TRANSACTION;
      }
      const part = elements.slice(from, from + room);
      transactions.at(-1)!.push({ verb, set, elements: part });
      from += part.length;
      room -= part.length;
    }
  }
  return transactions;
}

function withChanges(before: GuardElements, changes: readonly Change[]): GuardElements {
  const after: Record<string, ReadonlySet<string>> = { ...before };
  for (const { verb, set, elements } of changes) {
    const texts = new Set(after[set]);
    for (const text of elements) {
      if (verb === "add") texts.add(text);
      else texts.delete(text);
    }
    after[set] = texts;
  }
  return after as GuardElements;
}
