/**
 * Tells others of events: runs programs, posts to URLs, sends mail. Loaded where a sluice.yaml has `notify`.
 *
 * A receiver that hangs, or is away, costs nothing but its own news: each has a queue of its own that is bounded, one after
 * the other so that they come in order, and a limit of time. What is lost is counted and said.
 */
import type { NotifySettings } from "../../configuration/notify.ts";
import type { Events, KeptEvent, LoggedEvent } from "../../control/events.ts";
import { Receiver, type ReceiverOptions } from "./receiver.ts";
import { openWay } from "./way.ts";

/** For so long one that is no longer wanted goes on: 1,000 events for one that hangs would take hours. */
const LEAVE_MS = 60_000;

export interface NotifierOptions extends ReceiverOptions {
  /** Events are told of that come after the one of this number: 0, what happened since the daemon began. */
  readonly after: number;
  readonly leaveMs?: number;
}

/** Loads what tells such receivers. Rejects when it cannot be had. */
export async function load(settings: readonly NotifySettings[]): Promise<void> {
  await Promise.all(settings.map(({ way }) => openWay(way)));
}

export class Notifier implements Disposable {
  readonly #options: NotifierOptions;
  readonly #events: Events;
  #receivers: readonly Receiver[] = [];
  /** Those that are no longer wanted, and still tell of what happened while they were. */
  readonly #leaving = new Set<Receiver>();
  #at: number;
  #waiting: Disposable | undefined;
  #isTelling = false;
  #isOpen = true;

  constructor(events: Events, options: NotifierOptions) {
    this.#events = events;
    this.#options = options;
    this.#at = options.after;
  }

  /** From now on these. One that is the same as before goes on with what waits in its queue. */
  set(settings: readonly NotifySettings[]): void {
    if (this.#isTelling) this.#read();
    else setImmediate(() => this.#pass());
    this.#isTelling = true;
    const { leaveMs = LEAVE_MS } = this.#options;
    const before = [...this.#receivers];
    this.#receivers = settings.map((each) => {
      const text = JSON.stringify(each);
      const index = before.findIndex((known) => JSON.stringify(known.settings) === text);
      return index < 0 ? new Receiver(each, this.#options) : before.splice(index, 1)[0]!;
    });
    for (const receiver of before) {
      this.#leaving.add(receiver);
      void receiver.leave(leaveMs).finally(() => this.#leaving.delete(receiver));
    }
  }

  /**
   * Tells those who want to know it that all this is down, because the daemon ends; resolves when all are told of everything,
   * or it takes longer than `withinMs`.
   */
  async farewell(down: readonly LoggedEvent[], withinMs: number): Promise<void> {
    this.#read();
    const told = this.#receivers.filter(({ settings }) => settings.atEnd);
    for (const event of down) {
      const kept = keptOf(event);
      for (const receiver of told) receiver.take(kept);
    }
    const patience = Promise.withResolvers<void>();
    const timer = setTimeout(patience.resolve, withinMs);
    await Promise.race([Promise.all(told.map((each) => each.idle())), patience.promise]);
    clearTimeout(timer);
  }

  [Symbol.dispose](): void {
    this.#isOpen = false;
    this.#waiting?.[Symbol.dispose]();
    for (const receiver of [...this.#receivers, ...this.#leaving]) receiver[Symbol.dispose]();
  }

  /** What is new, and then what comes. */
  #pass(): void {
    if (!this.#isOpen) return;
    this.#read();
    // Whoever publishes does not wait for it.
    this.#waiting = this.#events.once(() => setImmediate(() => this.#pass()));
  }

  #read(): void {
    const { events } = this.#events.after(this.#at);
    this.#at = this.#events.last;
    for (const event of events) for (const receiver of this.#receivers) receiver.take(event);
  }
}

/** One that no other listener hears of. */
function keptOf({ name, message, facts }: LoggedEvent): KeptEvent {
  const text = JSON.stringify({ at: new Date().toISOString(), message, ...facts });
  return { number: 0, name, text };
}
