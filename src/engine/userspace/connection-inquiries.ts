/** Connections that somebody asks for: listed, counted, ended; in small parts, between which packets get their turn. */
import type { Clock } from "../../base/clock.ts";
import { Pauses } from "../../base/pauses.ts";
import type { Director } from "../../ipvs/director.ts";
import { type Ended, Ending } from "../../ipvs/inquiry/ending.ts";
import type { ConnectionFilter } from "../../ipvs/inquiry/filter.ts";
import { type Inquired, matcher } from "../../ipvs/inquiry/matcher.ts";
import {
  type ConnectionSummary,
  Summary,
  type SummaryOptions,
} from "../../ipvs/inquiry/summary.ts";
import { type ConnectionStatus, connectionStatuses } from "../../ipvs/status.ts";
import type { PacketPath } from "./packet-path.ts";

/** Entries that are read before packets get their turn. */
const LISTING_BUDGET = 1_000;
/** How often it is told how far the ending of connections is, and how long answers are waited for at a time. */
const TELL_INTERVAL_MS = 1_000;
const ANSWER_MS = 20;

export interface ConnectionInquiriesOptions {
  readonly director: Director;
  /** By which the resets go that end connections. */
  readonly path: PacketPath;
  readonly clock: Clock;
}

export class ConnectionInquiries implements Disposable {
  readonly #director: Director;
  readonly #path: PacketPath;
  readonly #clock: Clock;
  #isOpen = true;

  constructor({ director, path, clock }: ConnectionInquiriesOptions) {
    this.#director = director;
    this.#path = path;
    this.#clock = clock;
  }

  async *list(filter: ConnectionFilter): AsyncGenerator<ConnectionStatus> {
    const matches = matcher(this.#inquired, filter);
    let after = -1;
    do {
      this.#director.connections.hear();
      const { statuses, last } = connectionStatuses(
        this.#director.connections,
        this.#clock.now(),
        after,
        LISTING_BUDGET,
        matches,
      );
      yield* statuses;
      after = last;
      await new Promise((resolve) => setImmediate(resolve));
    } while (after >= 0 && this.#isOpen);
  }

  async count(filter: ConnectionFilter, options: SummaryOptions): Promise<ConnectionSummary> {
    const summary = new Summary(this.#inquired, filter, options);
    const pauses = new Pauses();
    this.#director.connections.hear();
    while (this.#isOpen && summary.work(this.#clock.now(), LISTING_BUDGET)) await pauses.ifDue();
    return summary.result(this.#clock.now());
  }

  async *end(filter: ConnectionFilter): AsyncGenerator<Ended> {
    const ending = new Ending(this.#inquired, filter);
    // Whoever asked may go away meanwhile: what was begun is brought to its end.
    const end = this.#bringToEnd(ending);
    let isOver = false;
    void end.finally(() => (isOver = true)).catch(() => {});
    for (;;) {
      const told = new Promise((resolve) => setTimeout(resolve, TELL_INTERVAL_MS).unref());
      await Promise.race([end, told]);
      yield ending.state;
      if (isOver) return;
    }
  }

  /** What is under way ends with what it has. */
  [Symbol.dispose](): void {
    this.#isOpen = false;
  }

  async #bringToEnd(ending: Ending): Promise<void> {
    const out: Uint8Array[] = [];
    const pauses = new Pauses();
    while (this.#isOpen) {
      this.#director.connections.hear();
      ending.work(this.#clock.now(), LISTING_BUDGET, out);
      this.#path.sendOwn(out.splice(0));
      if (ending.state.isDone) return;
      // While there is more to look at it goes on at once; else clients' answers are waited for.
      if (ending.isLooking) await pauses.ifDue();
      else await new Promise((resolve) => setTimeout(resolve, ANSWER_MS));
    }
  }

  get #inquired(): Inquired {
    return { tracker: this.#director.connections, services: this.#director.services };
  }
}
