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
  /** The standard output alone. */
  readonly stdout: string;
}

export interface TypedLine {
  readonly host: string;
  readonly line: string;
  readonly timeMs: number;
}

/** How long it takes to type a line: what happened before is over, mostly. */
const TYPING_MS = 1_000;
/** What a line may take, of the simulation's time; then it is interrupted, as with Ctrl-C. */
const LIMIT_MS = 120_000;
/** What a program may take after Ctrl-C. */
const GRACE_MS = 1_000;
/** Where nothing happens for so long and all that runs looks on, somebody may be about to type. */
const IDLE_MS = 1;
/** Of real time: how long then is waited for that. */
const LISTENING_MS = 20;
const INTERRUPTED = 130;

interface Asked {
  readonly host: string;
  readonly line: string;
  readonly limitMs: number;
  readonly resolve: (ran: Ran) => void;
  readonly reject: (error: unknown) => void;
}

interface Running extends Asked {
  readonly process: Process;
  untilMs: number;
}

export class Simulation {
  readonly seed: number;
  readonly agenda = new Agenda();
  readonly journal = new Journal(this.agenda);
  readonly #hosts = new Map<string, Host>();
  readonly #shells = new Map<string, Shell>();
  readonly #switches = new Map<string, Switch>();
  readonly #random: ReturnType<typeof prng>;
  readonly #programs: Programs;
  readonly #typed: TypedLine[] = [];
  #frames = 0;
  /** Lines that wait to be typed. */
  readonly #asked: Asked[] = [];
  #isDriving = false;

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
  get typed(): readonly TypedLine[] {
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

  /**
   * Types a line, and lets time go on until it is done and no frame is under way. Lines may be typed while others run:
   * they share the time.
   */
  run(host: string, line: string, limitMs = LIMIT_MS): Promise<Ran> {
    this.host(host);
    const { promise, resolve, reject } = Promise.withResolvers<Ran>();
    this.#asked.push({ host, line, limitMs, resolve, reject });
    if (!this.#isDriving) void this.#drive();
    return promise;
  }

  /** Types a line and lets nothing happen yet: step() does. */
  start(host: string, line: string): Process {
    this.host(host);
    this.#typed.push({ host, line, timeMs: this.agenda.now() });
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

  /** Runs what was asked for, until nothing is left of it. */
  async #drive(): Promise<void> {
    const running: Running[] = [];
    this.#isDriving = true;
    try {
      while (this.#asked.length + running.length > 0) {
        if (this.#asked.length > 0 && running.length === 0 && this.#typed.length > 0) {
          await this.pass(TYPING_MS);
        }
        for (const asked of this.#asked.splice(0)) {
          const process = this.start(asked.host, asked.line);
          running.push({ ...asked, process, untilMs: this.agenda.now() + asked.limitMs });
        }
        await this.#goOn(running);
      }
    } catch (error) {
      for (const { reject } of [...running, ...this.#asked.splice(0)]) reject(error);
    }
    // At once with the last look at what was asked: nobody may ask in between and be forgotten.
    this.#isDriving = false;
  }

  async #goOn(running: Running[]): Promise<void> {
    await this.#wake();
    if (this.#tellDone(running)) {
      // Whoever typed it may type the next, before time goes on for the others.
      if (running.length > 0) await pause(0);
      return;
    }
    const now = this.agenda.now();
    const next = this.#nextTime() ?? Number.POSITIVE_INFINITY;
    const late = running.filter(({ untilMs }) => untilMs <= next);
    if (late.length > 0 || next === Number.POSITIVE_INFINITY) {
      for (const each of late.length > 0 ? late : running) {
        // One that does not even end on Ctrl-C is killed.
        if (each.process.isInterrupted) each.process.kill(INTERRUPTED);
        each.process.interrupt();
        each.untilMs = now + GRACE_MS;
      }
      return;
    }
    const isIdle = next - now > IDLE_MS && this.#isQuiet;
    if (isIdle && running.every(({ process }) => process.isWatching)) {
      await pause(Math.min(next - now, LISTENING_MS));
      if (this.#asked.length > 0) return;
    }
    await this.step();
  }

  /** Tells of those that are done. True when some were. */
  #tellDone(running: Running[]): boolean {
    const done = this.#isQuiet ? running.filter(({ process }) => process.status !== undefined) : [];
    for (const each of done) {
      running.splice(running.indexOf(each), 1);
      const { status = INTERRUPTED, output, stdout } = each.process;
      each.resolve({ status, output, stdout });
    }
    return done.length > 0;
  }

  /** No frame is under way. */
  get #isQuiet(): boolean {
    return this.switches.every(({ underWay }) => underWay === 0);
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

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
