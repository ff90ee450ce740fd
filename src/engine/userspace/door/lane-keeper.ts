/**
 * Keeps what the door has set up on the host as it was set up: the lane's interfaces and their settings, the marks' way
 * across it, the ways into it, and the routing rule. Whoever changes or removes any of it (an operator, a network manager,
 * a script) has it mended, and said. The tables themselves nobody can change: they have an owner.
 */
import type { Lane } from "../lane.ts";
import type { Link } from "../network/links.ts";
import type { Netlink } from "../network/netlink.ts";
import { ToldOnce, troubleName } from "../network/told-once.ts";
import { makeLaneRoutes } from "./lane-routes.ts";
import type { MarkCarrier } from "./mark-carrier.ts";
import type { OutputRule } from "./output-rule.ts";

/** Of what netlink does not tell, such as a setting. */
const CHECK_INTERVAL_MS = 2_000;

export interface LaneKeeperOptions {
  readonly lane: Lane;
  readonly netlink: Netlink;
  readonly outputRule: OutputRule;
  /** Where what local servers send is routed; undefined: nothing is routed into the lane. */
  readonly outputTable: number | undefined;
  readonly marks: MarkCarrier | undefined;
  readonly carryMarks: () => MarkCarrier;
  /** The lane is another pair of interfaces, with the same indexes as before or not. */
  readonly onRemade: (isSame: boolean) => void;
  readonly warn: (message: string, error: unknown) => void;
}

export class LaneKeeper implements Disposable {
  readonly #options: LaneKeeperOptions;
  readonly #told: ToldOnce;
  #marks: MarkCarrier | undefined;
  #links: ReadonlyMap<number, Link> | undefined;
  readonly #timer: NodeJS.Timeout;

  constructor(options: LaneKeeperOptions) {
    this.#options = options;
    this.#marks = options.marks;
    this.#told = new ToldOnce((name, what) => {
      if (what instanceof Error)
        options.warn(`what Sluice set up on this host cannot be mended (counted as ${name})`, what);
      else
        options.warn(
          `${String(what)}, which somebody else did: it is set right, as often as need be (counted as ${name})`,
          undefined,
        );
    });
    this.#timer = setInterval(() => this.#check(), CHECK_INTERVAL_MS);
    this.#timer.unref();
  }

  /** To be told of the host's interfaces whenever they or the ways may have changed. */
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
    this.#marks?.[Symbol.dispose]();
  }

  #check(): void {
    if (this.#links === undefined) return;
    try {
      this.#checkLane(this.#links);
      this.#checkWays();
    } catch (error) {
      // The next check tries again.
      this.#told.count(troubleName("mend", error), error);
    }
  }

  #checkLane(links: ReadonlyMap<number, Link>): void {
    const { lane, onRemade } = this.#options;
    const { host } = lane.names;
    const faults = lane.mend();
    if (faults === "gone") {
      // Everybody shall have heard that it is gone: it may come back with the same index.
      if (links.get(lane.hostIndex)?.name === host) return;
      const isSame = lane.remake();
      this.#told.count("mended-lane", `the interface ${host} was removed`);
      this.#marks?.[Symbol.dispose]();
      onRemade(isSame);
      this.#marks = this.#options.marks && this.#options.carryMarks();
      return;
    }
    for (const fault of faults) this.#told.count("mended-lane", `the interface ${host} ${fault}`);
  }

  #checkWays(): void {
    const { lane, netlink, outputTable, outputRule } = this.#options;
    if (outputTable !== undefined && makeLaneRoutes(netlink, lane.hostIndex, outputTable) > 0) {
      this.#told.count("mended-ways", "the routes or neighbours of the lane were removed");
    }
    if (outputRule.mend()) {
      this.#told.count("mended-rule", "the routing rule into the lane was removed");
    }
  }
}
