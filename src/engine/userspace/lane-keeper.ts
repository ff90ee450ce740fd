/**
 * Keeps a lane, and what else was set up on the host around it, as it was set up. Whoever changes or removes any of it (an
 * operator, a network manager, a script) has it mended, and said.
 */
import type { Lane } from "./lane.ts";
import type { Link } from "./network/links.ts";
import { ToldOnce, troubleName } from "./network/told-once.ts";

/** Of what netlink does not tell, such as a setting. */
const CHECK_INTERVAL_MS = 2_000;

/** What had to be mended: the name that it is counted by, and what somebody did, as a sentence's beginning. */
export type Mended = readonly [name: string, what: string];

export interface LaneKeeperOptions {
  readonly lane: Lane;
  /** The lane is another pair of interfaces, with the same indexes as before or not. */
  readonly onRemade?: (isSame: boolean) => void;
  /** Sets right what belongs to a lane that is whole. Throws what the kernel refuses. */
  readonly mendMore?: () => Iterable<Mended>;
  readonly warn: (message: string, error: Error | undefined) => void;
}

export class LaneKeeper implements Disposable {
  readonly #options: LaneKeeperOptions;
  readonly #told: ToldOnce;
  #links: ReadonlyMap<number, Link> | undefined;
  readonly #timer: NodeJS.Timeout;

  constructor(options: LaneKeeperOptions) {
    this.#options = options;
    this.#told = new ToldOnce((name, what) => {
      const message =
        what instanceof Error
          ? "what Sluice set up on this host cannot be set right"
          : `${String(what)} by somebody else: it is set right, as often as need be`;
      const error = what instanceof Error ? what : undefined;
      options.warn(`${message} (counted as ${name})`, error);
    });
    this.#timer = setInterval(() => this.#check(), CHECK_INTERVAL_MS);
    this.#timer.unref();
  }

  /** To be told of the host's interfaces whenever they, or routes or rules, may have changed. */
  keep(links: ReadonlyMap<number, Link>): void {
    this.#links = links;
    this.#check();
  }

  /** How often what had to be mended, by name. */
  reasons(): Readonly<Record<string, number>> {
    return this.#told.counts();
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #check(): void {
    if (this.#links === undefined) return;
    try {
      for (const [name, what] of this.#mend(this.#links)) this.#told.count(name, what);
    } catch (error) {
      // The next check tries again.
      this.#told.count(troubleName("mend", error), error);
    }
  }

  *#mend(links: ReadonlyMap<number, Link>): Generator<Mended> {
    const { lane, onRemade, mendMore } = this.#options;
    const { host } = lane.names;
    const faults = lane.mend();
    if (faults === "gone") {
      // Everybody shall have heard that it is gone: it may come back with the same index.
      if (links.get(lane.hostIndex)?.name === host) return;
      const isSame = lane.remake();
      yield ["mended-lane", `the interface ${host} was removed`];
      onRemade?.(isSame);
    } else {
      for (const fault of faults) yield ["mended-lane", `the interface ${host} was ${fault}`];
    }
    if (mendMore !== undefined) yield* mendMore();
  }
}
