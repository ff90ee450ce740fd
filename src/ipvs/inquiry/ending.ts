/**
 * Ends the connections that are asked for, bit by bit. A TCP connection's both sides are reset, if its client says where
 * it is (tracking/resets.ts); what the table has of others is forgotten, and so are templates that lead nowhere then.
 */
import type { Instant } from "../../base/clock.ts";
import { NO_CONNECTION } from "../connections/connection-table.ts";
import { CONNECTION_FLAG } from "../connections/flow.ts";
import type { ConnectionFilter } from "./filter.ts";
import { type Inquired, type Matcher, matcher } from "./matcher.ts";

/** How far it is. */
export interface Ended {
  /** Connections and templates that were asked for. */
  readonly found: number;
  /** Whose both sides were told. */
  readonly reset: number;
  /** Those that were forgotten without: no TCP, templates, and those whose client did not answer. */
  readonly forgotten: number;
  readonly isDone: boolean;
}

export class Ending {
  readonly #inquired: Inquired;
  readonly #matches: Matcher;
  readonly #templates: number[] = [];
  readonly #tally = { reset: 0, forgotten: 0 };
  #found = 0;
  #last = NO_CONNECTION;
  #isLooking = true;

  constructor(inquired: Inquired, filter: ConnectionFilter) {
    this.#inquired = inquired;
    this.#matches = matcher(inquired, filter);
  }

  /** Goes on, with `budget` connections at most; what is to be sent, as the host's own packets, is put into `out`. */
  work(now: Instant, budget: number, out: Uint8Array[]): void {
    const { tracker } = this.#inquired;
    const { table, resets } = tracker;
    for (let looked = 0; this.#isLooking && looked < budget && resets.hasRoom; looked++) {
      const id = table.nextId(this.#last);
      if (id === NO_CONNECTION) {
        this.#isLooking = false;
        break;
      }
      this.#last = id;
      if (!this.#matches(id, now)) continue;
      this.#found++;
      if ((table.flags(id) & CONNECTION_FLAG.template) !== 0) this.#templates.push(id);
      else if (!tracker.reset(id, now, this.#tally)) {
        tracker.giveUpWithTemplate(id);
        this.#tally.forgotten++;
      }
    }
    resets.ask(now, out);
    if (!this.#isLooking && resets.isIdle) this.#forgetTemplates(now);
  }

  /** Whether there is more to look at, and room for it. */
  get isLooking(): boolean {
    return this.#isLooking && this.#inquired.tracker.resets.hasRoom;
  }

  get state(): Ended {
    const { reset, forgotten } = this.#tally;
    const isDone =
      !this.#isLooking && this.#templates.length === 0 && reset + forgotten >= this.#found;
    return { found: this.#found, reset, forgotten, isDone };
  }

  /** Those of which connections are left that nobody asked to end only lead nobody there any more. */
  #forgetTemplates(now: Instant): void {
    const { tracker } = this.#inquired;
    for (const id of this.#templates.splice(0)) {
      this.#tally.forgotten++;
      // Its id may be another's by now.
      const isTemplate =
        tracker.table.has(id) && (tracker.table.flags(id) & CONNECTION_FLAG.template) !== 0;
      if (!isTemplate || !this.#matches(id, now)) continue;
      if (tracker.table.controlledCount(id) > 0) tracker.table.invalidateTemplate(id);
      else tracker.giveUp(id);
    }
  }
}
