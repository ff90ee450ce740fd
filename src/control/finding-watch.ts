/** Looks at the engine from time to time, and tells once when something goes wrong, and once when that is over. */
import type { Condition, Engine } from "../engine/engine.ts";
import { type Finding, identityOf } from "../ipvs/diagnosis/finding.ts";

/** A finding, and since when it has been one. */
export interface Lasting {
  readonly finding: Finding;
  readonly since: Date;
}

export interface FindingWatchOptions {
  readonly onBegin: (finding: Finding) => void;
  readonly onEnd: (lasting: Lasting) => void;
  /** So many more of one kind began or ended at once, which are not told one by one. */
  readonly onMore: (what: "began" | "ended", code: Finding["code"], count: number) => void;
  readonly onError: (error: unknown) => void;
  readonly intervalMs?: number;
}

const INTERVAL_MS = 5_000;
/** Looking takes a fiftieth of the time at most, however many servers there are. */
const REST_PER_LOOK = 50;
/** Of one kind, in one look: more are told by their number. */
const TOLD_MAX = 20;

export class FindingWatch implements Disposable {
  readonly #engine: Engine;
  readonly #options: FindingWatchOptions;
  #lasting: ReadonlyMap<string, Lasting> = new Map();
  #timer: NodeJS.Timeout | undefined;
  #isOpen = true;

  constructor(engine: Engine, options: FindingWatchOptions) {
    this.#engine = engine;
    this.#options = options;
    this.#lookLater(options.intervalMs ?? INTERVAL_MS);
  }

  /** As of the last look. */
  get lasting(): Iterable<Lasting> {
    return this.#lasting.values();
  }

  /** Looks now. */
  async look(): Promise<{ condition: Condition; lasting: readonly Lasting[] }> {
    const condition = await this.#engine.condition();
    if (this.#isOpen) this.#note(condition.findings, new Date());
    const lasting = condition.findings.flatMap(
      (finding) => this.#lasting.get(identityOf(finding)) ?? [],
    );
    return { condition, lasting };
  }

  [Symbol.dispose](): void {
    this.#isOpen = false;
    clearTimeout(this.#timer);
  }

  #lookLater(afterMs: number): void {
    if (!this.#isOpen) return;
    this.#timer = setTimeout(() => void this.#lookAndRest(), afterMs);
    this.#timer.unref();
  }

  async #lookAndRest(): Promise<void> {
    const began = performance.now();
    try {
      await this.look();
    } catch (error) {
      if (this.#isOpen) this.#options.onError(error);
    }
    const spent = performance.now() - began;
    this.#lookLater(Math.max(this.#options.intervalMs ?? INTERVAL_MS, spent * REST_PER_LOOK));
  }

  #note(findings: readonly Finding[], now: Date): void {
    const before = this.#lasting;
    const after = new Map<string, Lasting>();
    for (const finding of findings) {
      const identity = identityOf(finding);
      after.set(identity, { finding, since: before.get(identity)?.since ?? now });
    }
    this.#lasting = after;
    const { onBegin, onEnd } = this.#options;
    this.#tell("ended", missing(before, after), onEnd);
    this.#tell("began", missing(after, before), ({ finding }) => onBegin(finding));
  }

  #tell(what: "began" | "ended", all: readonly Lasting[], tell: (one: Lasting) => void): void {
    const counts = new Map<Finding["code"], number>();
    for (const lasting of all) {
      const { code } = lasting.finding;
      const count = (counts.get(code) ?? 0) + 1;
      counts.set(code, count);
      if (count <= TOLD_MAX) tell(lasting);
    }
    for (const [code, count] of counts) {
      if (count > TOLD_MAX) this.#options.onMore(what, code, count - TOLD_MAX);
    }
  }
}

/** What the first has and the second has not. */
function missing(one: ReadonlyMap<string, Lasting>, other: ReadonlyMap<string, Lasting>) {
  return [...one].filter(([identity]) => !other.has(identity)).map(([, lasting]) => lasting);
}
