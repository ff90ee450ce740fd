/**
 * The laboratory at work: a simulation, what was typed into it, and the step that one looks at. All of it follows from the
 * laboratory's name, the seed and the lines that were typed, which is what a link holds.
 */
import type { ScenarioName } from "../../../src/lab/network/plan.ts";
import type { Family } from "../../../src/net/address.ts";
import type { Simulation } from "../../../src/simnet/simulation.ts";
import { type HostSnapshot, snapshotOf } from "../../../src/simnet/snapshot.ts";
import { Store } from "../frame/store.ts";
import { type Step, stepsOf } from "./steps.ts";
import { openWorld } from "./world.ts";

export interface Typed {
  readonly host: string;
  readonly line: string;
}

export interface Ran extends Typed {
  readonly status: number;
  readonly output: string;
}

export interface Setting {
  readonly scenario: ScenarioName;
  /** Whether the handbook's work is done already, or the hosts have nothing but their cards. */
  readonly isBuilt: boolean;
  readonly seed: number;
  readonly family: Family;
}

export interface Shown extends Setting {
  readonly ran: readonly Ran[];
  readonly steps: readonly Step[];
  /** The step that one looks at: an index; -1 before the first. */
  readonly at: number;
  readonly isBusy: boolean;
  readonly isPlaying: boolean;
}

interface Kept {
  readonly event: number;
  readonly snapshot: HostSnapshot;
}

/** More than a person types; a link with more is nobody's. */
export const LINES_MAX = 200;
/** Longer ones are no commands. */
const LINE_LENGTH_MAX = 1_000;

const NOTHING: Shown = {
  scenario: "dr",
  isBuilt: false,
  seed: 1,
  family: "inet",
  ran: [],
  steps: [],
  at: -1,
  isBusy: true,
  isPlaying: false,
};

export class Model {
  readonly shown = new Store<Shown>(NOTHING);
  #simulation: Simulation | undefined;
  /** Each host's tables, at each moment when they changed. */
  readonly #kept = new Map<string, Kept[]>();
  #firstEvent = 0;
  /** Who opens a laboratory anew makes void what was still running in the one before. */
  #turn = 0;

  /** Opens a laboratory and types lines into it, whose frames are not played. */
  async open(setting: Setting, lines: readonly Typed[] = []): Promise<void> {
    const turn = ++this.#turn;
    this.shown.set({ ...NOTHING, ...setting });
    const simulation = await openWorld(setting);
    if (turn !== this.#turn) return;
    this.#simulation = simulation;
    this.#kept.clear();
    this.#firstEvent = simulation.journal.count;
    this.#keepAll();
    simulation.journal.watch((event) => {
      if (event.kind === "table-changed") this.#keep(event.host, event.number);
    });
    for (const { host, line } of lines.slice(0, LINES_MAX)) {
      await this.#run(host, line, turn);
      if (turn !== this.#turn) return;
    }
    const { steps } = this.shown.value;
    this.shown.set({ ...this.shown.value, at: steps.length - 1, isBusy: false });
  }

  /** Types a line; its frames are then played from the first. */
  async type(host: string, line: string): Promise<Ran | undefined> {
    const { isBusy, ran, steps } = this.shown.value;
    if (isBusy || ran.length >= LINES_MAX || line.trim() === "") return undefined;
    const turn = this.#turn;
    this.shown.set({ ...this.shown.value, isBusy: true, isPlaying: false });
    const done = await this.#run(host, line.slice(0, LINE_LENGTH_MAX), turn);
    if (turn !== this.#turn) return undefined;
    // What follows the command itself.
    const at = Math.min(steps.length, this.shown.value.steps.length - 1);
    const isPlaying = this.shown.value.steps.slice(at).some(({ kind }) => kind === "frame");
    this.shown.set({
      ...this.shown.value,
      at: isPlaying ? at : this.shown.value.steps.length - 1,
      isBusy: false,
      isPlaying,
    });
    return done;
  }

  goTo(at: number): void {
    const { steps } = this.shown.value;
    const next = Math.max(-1, Math.min(steps.length - 1, at));
    this.shown.set({ ...this.shown.value, at: next, isPlaying: false });
  }

  play(isPlaying: boolean): void {
    const { at, steps } = this.shown.value;
    // At the end it begins anew with the last command.
    const start = at >= steps.length - 1 && isPlaying ? this.lastCommand() : at;
    this.shown.set({ ...this.shown.value, at: start, isPlaying });
  }

  /** While it plays. */
  goOn(): void {
    const { at, steps } = this.shown.value;
    const next = at + 1;
    if (next >= steps.length) this.shown.set({ ...this.shown.value, isPlaying: false });
    else this.shown.set({ ...this.shown.value, at: next });
  }

  lastCommand(): number {
    return this.shown.value.steps.findLastIndex(({ kind }) => kind === "command");
  }

  /** What a host's tables held at the step that one looks at. */
  tables(host: string): HostSnapshot | undefined {
    const { at, steps } = this.shown.value;
    const event = steps[at]?.last ?? this.#firstEvent;
    const kept = this.#kept.get(host) ?? [];
    return (kept.findLast((each) => each.event <= event) ?? kept[0])?.snapshot;
  }

  get hosts(): readonly string[] {
    return this.#simulation?.hosts.map(({ name }) => name) ?? [];
  }

  async #run(host: string, line: string, turn: number): Promise<Ran | undefined> {
    const simulation = this.#simulation;
    if (simulation === undefined || !this.hosts.includes(host)) return undefined;
    const { status, output } = await simulation.run(host, line);
    if (turn !== this.#turn) return undefined;
    this.#keepAll();
    const switches = new Set(simulation.switches.map(({ name }) => name));
    const events = simulation.events.filter(({ number }) => number >= this.#firstEvent);
    const done = { host, line, status, output };
    const { shown } = this;
    shown.set({
      ...shown.value,
      ran: [...shown.value.ran, done],
      steps: stepsOf(events, switches),
    });
    return done;
  }

  #keepAll(): void {
    const { count } = this.#simulation!.journal;
    for (const { name } of this.#simulation!.hosts) this.#keep(name, count - 1);
  }

  #keep(name: string, event: number): void {
    const host = this.#simulation?.hosts.find((each) => each.name === name);
    if (host === undefined) return;
    const kept = this.#kept.get(name) ?? [];
    kept.push({ event, snapshot: snapshotOf(host, host.agenda.now()) });
    this.#kept.set(name, kept);
  }
}
