/**
 * A simulated network: hosts, switches, and the time in which everything happens. The whole of its state follows from
 * the seed and the lines that were typed, in their order: typing them again gives it again.
 */
import { prng } from "../base/prng.ts";
import type { SimulationEvent } from "./event.ts";
import { Host } from "./host/host.ts";
import { Journal } from "./journal.ts";
import { Switch } from "./link/switch.ts";
import type { Process } from "./shell/process.ts";
import type { Programs } from "./shell/program.ts";
import { Shell } from "./shell/shell.ts";
import { type HostSnapshot, snapshotOf } from "./snapshot.ts";
import { Agenda } from "./time/agenda.ts";

export interface SimulationOptions {
  readonly seed: number;
  /** What can be typed. */
  readonly programs: Programs;
}

/** What a line did on a terminal. */
export interface Ran {
  readonly status: number;
  /** Both outputs, as a terminal shows them. */
  readonly output: string;
}

/** How long it takes to type a line: what happened before is over, mostly. */
const TYPING_MS = 1_000;
/** What a line may take, of the simulation's time; then it is interrupted, as with Ctrl-C. */
const LIMIT_MS = 120_000;
/** A simulation that goes on and on without time passing is stuck. */
const STEPS_MAX = 5_000_000;

export class Simulation {
  readonly seed: number;
  readonly agenda = new Agenda();
  readonly journal = new Journal(this.agenda);
  readonly #hosts = new Map<string, Host>();
  readonly #shells = new Map<string, Shell>();
  readonly #switches = new Map<string, Switch>();
  readonly #random: ReturnType<typeof prng>;
  readonly #programs: Programs;
  readonly #typed: { host: string; line: string }[] = [];
  #frames = 0;
  /** Lines are run one after the other: they share the time. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor({ seed, programs }: SimulationOptions) {
    this.seed = seed;
    this.#random = prng(seed);
    this.#programs = programs;
  }

  get hosts(): readonly Host[] {
    return [...this.#hosts.values()];
  }

  get switches(): readonly Switch[] {
    return [...this.#switches.values()];
  }

  get events(): readonly SimulationEvent[] {
    return this.journal.events;
  }

  /** Lines that were typed so far: with the seed, all that there is to know. */
  get typed(): readonly { readonly host: string; readonly line: string }[] {
    return this.#typed;
  }

  addSwitch(name: string): Switch {
    const made = new Switch(name, this.agenda, this.#random, this.journal);
    this.#switches.set(name, made);
    return made;
  }

  addHost(name: string): Host {
    const host = new Host(name, {
      agenda: this.agenda,
      random: this.#random,
      journal: this.journal,
      nextFrame: () => this.#frames++,
    });
    this.#hosts.set(name, host);
    this.#shells.set(name, new Shell(host, this.#programs));
    return host;
  }

  host(name: string): Host {
    const host = this.#hosts.get(name);
    if (host !== undefined) return host;
    const known = [...this.#hosts.keys()].join(", ");
    throw new RangeError(`Cannot find the host '${name}': expected one of ${known}`);
  }

  /** Types a line, and lets time go on until it is done and no frame is under way. */
  run(host: string, line: string, limitMs = LIMIT_MS): Promise<Ran> {
    const turn = this.#turn.then(() => this.#run(host, line, limitMs));
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  /** Types a line and lets nothing happen yet: step() does. */
  start(host: string, line: string): Process {
    this.host(host);
    this.#typed.push({ host, line });
    this.journal.tell({ kind: "command", host, line });
    return this.#shells.get(host)!.start(line);
  }

  /** The next thing that happens, and what follows from it at once. False: nothing is going to happen. */
  async step(): Promise<boolean> {
    await this.#wake();
    const next = this.#nextTime();
    if (next === undefined) return false;
    if (this.agenda.next !== undefined && this.agenda.next <= next) this.agenda.step();
    else this.agenda.passUntil(next);
    await this.#wake();
    return true;
  }

  /** Time passes: whatever is due until then happens. */
  async pass(ms: number): Promise<void> {
    const until = this.agenda.now() + ms;
    await this.#wake();
    for (;;) {
      const next = this.#nextTime();
      if (next === undefined || next > until) break;
      await this.step();
    }
    this.agenda.passUntil(until);
    await this.#wake();
  }

  /** What each host's tables hold now. */
  snapshot(): readonly HostSnapshot[] {
    return this.hosts.map((host) => snapshotOf(host, this.agenda.now()));
  }

  async #run(host: string, line: string, limitMs: number): Promise<Ran> {
    if (this.#typed.length > 0) await this.pass(TYPING_MS);
    const process = this.start(host, line);
    const until = this.agenda.now() + limitMs;
    await this.#goOn(() => process.status !== undefined, until);
    if (process.status === undefined) {
      process.interrupt();
      await this.#goOn(() => process.status !== undefined, until + LIMIT_MS);
    }
    const status = process.status ?? INTERRUPTED;
    await this.#goOn(() => this.switches.every(({ underWay }) => underWay === 0), until + LIMIT_MS);
    return { status, output: process.output };
  }

  async #goOn(isDone: () => boolean, untilMs: number): Promise<void> {
    await this.#wake();
    for (let steps = 0; !isDone(); steps++) {
      const next = this.#nextTime();
      if (next === undefined || next > untilMs) return;
      if (steps > STEPS_MAX) throw new Error("The simulation does not come to an end");
      await this.step();
    }
  }

  #nextTime(): number | undefined {
    const times = [...this.#shells.values()].flatMap((shell) => shell.nextTime ?? []);
    if (this.agenda.next !== undefined) times.push(this.agenda.next);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  /** Programs whose wait is over go on, host by host, until none can. */
  async #wake(): Promise<void> {
    for (let isMoving = true; isMoving; ) {
      isMoving = false;
      for (const shell of this.#shells.values()) {
        if (await shell.wake(this.agenda.now())) isMoving = true;
      }
    }
  }
}

const INTERRUPTED = 130;
