/** What is done when its time has come, packets or not: connections expire, what waits for a neighbour is given up. */
import type { Clock } from "../../base/clock.ts";
import type { Director } from "../../ipvs/director.ts";
import type { PacketPath } from "./packet-path.ts";

/** Connections looked at in one go of expiry: well below a millisecond. */
export const EXPIRE_BUDGET = 2_000;

export interface PulseParts {
  readonly director: Director;
  readonly path: PacketPath;
  readonly clock: Clock;
  /** It failed in a way that it should not; the rest goes on. */
  readonly onBug: (error: unknown) => void;
}

export class Pulse implements Disposable {
  readonly #parts: PulseParts;
  #timer: NodeJS.Timeout | undefined;
  #immediate: NodeJS.Immediate | undefined;
  #isOpen = true;

  constructor(parts: PulseParts) {
    this.#parts = parts;
    this.#scheduleTimer();
  }

  /** Does what is due, and from then on again when something is. */
  beat(): void {
    this.#stop();
    if (!this.#isOpen) return;
    const { director, path, clock, onBug } = this.#parts;
    let more = false;
    try {
      path.expire();
      more = director.expire(clock.now(), EXPIRE_BUDGET);
      path.flush();
    } catch (error) {
      onBug(error);
    }
    if (more) this.#immediate = setImmediate(() => this.beat());
    else this.#scheduleTimer();
  }

  [Symbol.dispose](): void {
    this.#isOpen = false;
    this.#stop();
  }

  #stop(): void {
    clearTimeout(this.#timer);
    clearImmediate(this.#immediate);
  }

  #scheduleTimer(): void {
    const { director, path, clock } = this.#parts;
    // What packets bring about meanwhile is due in a second at the earliest, and the director's own housekeeping in a
    // second at the latest: so no deadline needs the timer moved.
    const deadline = Math.min(director.nextDeadline(), path.nextDeadline());
    const wait = Math.max(deadline - clock.now(), 1);
    this.#timer = setTimeout(() => this.beat(), wait);
  }
}
