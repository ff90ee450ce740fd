import { prng } from "../src/base/prng.ts";
import { DEFAULT_SYSCTLS } from "../src/ipvs/desired/sysctls.ts";
import { SCHEDULERS, type SchedulerName } from "../src/ipvs/schedulers/index.ts";
import type { Request, Scheduler } from "../src/ipvs/schedulers/scheduler.ts";
import { address, candidate, type TestCandidate } from "./builders.ts";

interface TestDestination extends TestCandidate {
  upperThreshold: number;
}

export interface SchedulingFlags {
  readonly fallback?: boolean;
  readonly port?: boolean;
}

/** One service as its scheduler knows it: destinations newest first, told of each change, connections that never close. */
export class SchedulingTable {
  readonly #scheduler: Scheduler<TestDestination>;
  #destinations: TestDestination[] = [];

  constructor(name: SchedulerName, { fallback = false, port = false }: SchedulingFlags = {}) {
    this.#scheduler = SCHEDULERS[name]<TestDestination>({
      fallback,
      port,
      prng: prng(1),
      sysctls: () => DEFAULT_SYSCTLS,
    });
    this.#scheduler.changed?.("bound", [], undefined);
  }

  add(at: string, { weight = 1, upperThreshold = 0 } = {}): void {
    const added = { ...candidate({ address: address(at), weight }), upperThreshold };
    this.#destinations = [added, ...this.#destinations];
    this.#scheduler.changed?.("added", this.#destinations, added);
  }

  remove(at: string): void {
    const removed = this.#find(at);
    removed.isAvailable = false;
    this.#destinations = this.#destinations.filter((each) => each !== removed);
    this.#scheduler.changed?.("removed", this.#destinations, removed);
  }

  setWeight(at: string, weight: number): void {
    const edited = this.#find(at);
    edited.weight = weight;
    if (weight > 0) edited.lastWeight = weight;
    this.#scheduler.changed?.("edited", this.#destinations, edited);
  }

  /** Opens a connection: the last part of the address it goes to, or "-" when it is refused. */
  open(request: Request, protocol: "TCP" | "UDP" = "TCP"): string {
    const picked = this.#scheduler.pick(request, this.#destinations);
    if (picked === undefined) return "-";
    if (protocol === "TCP") picked.activeConnections++;
    else picked.inactiveConnections++;
    const connections = picked.activeConnections + picked.inactiveConnections;
    if (picked.upperThreshold > 0 && connections >= picked.upperThreshold)
      picked.isOverloaded = true;
    return lastPart(picked);
  }

  #find(at: string): TestDestination {
    const found = this.#destinations.find(({ address }) => address.toString() === at);
    if (found === undefined) throw new RangeError(`There is no destination ${at}`);
    return found;
  }
}

/** `21` of 10.1.0.21 and of fd01::21. */
function lastPart({ address }: TestDestination): string {
  return /[^.:]+$/.exec(address.toString())![0];
}
