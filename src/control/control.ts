/**
 * One desired state, whoever asks: commands run one at a time, and each is done whole or not at all.
 *
 * A command makes the next state from the one in force; the engine makes it true; the file keeps it; only then is it
 * in force. If any step fails, the state in force is still the one before.
 */
import type { Engine } from "../engine/engine.ts";
import { type DesiredState, EMPTY_STATE } from "../ipvs/desired-state.ts";
import { LbError } from "../ipvs/errors.ts";
import { formatServiceKey, type ServiceKey } from "../ipvs/service.ts";
import type { SnapshotFile } from "./snapshot.ts";

/** A pure step from one state to the next (desired-state.ts has them); throws LbError to refuse. */
export type Command = (state: DesiredState) => DesiredState;

/** Commands that may wait: more are refused, so that a runaway client cannot fill the memory. */
const WAITING_MAX = 10_000;

/** Too many commands wait. Nothing happened; try again. */
export class BusyError extends Error {
  override readonly name = "BusyError";
}

export class Control {
  readonly engine: Engine;
  readonly #file: SnapshotFile | undefined;
  #state: DesiredState;
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  private constructor(engine: Engine, file: SnapshotFile | undefined, state: DesiredState) {
    this.engine = engine;
    this.#file = file;
    this.#state = state;
  }

  /** Loads what was saved and has the engine run it. Without a file, state lives as long as the process. */
  static async start(engine: Engine, file?: SnapshotFile): Promise<Control> {
    const state = (await file?.load()) ?? EMPTY_STATE;
    await engine.apply(state);
    return new Control(engine, file, state);
  }

  /** The state in force. */
  get state(): DesiredState {
    return this.#state;
  }

  /** Resolves when the command is in force and on disk. Throws LbError when it is refused. */
  change(command: Command): Promise<void> {
    return this.#inTurn(async () => {
      const next = command(this.#state);
      await this.engine.apply(next);
      await this.#save(next);
      this.#state = next;
    });
  }

  /** Restarts the counters of one service, or of everything. */
  zero(key: ServiceKey | undefined): Promise<void> {
    return this.#inTurn(async () => {
      if (key !== undefined && !this.#state.services.has(formatServiceKey(key))) {
        throw new LbError({ code: "no-such-service", service: key });
      }
      await this.engine.zero(key);
    });
  }

  /** Resolves when every command given so far is done. */
  async settled(): Promise<void> {
    await this.#last;
  }

  async #save(next: DesiredState): Promise<void> {
    try {
      await this.#file?.save(next);
    } catch (error) {
      // What is not on disk must not run, or a restart would silently undo it.
      await this.engine.apply(this.#state);
      throw error;
    }
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    if (this.#waiting >= WAITING_MAX) {
      return Promise.reject(new BusyError(`${WAITING_MAX} commands wait already: try again`));
    }
    this.#waiting++;
    const turn = this.#last.then(work).finally(() => this.#waiting--);
    this.#last = turn.catch(() => undefined);
    return turn;
  }
}
