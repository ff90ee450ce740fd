/**
 * What a daemon's file says of the daemon itself, in force: where it listens besides its socket, and who is told of events.
 *
 * A change is prepared before the rest of its file is put in force, so that a port that cannot be had refuses all of it, and
 * done or undone after it. Each part is loaded when a file has it.
 */
import type { Hono } from "hono";
import type { StatusParts } from "../api/status.ts";
import type { ApiSettings, DaemonSettings } from "../configuration/daemon-settings.ts";
import type { ListenPlace } from "../configuration/listen-place.ts";
import type { NotifySettings } from "../configuration/notify.ts";
import type { Control } from "../control/control.ts";
import type { Listener } from "./listeners.ts";
import type { Log } from "./log.ts";
import type { farewells } from "./notify/farewell.ts";
import type { Notifier } from "./notify/notifier.ts";

export interface OwnParts {
  readonly control: Control;
  readonly api: Hono;
  readonly status: StatusParts;
  readonly version: string;
  readonly log: Log;
  /** What options say comes before what the file says. */
  readonly options: Partial<Pick<DaemonSettings, "metrics" | "api">>;
}

/** A change that can still be taken back. One of both is to be called. */
export interface Prepared {
  commit(): void;
  /** What cannot be taken back is told of: whoever undoes has an error of their own. */
  undo(): Promise<void>;
}

interface Telling {
  readonly notifier: Notifier;
  readonly farewells: typeof farewells;
}

/** For how long the end of the daemon waits for those who are told of it. */
const FAREWELL_MS = 10_000;

const NOTHING: DaemonSettings = { metrics: undefined, api: undefined, notify: [] };

export class OwnSettings implements AsyncDisposable {
  readonly #parts: OwnParts;
  readonly #metrics: Door<ListenPlace>;
  readonly #api: Door<ApiSettings>;
  #telling: Telling | undefined;
  #hasStarted = false;

  constructor(parts: OwnParts) {
    this.#parts = parts;
    const { api, log } = parts;
    const onLost = (error: unknown): void =>
      log.lines.error({ err: error }, "what a file that is not used changed could not be undone");
    this.#metrics = new Door(
      async (place) => (await import("./listeners.ts")).serveMetrics(place, parts, log),
      onLost,
    );
    this.#api = new Door(
      async (place) => (await import("./listeners.ts")).serveApi(api, place, log),
      onLost,
    );
  }

  /** Rejects with a ListenError. */
  async start(settings = NOTHING): Promise<void> {
    (await this.prepare(settings)).commit();
    this.#hasStarted = true;
  }

  /** Rejects, where it listens or what it loads cannot be had, and all is as it was. */
  async prepare(settings: DaemonSettings): Promise<Prepared> {
    const { metrics = settings.metrics, api = settings.api } = this.#parts.options;
    const tell = await this.#prepareTelling(settings.notify);
    const first = await this.#metrics.prepare(metrics);
    let second: Prepared;
    try {
      second = await this.#api.prepare(api);
    } catch (error) {
      await first.undo();
      throw error;
    }
    return {
      commit: () => {
        first.commit();
        second.commit();
        tell();
      },
      undo: async () => {
        await second.undo();
        await first.undo();
      },
    };
  }

  /** What it listens with may have other files' content by now, as a certificate that was renewed. */
  reread(): void {
    this.#metrics.reread();
    this.#api.reread();
  }

  /** Tells those who want to know it that all is down. */
  async farewell(): Promise<void> {
    if (this.#telling === undefined) return;
    const { control, status } = this.#parts;
    const { notifier, farewells } = this.#telling;
    await notifier.farewell(farewells(control.state, status.health()?.keeper), FAREWELL_MS);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#telling?.notifier[Symbol.dispose]();
    await this.#api.close();
    await this.#metrics.close();
  }

  /**
   * What puts these receivers in force. All that they take is loaded before, the farewell, too: when they need it, the package
   * may be another one, and the files of this one gone.
   */
  async #prepareTelling(settings: readonly NotifySettings[]): Promise<() => void> {
    if (this.#telling === undefined && settings.length === 0) return () => {};
    const [{ Notifier, load }, { farewells }] = await Promise.all([
      import("./notify/notifier.ts"),
      import("./notify/farewell.ts"),
    ]);
    await load(settings);
    return () => {
      const { lines, events } = this.#parts.log;
      this.#telling ??= {
        notifier: new Notifier(events, {
          // At the start of what happened before it, too: checks may have told of services already.
          after: this.#hasStarted ? events.last : 0,
          onTrouble: (receiver, why) =>
            lines.warn(
              { event: "notification-failed", receiver, why },
              `${receiver} is not told of events: ${why}`,
            ),
        }),
        farewells,
      };
      this.#telling.notifier.set(settings);
    };
  }
}

/** A listener of a kind, or none, and the way from one place to another. */
class Door<Place extends ListenPlace> {
  readonly #open: (place: Place) => Promise<Listener<Place>>;
  readonly #onLost: (error: unknown) => void;
  #listener: Listener<Place> | undefined;

  /** `onLost` is told why what was before cannot be had again. */
  constructor(open: (place: Place) => Promise<Listener<Place>>, onLost: (error: unknown) => void) {
    this.#open = open;
    this.#onLost = onLost;
  }

  reread(): void {
    this.#listener?.reread();
  }

  async prepare(place: Place | undefined): Promise<Prepared> {
    const before = this.#listener;
    if (place === undefined) return this.#prepared(() => this.#take(undefined));
    if (before === undefined) return this.#prepareNew(await this.#open(place));
    const { place: was } = before;
    if (isSame(was, place)) return this.#prepared(() => {});
    if (was.address === place.address && was.port === place.port) {
      before.renew(place);
      return this.#prepared(
        () => {},
        () => before.renew(was),
      );
    }
    try {
      return this.#prepareNew(await this.#open(place));
    } catch (error) {
      if (!isInUse(error) || was.port !== place.port) throw error;
    }
    // It is our own: the address that is listened on holds the other one, too.
    before.retire();
    this.#listener = undefined;
    try {
      const next = await this.#open(place);
      this.#listener = next;
      return this.#prepared(
        () => {},
        async () => {
          this.#listener = undefined;
          await next[Symbol.asyncDispose]();
          this.#listener = await this.#open(was);
        },
      );
    } catch (error) {
      try {
        this.#listener = await this.#open(was);
      } catch (lost) {
        this.#onLost(lost);
      }
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.#listener?.[Symbol.asyncDispose]();
  }

  #prepareNew(next: Listener<Place>): Prepared {
    return this.#prepared(
      () => this.#take(next),
      () => next[Symbol.asyncDispose](),
    );
  }

  #take(next: Listener<Place> | undefined): void {
    this.#listener?.retire();
    this.#listener = next;
  }

  #prepared(commit: () => void, undo: () => void | PromiseLike<void> = () => {}): Prepared {
    return {
      commit,
      undo: async () => {
        try {
          await undo();
        } catch (error) {
          this.#onLost(error);
        }
      },
    };
  }
}

/** The one may have been read here, the other in a process of its own: then what is undefined is not there. */
function isSame(one: object, other: object): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

function isInUse(error: unknown): boolean {
  const { cause } = error as Error;
  return (cause as NodeJS.ErrnoException | undefined)?.code === "EADDRINUSE";
}
