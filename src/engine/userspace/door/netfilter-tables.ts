/**
 * The door's tables in the kernel (door-table.ts), made by an nft process that owns them and ends with this one, whatever
 * ends it; and kept there: when nft ends by itself it is started again.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Family } from "../../../net/address.ts";
import type { DoorRules } from "./door-rules.ts";
import { commandFor, DoorContents, LOCAL_SETS, transactionsOf } from "./door-sets.ts";
import {
  createTable,
  type Device,
  leaveDevice,
  putTogetherInet6,
  takeOutput,
  watchDevice,
} from "./door-table.ts";
import { FAMILIES, type Place, type Stand, tableName } from "./door-words.ts";
import type { Grace } from "./keeper.ts";
import { Nft, NftError } from "./nft.ts";
import { askKernel, freeNumber } from "./place.ts";

/** After an attempt to start nft again that failed. */
const RETRY_MS = 1_000;

export interface NetfilterTablesOptions {
  /** The first that makes them; ended with them. */
  readonly nft: Nft;
  /** Where to stand; undefined: at the hooks if the kernel can, else on the wire. */
  readonly stand: Stand | undefined;
  /** For how long they outlive this process; undefined: not at all. */
  readonly grace: Grace | undefined;
  /** nft ended by itself: until onRestored the host sees the services' packets. It is started again at once. */
  readonly onLost: (error: Error) => void;
  readonly onRestored: () => void;
  /** The kernel cannot duplicate packets, as nft says: the tables stand on the wire. */
  readonly onStand: (error: Error) => void;
}

export class NetfilterTables implements AsyncDisposable {
  readonly #options: NetfilterTablesOptions;
  #nft: Nft | undefined;
  /** Those whose tables stand until others do, with their numbers: they drop what the host shall not see. */
  readonly #earlier: { readonly nft: Nft; readonly number: number }[] = [];
  readonly #contents = new DoorContents();
  #place: Place = { stand: "hooks", number: 0 };
  #families = FAMILIES;
  #isRestarting = false;
  /** The lane's interface has become another since nft was last told of it. */
  #isOutdated = false;
  /** Those that a table on the wire watches, and shall watch. */
  #watched: readonly Device[] = [];
  #putsTogether = false;
  /** Families of which what the host's own servers send is taken. */
  readonly #withOutput = new Set<Family>();
  #devices: readonly Device[] = [];
  /** One after the other: a transaction builds on the one before. */
  #queue: Promise<unknown> = Promise.resolve();
  #isOpen = true;
  /** The tables were made once: from then on they are made again when nft ends. */
  #isMade = false;

  /** open() makes the tables. */
  constructor(options: NetfilterTablesOptions) {
    const { nft } = options;
    this.#options = options;
    this.#nft = nft;
    nft.onEnd = (error) => this.#lost(nft, error);
  }

  /** Makes the tables, empty. The lane's interface must be there. Rejects with nft's words when that cannot be. */
  async open(): Promise<void> {
    const nft = this.#nft!;
    const { stand = "hooks" } = this.#options;
    try {
      this.#place = { stand, number: await this.#freeNumber(nft) };
      if (!(await this.#makeAtHooks(nft))) {
        await this.#choose(nft);
        await this.#make(nft);
      }
      this.#isMade = true;
    } catch (error) {
      this.#isOpen = false;
      await nft.end();
      throw refusal(error);
    }
  }

  /**
   * Takes what `added` say, and no longer what `removed` say, in one transaction when no more than 1000 elements change.
   * When it rejects, with nft's words, what was true before is, except for transactions that were done: those are undone
   * with the next.
   */
  update(added: DoorRules, removed: DoorRules): Promise<void> {
    return this.#inTurn(async () => {
      this.#contents.want(added, removed);
      try {
        await this.#apply();
      } catch (error) {
        this.#contents.want(removed, added);
        throw error;
      }
    });
  }

  /**
   * Makes them anew, because the lane's interface is another: rules know it by its index. Until that is done the old ones
   * stay, whose duplicates get lost, and which then drop.
   */
  remake(): void {
    if (!this.#isMade || !this.#isOpen) return;
    // Those that are being made may know the one before: they are made once more.
    this.#isOutdated = true;
    if (!this.#isRestarting) this.#renew();
  }

  #renew(): void {
    const nft = this.#nft;
    if (nft !== undefined) this.#earlier.push({ nft, number: this.#place.number });
    this.#nft = undefined;
    void this.#restart();
  }

  /** Where the tables stand. */
  get place(): Place {
    return this.#place;
  }

  /** On the wire: watches these interfaces, and no others. Elsewhere all interfaces are as one. */
  watch(devices: readonly Device[]): Promise<void> {
    this.#devices = devices;
    return this.#inTurn(() => this.#watch());
  }

  /** The host sees everything again when this resolves, or when the grace is over. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOpen = false;
    await Promise.all([this.#endEarlier(), this.#nft?.leave()]);
  }

  #freeNumber(nft: Nft, taken: readonly number[] = []): Promise<number> {
    return freeNumber(nft, { keepers: this.#options.grace?.keepers, taken });
  }

  async #start(): Promise<void> {
    this.#isOutdated = false;
    const nft: Nft = new Nft((error) => this.#lost(nft, error));
    const taken = this.#earlier.map(({ number }) => number);
    if (taken.includes(this.#place.number)) {
      this.#place = { ...this.#place, number: await this.#freeNumber(nft, taken) };
    }
    try {
      await this.#make(nft);
    } catch (error) {
      await nft.end();
      throw refusal(error);
    }
    this.#nft = nft;
  }

  async #make(nft: Nft): Promise<void> {
    const { grace } = this.#options;
    const place = this.#place;
    const made = Promise.all(
      this.#families.map((family) =>
        nft.make(tableName(family, place), createTable(family, place)),
      ),
    );
    // nft is at it meanwhile.
    if (grace !== undefined) nft.keep(grace, place.number);
    await made;
    this.#contents.emptied();
    this.#watched = [];
    this.#putsTogether = false;
    this.#withOutput.clear();
  }

  /**
   * Without asking what the kernel can: most can all of it, and each answer takes its time. False when something was
   * refused; then there is no table.
   */
  async #makeAtHooks(nft: Nft): Promise<boolean> {
    if (this.#place.stand !== "hooks") return false;
    try {
      await this.#make(nft);
      return true;
    } catch {
      // One of them may be there.
      for (const family of this.#families) {
        await nft.run(`delete table ${tableName(family, this.#place)}`).catch(() => {});
      }
      return false;
    }
  }

  /** Where the tables shall stand, and of which families; for good. */
  async #choose(nft: Nft): Promise<void> {
    const { families, refusal: error } = await askKernel(nft);
    this.#families = families;
    const { stand, onStand } = this.#options;
    if (stand !== undefined || error === undefined) return;
    this.#place = { ...this.#place, stand: "wire" };
    onStand(error);
  }

  async #watch(): Promise<void> {
    const nft = this.#nft;
    if (nft === undefined || this.#place.stand !== "wire") return;
    const has = (all: readonly Device[], one: Device): boolean =>
      all.some(({ index, name }) => index === one.index && name === one.name);
    for (const family of this.#families) {
      for (const device of this.#watched) {
        // It may have gone, and its chain with it.
        if (!has(this.#devices, device))
          await nft.run(leaveDevice(family, this.#place, device)).catch(() => {});
      }
      for (const device of this.#devices) {
        if (has(this.#watched, device)) continue;
        // One that has gone meanwhile will be left out the next time.
        await nft.run(watchDevice(family, this.#place, device)).catch(() => {});
      }
    }
    this.#watched = this.#devices;
  }

  async #apply(): Promise<void> {
    const nft = this.#nft;
    if (nft === undefined) throw new NftError("Cannot take packets: nft is being restarted");
    const place = this.#place;
    const { stand } = place;
    if (stand === "hooks" && this.#contents.isWanted("inet6", "errors"))
      await this.#putTogether(nft);
    if (stand === "hooks") await this.#takeOutput(nft);
    for (const transaction of transactionsOf(this.#contents.changes(stand, this.#families))) {
      await nft.run(transaction.map((change) => commandFor(change, place)).join("; "));
      this.#contents.done(transaction);
    }
  }

  /** Kernels without tproxy leave fragments as they are, which are then taken as such. */
  async #putTogether(nft: Nft): Promise<void> {
    if (this.#putsTogether) return;
    this.#putsTogether = true;
    await nft.run(putTogetherInet6(this.#place)).catch(() => {});
  }

  async #takeOutput(nft: Nft): Promise<void> {
    for (const family of this.#families) {
      const isWanted = LOCAL_SETS.some((set) => this.#contents.isWanted(family, set));
      if (!isWanted || this.#withOutput.has(family)) continue;
      await nft.run(takeOutput(family, this.#place));
      this.#withOutput.add(family);
    }
  }

  #lost(nft: Nft | undefined, error: Error): void {
    // Of one that did not get as far as making its tables, the starter tells.
    if (nft !== this.#nft || !this.#isMade || !this.#isOpen) return;
    this.#nft = undefined;
    if (this.#isRestarting) return;
    this.#options.onLost(error);
    void this.#restart();
  }

  async #restart(): Promise<void> {
    this.#isRestarting = true;
    while (this.#isOpen) {
      try {
        await this.#inTurn(async () => {
          await this.#start();
          await this.#watch();
          await this.#apply();
        });
        break;
      } catch (error) {
        // Its tables would be in the way of the next one's.
        await this.#nft?.end();
        this.#nft = undefined;
        if (this.#isOpen) this.#options.onLost(asError(error));
      }
      await sleep(RETRY_MS, undefined, { ref: false });
    }
    this.#isRestarting = false;
    if (!this.#isOpen) await this.#nft?.end();
    else if (this.#nft === undefined || this.#isOutdated) this.#renew();
    else {
      await this.#endEarlier();
      this.#options.onRestored();
    }
  }

  async #endEarlier(): Promise<void> {
    await Promise.all(this.#earlier.splice(0).map(({ nft }) => nft.end()));
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#queue.then(work);
    this.#queue = done.catch(() => {});
    return done;
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new NftError(String(error));
}

function refusal(error: unknown): Error {
  if (!(error instanceof NftError)) return asError(error);
  const hint = error.message.includes("not permitted") ? " (it needs CAP_NET_ADMIN)" : "";
  return new NftError(`Cannot take packets: ${error.message}${hint}`, { cause: error });
}
