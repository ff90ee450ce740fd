/**
 * Keeps a lane, and what else was set up on the host around it, as it was set up. Whoever changes or removes any of it (an
 * operator, a network manager, a script) has it mended, and said.
 */

import type { Link } from "../../host/links.ts";
import { ToldOnce, troubleName } from "../../host/told-once.ts";
import type { Lane } from "./lane.ts";

/** Of what netlink does not tell, such as a setting. */
const CHECK_INTERVAL_MS = 2_000;

/** What had to be mended: the name that it is counted by, and what somebody did, as a sentence's beginning. */
export type Mended = readonly [name: string, what: string];

export interface LaneKeeperOptions {
  readonly lane: Lane;
  /**
   * The lane is another pair of interfaces, with the same index in the host as before, and always, or not. When it throws it is
   * called again.
   */
  readonly onRemade?: (isSame: boolean) => void;
  /** Sets right what belongs to a lane that is whole. Throws what the kernel refuses. */
  readonly mendMore?: () => Iterable<Mended>;
  readonly warn: (message: string, error: Error | undefined) => void;
}

export class LaneKeeper implements Disposable {
  readonly #options: LaneKeeperOptions;
  readonly #told: ToldOnce;
  #links: ReadonlyMap<number, Link> | undefined;
  /** The lane's index in the host, as those know it who were told. */
  #toldIndex: number;
  #isUntold = false;
  /** With the index that those know who were told, and with none other meanwhile. */
  #isSame = false;
  readonly #timer: NodeJS.Timeout;

  constructor(options: LaneKeeperOptions) {
    this.#options = options;
    this.#toldIndex = options.lane.hostIndex;
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
    if (faults === "gone" || faults === "broken") {
      // It may come back with the same index when everybody has heard that it is gone.
      if (faults === "gone" && links.get(lane.hostIndex)?.name === host) return;
      // When it is refused half way the lane has had another index: who looked meanwhile knows that one.
      const isFirst = !this.#isUntold;
      this.#isUntold = true;
      this.#isSame = false;
      lane.remake(faults === "gone");
      this.#isSame = isFirst && lane.hostIndex === this.#toldIndex;
      yield ["mended-lane", `the interface ${host} was removed`];
    } else {
      for (const fault of faults) yield ["mended-lane", `the interface ${host} was ${fault}`];
    }
    if (this.#isUntold) {
      onRemade?.(this.#isSame);
      this.#toldIndex = lane.hostIndex;
      this.#isUntold = false;
    }
    if (mendMore !== undefined) yield* mendMore();
  }
}
