/**
 * One desired state, whoever asks: commands run one at a time, and each is done whole or not at all.
 *
 * A command makes the next state from the one in force; the engine makes it true; the file keeps it; only then is it
 * in force. If any step fails, the state in force is still the one before. Commands that wait meanwhile go the same way
 * together, each as if it were alone: the engine is led through all of their states, the disk is waited for once.
 */
import { Pauses, withPauses } from "../base/pauses.ts";
import type { Engine } from "../engine/engine.ts";
import { type DesiredState, EMPTY_STATE } from "../ipvs/desired/desired-state.ts";
import { LbError } from "../ipvs/desired/errors.ts";
import { formatServiceKey, type ServiceKey } from "../ipvs/desired/service.ts";
import { type Author, isSameAuthor, NOBODY_NAMED, ownDoing, sign } from "./author.ts";
import { Declarations } from "./declaration.ts";
import { Enforcement, type OverlayLoader, STEPS_MAX } from "./enforcement.ts";
import { History } from "./history.ts";
import type { Position } from "./overlay.ts";
import { inTermsOf, stepsBetween } from "./reload.ts";
import type { StateFile } from "./state-file.ts";

/** A pure step from one state to the next (desired-state.ts has them); throws LbError to refuse. */
export type Command = (state: DesiredState) => DesiredState;

/** Commands that may wait: more are refused, so that a runaway client cannot fill the memory. */
const WAITING_MAX = 10_000;

/** Commands that are done together: the engine is led through their states by one call. */
const TOGETHER_MAX = STEPS_MAX;

/** Too many commands wait. Nothing happened; try again. */
export class BusyError extends Error {
  override readonly name = "BusyError";
}

/** The state before and the one after; the same when nothing was different. */
interface Replaced {
  readonly before: DesiredState;
  readonly after: DesiredState;
}

interface Waiting {
  readonly command: Command;
  readonly by: Author;
  readonly resolve: () => void;
  readonly reject: (why: unknown) => void;
}

export class Control {
  readonly engine: Engine;
  readonly history: History;
  readonly declarations: Declarations;
  readonly #file: StateFile | undefined;
  readonly #enforcement: Enforcement;
  /** Those that will be done together, while they may still become more. */
  #gathering: Waiting[] | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  /** The number of the last change, where no file counts them. */
  #unfiled = 0;
  /** Of the state in force: the file's own number is there a moment before. */
  #generation = 0;
  readonly #listeners = new Set<(state: DesiredState) => void>();

  private constructor(
    engine: Engine,
    file: StateFile | undefined,
    loadOverlay: OverlayLoader | undefined,
  ) {
    this.engine = engine;
    this.#file = file;
    this.#enforcement = new Enforcement(engine, loadOverlay);
    this.history = file?.history ?? new History(undefined, () => {});
    this.declarations = file?.declarations ?? new Declarations(undefined, () => {});
  }

  /** Loads what was saved and has the engine run it. Without a file, state lives as long as the process. */
  static async start(
    engine: Engine,
    file?: StateFile,
    loadOverlay?: OverlayLoader,
  ): Promise<Control> {
    const state = (await file?.load()) ?? EMPTY_STATE;
    const control = new Control(engine, file, loadOverlay);
    control.#inForce(await control.#enforcement.lead([state]));
    return control;
  }

  /** The state in force. */
  get state(): DesiredState {
    return this.#enforcement.position.desired;
  }

  /** What the engine would get if that were wanted: with what is known of servers' health now. Nothing changes. */
  wouldBe(desired: DesiredState): DesiredState {
    return this.#enforcement.wouldBe(desired);
  }

  /** What the overlay says of these services is not what it said before. Resolves when the engine does it. */
  renew(keyTexts: readonly string[]): Promise<void> {
    return this.#inTurn(() => this.#enforcement.renew(keyTexts));
  }

  /** The number of the last change that was acknowledged: each of them makes one more. */
  get generation(): number {
    return this.#generation;
  }

  /** Why changes cannot be kept at present, and are refused; undefined: they can. */
  get stateTrouble(): string | undefined {
    return this.#file?.trouble;
  }

  /** Has `listener` told of each new state, once it is in force and on disk. */
  onChange(listener: (state: DesiredState) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  /** Resolves when the command is in force and on disk. Throws LbError when it is refused. */
  change(command: Command, by: Author = NOBODY_NAMED): Promise<void> {
    if (this.#waiting >= WAITING_MAX) return Promise.reject(busy());
    this.#waiting++;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiting = { command, by, resolve, reject };
    if (this.#mayGather(by)) {
      this.#gathering!.push(waiting);
    } else {
      const together = [waiting];
      void this.#inTurn(() => {
        if (this.#gathering === together) this.#gathering = undefined;
        return this.#perform(together);
      });
      this.#gathering = together;
    }
    return promise.finally(() => this.#waiting--);
  }

  /** Restarts the counters of one service, or of everything. `check`, in its turn, throws where that is not to be. */
  zero(key: ServiceKey | undefined, check: () => void = () => {}): Promise<void> {
    if (this.#waiting >= WAITING_MAX) return Promise.reject(busy());
    this.#waiting++;
    return this.#inTurn(async () => {
      check();
      if (key !== undefined && !this.state.services.has(formatServiceKey(key))) {
        throw new LbError({ code: "no-such-service", service: key });
      }
      await this.engine.zero(key);
    }).finally(() => this.#waiting--);
  }

  /**
   * Makes what somebody else wrote into the state file the state in force; false when nobody did. Rejects, and changes
   * nothing, when it cannot be used.
   */
  reload(): Promise<boolean> {
    const by = ownDoing("whoever edited the state file");
    return this.#inTurn(async () => {
      const file = this.#file;
      const written = await file?.reload();
      if (file === undefined || written === undefined) return false;
      const wanted = await inTermsOf(this.state, written);
      const before = this.state;
      await this.#become(wanted, () => file.replace(before, wanted, sign(by)));
      return true;
    });
  }

  /**
   * Puts in force what `make` makes of the state in force, however much it changes, all or nothing; `make` pauses now and
   * then. Resolves to both states. Rejects, and changes nothing, when it is refused.
   */
  replace(
    make: (state: DesiredState) => Generator<undefined, DesiredState>,
    by: Author = NOBODY_NAMED,
  ): Promise<Replaced> {
    if (this.#waiting >= WAITING_MAX) return Promise.reject(busy());
    this.#waiting++;
    return this.#inTurn(async () => {
      const before = this.state;
      const after = await withPauses(make(before));
      if (after !== before) {
        await this.#become(after, () => this.#keep(before, after, by));
      }
      return { before, after };
    }).finally(() => this.#waiting--);
  }

  /** Resolves when every command given so far is done, and the disk is as a person would expect it. */
  async end(): Promise<void> {
    await this.#last;
    await this.#file?.end(this.state);
  }

  /** One that is refused leaves the others as they are; what fails for all is tried with each alone. */
  async #perform(together: readonly Waiting[]): Promise<void> {
    const pauses = new Pauses();
    const refusals = new Map<Waiting, unknown>();
    const steps: DesiredState[] = [];
    let state = this.state;
    for (const each of together) {
      await pauses.ifDue();
      try {
        state = each.command(state);
        if (state !== (steps.at(-1) ?? this.state)) steps.push(state);
      } catch (error) {
        refusals.set(each, error);
      }
    }
    try {
      if (steps.length > 0) await this.#commit(steps, together[0]!.by);
    } catch (error) {
      if (together.length === 1) together[0]!.reject(error);
      else for (const each of together) await this.#perform([each]);
      return;
    }
    for (const each of together) {
      if (refusals.has(each)) each.reject(refusals.get(each));
      else each.resolve();
    }
  }

  async #commit(steps: readonly DesiredState[], by: Author): Promise<void> {
    const before = this.state;
    await this.#file?.retry(before);
    const next = await this.#enforcement.lead(steps);
    try {
      await this.#keep(before, next.desired, by);
    } catch (error) {
      // What is not on disk must not run, or a restart would silently undo it.
      await this.#enforcement.goBack();
      throw error;
    }
    this.#inForce(next);
  }

  /** Those who come together are of one author: so a generation is. */
  #mayGather(by: Author): boolean {
    const together = this.#gathering;
    if (together === undefined || together.length >= TOGETHER_MAX) return false;
    return isSameAuthor(together[0]!.by, by);
  }

  async #keep(before: DesiredState, after: DesiredState, by: Author): Promise<void> {
    const signature = sign(by);
    if (this.#file !== undefined) {
      await this.#file.append(before, after, signature);
      return;
    }
    this.#unfiled++;
    this.history.note({ generation: this.#unfiled, before, after, ...signature });
  }

  #tell(): void {
    for (const listener of this.#listeners) listener(this.state);
  }

  /** Makes the engine do `wanted`, in portions; `keep` has it on disk. */
  async #become(wanted: DesiredState, keep: () => Promise<void>): Promise<void> {
    let next = this.#enforcement.position;
    await this.#file?.retry(this.state);
    try {
      for (const steps of stepsBetween(this.state, wanted, TOGETHER_MAX)) {
        next = await this.#enforcement.lead(steps, next);
      }
      await keep();
    } catch (error) {
      await this.#enforcement.goBack();
      throw error;
    }
    this.#inForce(next);
  }

  #inForce(next: Position): void {
    this.#enforcement.settle(next);
    this.#generation = this.#file?.generation ?? this.#unfiled;
    this.#tell();
  }

  #inTurn<Value>(work: () => Promise<Value>): Promise<Value> {
    // What is commanded from now on comes after it.
    this.#gathering = undefined;
    const turn = this.#last.then(work);
    this.#last = turn.catch(() => undefined);
    return turn;
  }
}

function busy(): BusyError {
  return new BusyError(`${WAITING_MAX} commands wait already: try again`);
}
