/** Probes what it is assigned when it is due, and tells what is different from before. */
import type { Clock } from "../../base/clock.ts";
import type { Outcome, ProbeTarget } from "../checker.ts";
import { afterResult, delayAfter, type Standing } from "../judge.ts";
import { reasonOf } from "../reasons.ts";
import type { LagTally } from "./lag-tally.ts";
import type { Assignment, Change, Order } from "./protocol.ts";
import type { Way, Ways } from "./ways.ts";

/** A checker with its settings checked. */
export type Probe = (
  target: ProbeTarget,
  settings: Assignment["settings"],
  signal: AbortSignal,
) => Promise<Outcome>;

export interface ProberOptions {
  readonly ways: Pick<Ways, "add" | "remove" | "of" | "isPortsFault">;
  /** Rejects when there is no such kind of check. */
  readonly load: (type: string) => Promise<Probe>;
  readonly tell: (change: Change) => void;
  readonly measured: (id: number, latencyMs: number) => void;
  readonly clock: Clock;
  /** From 0 to 1. */
  readonly chance: () => number;
  readonly lag: LagTally;
  readonly runningMax: number;
  /** Of those that start a program. */
  readonly programsMax: number;
}

/** Those of which only so many run at once; more wait, each for its turn. */
interface Lane {
  readonly max: number;
  running: number;
  readonly waiting: Set<Task>;
}

/** The first probes come within this, so that what was just configured is known soon. */
const SPREAD_MS = 1_000;

/**
 * So many begin before what has come is read. Timers that are due follow each other without that: behind with its work, this
 * process would begin probe after probe, read nothing of their servers, and find all of them too late.
 */
const AT_ONCE = 32;

/** A probe that cannot say yet which way it goes waits so long. */
const LATER_MS = 50;

/** A checker that does not end when its time is over is left behind after this. */
const PATIENCE_MS = 250;

/** A timer that is so late tells of this process, not of the server. */
const STALL_MS = 20;

interface Task {
  readonly assignment: Assignment;
  standing: Standing;
  dueAt: number;
  timer: NodeJS.Timeout | undefined;
  running: AbortController | undefined;
  told: Pick<Change, "up" | "isKnown" | "why" | "weight" | "warning"> | undefined;
}

const TIMED_OUT = new DOMException("no answer in time", "TimeoutError");
const FORGOTTEN = new DOMException("nobody asks any more", "AbortError");

export class Prober {
  readonly #options: ProberOptions;
  readonly #tasks = new Map<number, Task>();
  readonly #probes = new Map<string, Promise<Probe>>();
  readonly #programs: Lane;
  readonly #others: Lane;
  /** Those that are due. */
  readonly #ready = new Set<Task>();
  #willBegin = false;

  constructor(options: ProberOptions) {
    this.#options = options;
    this.#programs = { max: options.programsMax, running: 0, waiting: new Set() };
    this.#others = { max: options.runningMax, running: 0, waiting: new Set() };
  }

  order({ add, remove }: Order): void {
    for (const id of remove) this.#forget(id);
    for (const assignment of add) this.#takeUp(assignment);
  }

  #takeUp(assignment: Assignment): void {
    const { clock, chance } = this.#options;
    this.#forget(assignment.id);
    const task: Task = {
      assignment,
      standing: assignment.standing,
      dueAt: clock.now() + chance() * Math.min(SPREAD_MS, assignment.intervalMs),
      timer: undefined,
      running: undefined,
      told: undefined,
    };
    this.#tasks.set(assignment.id, task);
    this.#options.ways.add(assignment.target);
    this.#wait(task);
  }

  #forget(id: number): void {
    const task = this.#tasks.get(id);
    if (task === undefined) return;
    this.#tasks.delete(id);
    this.#options.ways.remove(task.assignment.target);
    this.#laneOf(task).waiting.delete(task);
    this.#ready.delete(task);
    clearTimeout(task.timer);
    task.running?.abort(FORGOTTEN);
  }

  #wait(task: Task): void {
    const afterMs = Math.max(0, task.dueAt - this.#options.clock.now());
    task.timer = setTimeout(() => this.#due(task), afterMs);
  }

  #due(task: Task): void {
    this.#ready.add(task);
    this.#beginSoon();
  }

  #beginSoon(): void {
    if (this.#willBegin || this.#ready.size === 0) return;
    this.#willBegin = true;
    setImmediate(() => this.#begin());
  }

  #begin(): void {
    this.#willBegin = false;
    let begun = 0;
    for (const task of this.#ready) {
      if (begun++ === AT_ONCE) break;
      this.#ready.delete(task);
      const lane = this.#laneOf(task);
      if (lane.running >= lane.max) lane.waiting.add(task);
      else void this.#run(task);
    }
    this.#beginSoon();
  }

  #laneOf({ assignment }: Task): Lane {
    return assignment.type === "exec" ? this.#programs : this.#others;
  }

  async #run(task: Task): Promise<void> {
    const { clock, lag, ways } = this.#options;
    const beganAt = clock.now();
    const way = ways.of(task.assignment.target);
    if (way === "later") {
      this.#waitLonger(task, beganAt);
      return;
    }
    lag.add(beganAt - task.dueAt);
    const controller = new AbortController();
    task.running = controller;
    const lane = this.#laneOf(task);
    lane.running++;
    const outcome = await this.#ask(task.assignment, way, controller);
    lane.running--;
    task.running = undefined;
    const isWanted = this.#tasks.get(task.assignment.id) === task;
    if (isWanted && ways.isPortsFault(way.target, outcome)) this.#waitLonger(task, clock.now());
    else if (isWanted) this.#settle(task, outcome, beganAt);
    for (const next of lane.waiting) {
      if (lane.running >= lane.max) break;
      lane.waiting.delete(next);
      void this.#run(next);
    }
  }

  /** Nothing was found of the server. */
  #waitLonger(task: Task, now: number): void {
    task.dueAt = now + LATER_MS;
    this.#wait(task);
  }

  async #ask(
    { type, settings, timeoutMs }: Assignment,
    { target, warning }: Exclude<Way, "later">,
    controller: AbortController,
  ): Promise<Outcome> {
    const late = Promise.withResolvers<Outcome>();
    const end = (): void => {
      controller.abort(TIMED_OUT);
      const outcome = { up: false, why: "no answer in time" };
      timer = setTimeout(() => late.resolve(outcome), PATIENCE_MS);
    };
    const { clock } = this.#options;
    const endsAt = clock.now() + timeoutMs;
    let timer = setTimeout(() => {
      const lateMs = clock.now() - endsAt;
      // This process was kept from the processor: what has come meanwhile is to be read first, and the rest gets its time.
      if (lateMs > STALL_MS) timer = setTimeout(end, Math.min(lateMs, timeoutMs));
      else end();
    }, timeoutMs);
    try {
      const probe = await this.#probe(type);
      const probed = probe(target, settings, controller.signal);
      const outcome = await Promise.race([probed, late.promise]);
      return warning === undefined ? outcome : { warning, ...outcome };
    } catch (error) {
      // A bug of the check's: the server is no better known than before, and cannot be trusted.
      return { up: false, why: `the check failed: ${reasonOf(error)}` };
    } finally {
      clearTimeout(timer);
    }
  }

  #probe(type: string): Promise<Probe> {
    let probe = this.#probes.get(type);
    if (probe === undefined) {
      probe = this.#options.load(type);
      this.#probes.set(type, probe);
    }
    return probe;
  }

  #settle(task: Task, outcome: Outcome, beganAt: number): void {
    const { clock, chance, measured } = this.#options;
    const { assignment } = task;
    const now = clock.now();
    const latencyMs = now - beganAt;
    task.standing = afterResult(task.standing, outcome.up, assignment);
    this.#tell(task, outcome, latencyMs);
    measured(assignment.id, latencyMs);
    task.dueAt = Math.max(now, beganAt + delayAfter(task.standing, assignment, chance()));
    this.#wait(task);
  }

  #tell(task: Task, outcome: Outcome, latencyMs: number): void {
    const { up, isKnown } = task.standing;
    const before = task.told;
    // While it is undecided its last settled reason holds, unless there is none.
    const isSettled = outcome.up === up || before === undefined;
    const { why, weight, warning } = isSettled ? outcome : before;
    const isSame =
      before !== undefined &&
      before.up === up &&
      before.isKnown === isKnown &&
      before.why === why &&
      before.weight === weight &&
      before.warning === warning;
    if (isSame) return;
    task.told = { up, isKnown, why, weight, warning };
    this.#options.tell({ id: task.assignment.id, ...task.standing, ...task.told, latencyMs });
  }
}
