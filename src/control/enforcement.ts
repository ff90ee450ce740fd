/**
 * The engine, led from state to state: what it gets is what is wanted, as the overlay has it. Nothing of it is in force
 * until it is settled; until then there is a way back.
 */
import type { Engine } from "../engine/engine.ts";
import { type DesiredState, EMPTY_STATE } from "../ipvs/desired/desired-state.ts";
import type { ServicePlan } from "../ipvs/desired/service.ts";
import {
  advance,
  changesTo,
  needsOverlay,
  type Overlay,
  type Position,
  renewed,
} from "./overlay.ts";

/** States that the engine is led through by one call. */
export const STEPS_MAX = 500;

/** Called when the first service comes that needs it. */
export type OverlayLoader = () => Promise<Overlay>;

/** Calls come one after the other: Control sees to it. */
export class Enforcement {
  readonly #engine: Engine;
  readonly #loadOverlay: OverlayLoader | undefined;
  #overlay: Overlay | undefined;
  #position: Position = { desired: EMPTY_STATE, effective: EMPTY_STATE };

  constructor(engine: Engine, loadOverlay: OverlayLoader | undefined) {
    this.#engine = engine;
    this.#loadOverlay = loadOverlay;
  }

  /** What is in force. */
  get position(): Position {
    return this.#position;
  }

  /** Has the engine go through these states, each as the overlay has it. */
  async lead(steps: readonly DesiredState[], from: Position = this.#position): Promise<Position> {
    let position = from;
    const effective: DesiredState[] = [];
    for (const desired of steps) {
      const changes = changesTo(position, desired);
      if (this.#overlay === undefined && needsOverlay(changes)) {
        this.#overlay = await this.#loadOverlay?.();
      }
      position = advance(position, desired, changes, this.#overlay);
      effective.push(position.effective);
    }
    await this.#engine.apply(...effective);
    return position;
  }

  /** What the engine would get if that were wanted. Nothing changes. */
  wouldBe(desired: DesiredState): DesiredState {
    const overlay = this.#overlay;
    const over = overlay && {
      over: (plan: ServicePlan, before: ServicePlan | undefined) => overlay.wouldBe(plan, before),
    };
    const changes = changesTo(this.#position, desired);
    return advance(this.#position, desired, changes, over).effective;
  }

  /** Where the engine was led to is in force from now on. */
  settle(next: Position): void {
    const changes = this.#overlay && changesTo(this.#position, next.desired);
    this.#position = next;
    if (changes !== undefined) this.#overlay!.follow(changes);
  }

  /** Has the engine do what is in force, wherever it was led. */
  async goBack(): Promise<void> {
    await this.#engine.apply(this.#position.effective);
  }

  /** What the overlay says of these services is not what it said before. Resolves when the engine does it. */
  async renew(keyTexts: readonly string[]): Promise<void> {
    const overlay = this.#overlay;
    if (overlay === undefined) return;
    for (let at = 0; at < keyTexts.length; at += STEPS_MAX) {
      const portion = keyTexts.slice(at, at + STEPS_MAX);
      const { position, steps } = renewed(this.#position, portion, overlay);
      if (steps.length > 0) await this.#engine.apply(...steps);
      this.#position = position;
    }
  }
}
