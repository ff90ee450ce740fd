/** One who is told of events: what it wants to hear of, its queue, its patience. */
import { setTimeout as sleep } from "node:timers/promises";
import { formatServiceId, parseEndpointId, parseServiceId } from "../../api/ids.ts";
import type { NotifySettings } from "../../configuration/notify.ts";
import type { KeptEvent } from "../../control/events.ts";
import { keyToWire } from "../../control/wire.ts";
import { formatEndpoint } from "../../ipvs/desired/service.ts";
import { openWay, type Way } from "./way.ts";

const QUEUE_MAX = 1_000;
const RETRY_MS = 1_000;
/** So many that wait are told of one by one, where more can be told of together. */
const APART_MAX = 10;

export interface ReceiverOptions {
  /** Something is wrong with a receiver: its first failure after a success, and what was lost. */
  readonly onTrouble: (receiver: string, why: string) => void;
  readonly retryMs?: number;
  /** How it is told. */
  readonly open?: typeof openWay;
}

export class Receiver implements Disposable {
  readonly settings: NotifySettings;
  readonly #services: ReadonlySet<string>;
  readonly #destinations: ReadonlySet<string>;
  readonly #options: ReceiverOptions;
  readonly #queue: KeptEvent[] = [];
  readonly #ending = new AbortController();
  /** Undefined when it cannot be had. */
  readonly #way: Promise<Way | undefined>;
  #work: Promise<void> | undefined;
  #hasFailed = false;
  #lost = 0;

  constructor(settings: NotifySettings, options: ReceiverOptions) {
    this.settings = settings;
    this.#options = options;
    this.#services = new Set(settings.services.map(canonicalService));
    this.#destinations = new Set(settings.destinations.map(canonicalDestination));
    // Now, not with the first event: by then the package may be another one, and the files of this one gone.
    this.#way = this.#open();
  }

  take(event: KeptEvent): void {
    const { only } = this.settings;
    // Of its own failures it is not told: that would go round.
    if (event.name === "notification-failed") return;
    if (only.length > 0 && !only.some((name) => event.name.startsWith(name))) return;
    if (!this.#isAbout(event)) return;
    if (this.#queue.length >= QUEUE_MAX) {
      this.#lost++;
      return;
    }
    this.#queue.push(event);
    this.#work ??= this.#tellAll().finally(() => {
      this.#work = undefined;
    });
  }

  /** Resolves when nothing waits any more. */
  async idle(): Promise<void> {
    while (this.#work !== undefined) await this.#work;
  }

  /** Tells what waits, for so long; what is left then is lost, and that is told. */
  async leave(withinMs: number): Promise<void> {
    const timer = setTimeout(() => this[Symbol.dispose](), withinMs);
    timer.unref();
    await this.idle();
    clearTimeout(timer);
    this.#tellLost((await this.#way)?.name);
  }

  [Symbol.dispose](): void {
    this.#ending.abort();
  }

  async #open(): Promise<Way | undefined> {
    const { open = openWay } = this.#options;
    try {
      return await open(this.settings.way);
    } catch (error) {
      this.#options.onTrouble(`a receiver by ${this.settings.way.kind}`, (error as Error).message);
      return undefined;
    }
  }

  /** Whether it is about what this receiver is to be told of. */
  #isAbout({ text }: KeptEvent): boolean {
    if (this.#services.size === 0 && this.#destinations.size === 0) return true;
    const { service, destination } = JSON.parse(text) as Readonly<Record<string, unknown>>;
    return (
      (this.#services.size === 0 || this.#services.has(String(service))) &&
      (this.#destinations.size === 0 || this.#destinations.has(String(destination)))
    );
  }

  async #tellAll(): Promise<void> {
    const way = await this.#way;
    while (way !== undefined && this.#queue.length > 0 && !this.#ending.signal.aborted) {
      const together = this.#queue.length > APART_MAX ? way.togetherMax : 1;
      const events = this.#queue.splice(0, together).filter((event) => way.takes(event));
      if (events.length === 0) continue;
      const why = await this.#tell(way, events);
      if (this.#ending.signal.aborted) {
        if (why !== undefined) this.#lost += events.length;
        break;
      }
      if (why !== undefined && !this.#hasFailed) this.#options.onTrouble(way.name, why);
      this.#hasFailed = why !== undefined;
      if (why === undefined) this.#tellLost(way.name);
    }
    this.#lost += this.#queue.splice(0).filter((event) => way?.takes(event) ?? true).length;
  }

  #tellLost(name = `a receiver by ${this.settings.way.kind}`): void {
    if (this.#lost === 0) return;
    const what = this.#lost === 1 ? "1 event was" : `${this.#lost} events were`;
    this.#options.onTrouble(name, `${what} lost meanwhile`);
    this.#lost = 0;
  }

  /** Why not; undefined: it was told. */
  async #tell(way: Way, events: readonly KeptEvent[]): Promise<string | undefined> {
    let why: string | undefined;
    for (let attempt = 1; attempt <= way.tries; attempt++) {
      const patience = AbortSignal.timeout(this.settings.timeoutMs);
      const signal = AbortSignal.any([this.#ending.signal, patience]);
      // What it throws all the same is a failure of this one's alone.
      why = await way.tell(events, signal).catch((error: unknown) => (error as Error).message);
      if (why === undefined || this.#ending.signal.aborted) return why;
      if (attempt < way.tries) await this.#rest(attempt);
    }
    return why;
  }

  async #rest(attempt: number): Promise<void> {
    const { retryMs = RETRY_MS } = this.#options;
    await sleep(retryMs * attempt, undefined, { signal: this.#ending.signal, ref: false }).catch(
      () => undefined,
    );
  }
}

/** As events have it, however it was written. */
function canonicalService(id: string): string {
  const key = parseServiceId(id);
  return key === undefined ? id : formatServiceId(keyToWire(key));
}

function canonicalDestination(id: string): string {
  const endpoint = parseEndpointId(id);
  return endpoint === undefined ? id : formatEndpoint(endpoint);
}
