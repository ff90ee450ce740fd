/**
 * Takes over the connections that an earlier process left in the table's memory: each enters the index and the timers
 * again, and counts on its destination: what ip_vs_proc_conn() does with synchronised ones.
 *
 * Templates first, because connections refer to them. Bit by bit, so that packets have their turn: until all is done, a
 * packet whose connection is not known may belong to one that is not adopted yet (director.ts).
 */
import type { Instant } from "../../base/clock.ts";
import { Address } from "../../net/address.ts";
import { type ConnectionTable, NO_CONNECTION } from "../connections/connection-table.ts";
import { CONNECTION_FLAG } from "../connections/flow.ts";
import type { Destination } from "../services/destination.ts";
import type { ServiceTable } from "../services/service-table.ts";
import type { Tracker } from "./tracker.ts";

/** What became of an earlier process's connections and templates. */
export interface Adopted {
  /** Those that go on. */
  readonly adopted: number;
  /** Of those, how many go to servers that are not configured, and wait for them. */
  readonly orphaned: number;
  /** Their time was over. */
  readonly expired: number;
  /** The process ended in the middle of writing them, or something else wrote there. */
  readonly damaged: number;
}

export class Adoption {
  readonly #tracker: Tracker;
  readonly #table: ConnectionTable;
  readonly #services: ServiceTable;
  readonly #result = { adopted: 0, orphaned: 0, expired: 0, damaged: 0 };
  #destinations: ReadonlyMap<number, Destination> | undefined;
  #pass: "waiting" | "templates" | "connections" | "rest" = "waiting";
  #sizeBeforeRest = 0;
  /** The last one looked at. */
  #last = NO_CONNECTION;

  constructor(tracker: Tracker, services: ServiceTable) {
    this.#tracker = tracker;
    this.#table = tracker.table;
    this.#services = services;
  }

  get result(): Adopted {
    return this.#result;
  }

  get hasBegun(): boolean {
    return this.#pass !== "waiting";
  }

  begin(): void {
    if (this.#pass === "waiting") this.#pass = "templates";
  }

  servicesChanged(): void {
    this.#destinations = undefined;
  }

  /** Looks at up to `budget` records; whether that was all. */
  work(now: Instant, budget: number): boolean {
    if (this.#pass === "waiting") return false;
    if (this.#pass === "rest") return this.#settle(budget);
    this.#destinations ??= this.#services.byKey();
    for (let looked = 0; looked < budget; looked++) {
      const id = this.#table.inherited.next(this.#last);
      if (id === NO_CONNECTION) {
        if (this.#pass === "connections") {
          this.#pass = "rest";
          this.#sizeBeforeRest = this.#table.size;
          return this.#settle(budget);
        }
        this.#table.inherited.templatesAdopted();
        this.#pass = "connections";
        this.#last = NO_CONNECTION;
        return false;
      }
      this.#last = id;
      this.#consider(id, now);
    }
    return false;
  }

  /** Those that are in no record. */
  #settle(budget: number): boolean {
    if (!this.#tracker.settle(budget)) return false;
    this.#result.adopted += this.#table.size - this.#sizeBeforeRest;
    return true;
  }

  #consider(id: number, now: Instant): void {
    const table = this.#table;
    if (!table.inherited.isWhole(id)) {
      // A record that was freed has no mark at all.
      if (table.inherited.isMarked(id)) this.#result.damaged++;
      table.inherited.giveUp(id);
      return;
    }
    const isTemplate = (table.flags(id) & CONNECTION_FLAG.template) !== 0;
    if (!isTemplate && this.#pass === "templates") return;
    if (!this.#tracker.isSound(id)) {
      this.#result.damaged++;
      table.inherited.giveUp(id);
    } else if (!isTemplate && this.#isOver(id, now)) {
      this.#result.expired++;
      table.inherited.giveUp(id);
    } else {
      this.#adopt(id, now);
    }
  }

  /** A template's time may be over while it controls others; a connection's may have begun anew where packets went by. */
  #isOver(id: number, now: Instant): boolean {
    const standing = this.#tracker.standing(id);
    return standing === "unknown" ? this.#table.expiresAt(id) <= now : standing === "replaced";
  }

  #adopt(id: number, now: Instant): void {
    const destination = this.#destinationOf(id);
    if (!this.#tracker.adopt(id, destination, now)) {
      this.#result.damaged++;
      return;
    }
    this.#result.adopted++;
    if (destination.isOrphan) this.#result.orphaned++;
  }

  #destinationOf(id: number): Destination {
    const table = this.#table;
    const key = table.destinationKey(id);
    const known = this.#destinations!.get(key);
    if (known !== undefined) return known;
    const [w0, w1, w2, w3] = [0, 1, 2, 3].map((word) => table.destination(id, word));
    const isInet = table.destinationFamily(id) === 4;
    const address = isInet ? Address.inet(w3!) : Address.inet6(w0!, w1!, w2!, w3!);
    return this.#services.orphan({ key, address });
  }
}
