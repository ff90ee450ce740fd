/**
 * Tells others of events: runs programs, and posts to URLs. Loaded where a sluice.yaml has `notify`.
 *
 * A receiver that hangs, or is away, costs nothing but its own news: each has a queue of its own that is bounded, one after
 * the other so that they come in order, and a limit of time. What is lost is counted and said.
 */
import { spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { formatServiceId, parseEndpointId, parseServiceId } from "../api/ids.ts";
import type { NotifySettings } from "../configuration/notify.ts";
import type { Events, KeptEvent } from "../control/events.ts";
import { keyToWire } from "../control/wire.ts";
import { formatEndpoint } from "../ipvs/desired/service.ts";
import { wordsFor } from "./notify-words.ts";

const QUEUE_MAX = 1_000;
const TRIES = 3;
const RETRY_MS = 1_000;

export interface NotifierOptions {
  /** Something is wrong with a receiver: its first failure after a success, and what was lost. */
  readonly onTrouble: (receiver: string, why: string) => void;
  readonly retryMs?: number;
}

export class Notifier implements Disposable {
  readonly #receivers: readonly Receiver[];
  readonly #events: Events;
  #at: number;
  #waiting: Disposable | undefined;
  #isOpen = true;

  constructor(events: Events, settings: readonly NotifySettings[], options: NotifierOptions) {
    this.#events = events;
    // What happened since the daemon began: checks may have told of services already.
    this.#at = 0;
    this.#receivers = settings.map((each) => new Receiver(each, options));
    setImmediate(() => this.#pass());
  }

  [Symbol.dispose](): void {
    this.#isOpen = false;
    this.#waiting?.[Symbol.dispose]();
    for (const receiver of this.#receivers) receiver[Symbol.dispose]();
  }

  /** What is new, and then what comes. */
  #pass(): void {
    if (!this.#isOpen) return;
    const { events } = this.#events.after(this.#at);
    this.#at = this.#events.last;
    for (const event of events) for (const receiver of this.#receivers) receiver.take(event);
    // Whoever publishes does not wait for it.
    this.#waiting = this.#events.once(() => setImmediate(() => this.#pass()));
  }
}

class Receiver implements Disposable {
  readonly #settings: NotifySettings;
  readonly #options: NotifierOptions;
  readonly #queue: KeptEvent[] = [];
  readonly #ending = new AbortController();
  #isBusy = false;
  #hasFailed = false;
  #lost = 0;

  constructor(settings: NotifySettings, options: NotifierOptions) {
    this.#settings = settings;
    this.#options = options;
  }

  take(event: KeptEvent): void {
    const { only, exec, hasWords } = this.#settings;
    // Of its own failures it is not told: that would go round.
    if (event.name === "notification-failed") return;
    if (only.length > 0 && !only.some((name) => event.name.startsWith(name))) return;
    if (exec !== undefined && hasWords && wordsFor(event) === undefined) return;
    if (!this.#isAbout(event)) return;
    if (this.#queue.length >= QUEUE_MAX) {
      this.#lost++;
      return;
    }
    this.#queue.push(event);
    if (!this.#isBusy) void this.#work();
  }

  [Symbol.dispose](): void {
    this.#ending.abort();
  }

  /** Whether it is about what this receiver is to be told of. */
  #isAbout({ text }: KeptEvent): boolean {
    const { service, destination } = this.#settings;
    if (service === undefined && destination === undefined) return true;
    const facts = JSON.parse(text) as Readonly<Record<string, unknown>>;
    return (
      (service === undefined || facts.service === canonicalService(service)) &&
      (destination === undefined || facts.destination === canonicalDestination(destination))
    );
  }

  async #work(): Promise<void> {
    this.#isBusy = true;
    for (let event = this.#queue.shift(); event !== undefined; event = this.#queue.shift()) {
      const why = await this.#tell(event);
      if (this.#ending.signal.aborted) return;
      if (why !== undefined && !this.#hasFailed) this.#complain(why);
      this.#hasFailed = why !== undefined;
      if (this.#lost > 0 && why === undefined) {
        this.#complain(`${this.#lost} events were lost meanwhile`);
        this.#lost = 0;
      }
    }
    this.#isBusy = false;
  }

  #complain(why: string): void {
    const { exec, webhook } = this.#settings;
    this.#options.onTrouble(exec?.join(" ") ?? new URL(webhook!).origin, why);
  }

  /** Why not; undefined: it was told. */
  async #tell(event: KeptEvent): Promise<string | undefined> {
    const { exec, webhook, hasWords, timeoutMs } = this.#settings;
    const signal = AbortSignal.any([this.#ending.signal, AbortSignal.timeout(timeoutMs)]);
    if (exec !== undefined) {
      const words = hasWords ? (wordsFor(event) ?? []) : [];
      return await run([...exec, ...words], event, signal);
    }
    let why: string | undefined;
    for (let attempt = 1; attempt <= TRIES; attempt++) {
      const each = AbortSignal.any([this.#ending.signal, AbortSignal.timeout(timeoutMs)]);
      why = await post(webhook!, event, each);
      if (why === undefined || this.#ending.signal.aborted) return undefined;
      if (attempt < TRIES) await this.#rest(attempt);
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

/** No shell reads what an event says. */
function run(
  [program = "", ...words]: readonly string[],
  event: KeptEvent,
  signal: AbortSignal,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    const child = spawn(program, words, {
      stdio: ["pipe", "ignore", "ignore"],
      signal,
      killSignal: "SIGKILL",
      env: { PATH: process.env.PATH, SLUICE_EVENT: event.name },
    });
    child.on("error", (error) => resolve(signal.aborted ? "it took too long" : error.message));
    child.on("exit", (code, killedBy) =>
      resolve(code === 0 ? undefined : `it ended with ${code ?? killedBy}`),
    );
    // One that does not read it.
    child.stdin.on("error", () => {});
    child.stdin.end(`${event.text}\n`);
  });
}

async function post(
  url: string,
  event: KeptEvent,
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: `{"event":${JSON.stringify(event.name)},"data":${event.text}}`,
      redirect: "error",
      signal,
    });
    await response.body?.cancel();
    return response.ok ? undefined : `it answered ${response.status}`;
  } catch (error) {
    const { message, cause } = error as Error;
    return cause instanceof Error ? cause.message : message;
  }
}
