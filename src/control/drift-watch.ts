/** Takes back what other hands change, where the file that was applied says so (`drift: reconcile`). */
import type { DesiredState } from "../ipvs/desired/desired-state.ts";
import type { Difference } from "../ipvs/desired/differences.ts";
import { reconciling } from "../ipvs/desired/wanted.ts";
import { ownDoing } from "./author.ts";
import type { Control } from "./control.ts";

/** Commands of one hand come close together. */
const REST_MS = 1_000;

export interface DriftWatchOptions {
  readonly onTakenBack: (drift: readonly Difference[], source: string) => void;
  readonly onError: (error: unknown) => void;
  readonly restMs?: number;
}

export class DriftWatch implements Disposable {
  readonly #control: Control;
  readonly #options: DriftWatchOptions;
  readonly #subscription: Disposable;
  #timer: NodeJS.Timeout | undefined;
  #isOpen = true;

  constructor(control: Control, options: DriftWatchOptions) {
    this.#control = control;
    this.#options = options;
    this.#subscription = control.onChange(() => this.#lookLater());
    this.#lookLater();
  }

  [Symbol.dispose](): void {
    this.#isOpen = false;
    this.#subscription[Symbol.dispose]();
    clearTimeout(this.#timer);
  }

  #lookLater(): void {
    if (!this.#isOpen || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.#look();
    }, this.#options.restMs ?? REST_MS);
    this.#timer.unref();
  }

  async #look(): Promise<void> {
    try {
      const declaration = await this.#control.declarations.latest();
      if (declaration?.wanted.file.drift !== "reconcile") return;
      await this.#takeBack(this.#control.state);
    } catch (error) {
      if (this.#isOpen) this.#options.onError(error);
    }
  }

  async #takeBack(state: DesiredState): Promise<void> {
    const found = await this.#control.declarations.drift(state);
    if (found === undefined || found.drift.length === 0 || !this.#isOpen) return;
    const { wanted } = found.declaration;
    const { source } = wanted.file;
    await this.#control.replace(
      (now) => reconciling(now, wanted, Date.now()),
      ownDoing(`drift: reconcile in ${source}`),
    );
    this.#options.onTakenBack(found.drift, source);
  }
}
