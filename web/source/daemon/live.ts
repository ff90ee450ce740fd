/**
 * What the daemon knows now, asked for again and again while somebody looks, and at once when an event says that something
 * changed.
 */
import type { HealthStatus, Info, Status } from "../../../src/api/messages.ts";
import type { WireServiceStatus } from "../../../src/control/wire.ts";
import { Store } from "../frame/store.ts";
import { ask, call, eventsOf, Refused } from "./api.ts";
import { token } from "./credentials.ts";
import { RateHistory } from "./rate-history.ts";

/** Services and their rates: the daemon estimates rates every two seconds. */
const PERIOD_MS = 2_000;
/** What seldom changes, unless an event says so. */
const SLOW_PERIOD_MS = 10_000;
/** Asking takes this part of the time at most, however many services there are. */
const REST_PER_ASKING = 8;
const EVENTS_MAX = 500;
const RETRY_MS = 2_000;

/** "asking": nobody has answered yet. */
export type Connection =
  | { readonly kind: "asking" }
  | { readonly kind: "live" }
  /** What serves these pages is no daemon, and will not become one. */
  | { readonly kind: "none" }
  | { readonly kind: "lost"; readonly why: string }
  | { readonly kind: "refused"; readonly why: string };

export interface HappenedEvent {
  readonly id: string;
  readonly name: string;
  readonly at: string;
  readonly message: string;
}

export interface Snapshot {
  readonly services: readonly WireServiceStatus[];
  readonly reasons: Readonly<Record<string, number>>;
  /** How much more of each there was since the asking before, a second. */
  readonly reasonRates: Readonly<Record<string, number>>;
}

export const connection = new Store<Connection>({ kind: "asking" });
export const snapshot = new Store<Snapshot | undefined>(undefined);
export const status = new Store<Status | undefined>(undefined);
export const health = new Store<HealthStatus | undefined>(undefined);
export const info = new Store<Info | undefined>(undefined);
export const reasonWords = new Store<Readonly<Record<string, string>>>({});
export const serviceNames = new Store<Readonly<Record<string, string>>>({});
/** The newest last. */
export const happened = new Store<readonly HappenedEvent[]>([]);
export const rates = new RateHistory();

/** Asks until what is returned is called. */
export function watchDaemon(): () => void {
  const over = new AbortController();
  void poll(over.signal);
  void follow(over.signal);
  return () => over.abort();
}

let isSlowDue = true;
let wake = (): void => {};

/** What stands is asked for at once: somebody changed something. */
export function refresh(): void {
  isSlowDue = true;
  wake();
}

async function poll(over: AbortSignal): Promise<void> {
  let slowAt = 0;
  while (!over.aborted) {
    const began = performance.now();
    if (!document.hidden) {
      const isSlow = isSlowDue || began - slowAt > SLOW_PERIOD_MS;
      if (isSlow) {
        slowAt = began;
        isSlowDue = false;
      }
      try {
        await askAll(isSlow);
        connection.set({ kind: "live" });
      } catch (error) {
        const after = connectionAfter(error);
        connection.set(after);
        if (after.kind === "none") return;
        isSlowDue = true;
      }
    }
    const spent = performance.now() - began;
    await pause(Math.max(PERIOD_MS - spent, spent * REST_PER_ASKING), over);
  }
}

let before: { readonly at: number; readonly reasons: Snapshot["reasons"] } | undefined;

async function askAll(isSlow: boolean): Promise<void> {
  const [{ services }, reasons, totals] = await Promise.all([
    call("listServices", {}),
    call("reasons", {}),
    call("totals", {}),
  ]);
  const at = performance.now();
  snapshot.set({ services, reasons, reasonRates: ratesOf(reasons, at) });
  before = { at, reasons };
  rates.add(Date.now() / 1000, totals.rates, services);
  if (!isSlow) return;
  const [state, known, daemon, words, { names }] = await Promise.all([
    call("status", {}),
    call("health", {}),
    call("info", {}),
    call("reasonWords", {}),
    call("names", {}),
  ]);
  status.set(state);
  health.set(known);
  info.set(daemon);
  reasonWords.set(words);
  serviceNames.set(names);
}

function ratesOf(reasons: Snapshot["reasons"], at: number): Snapshot["reasons"] {
  if (before === undefined) return {};
  const seconds = (at - before.at) / 1000;
  const more = ([name, count]: [string, number]): [string, number] => [
    name,
    // A daemon that was restarted counts anew.
    Math.max(0, count - (before?.reasons[name] ?? 0)) / seconds,
  ];
  return Object.fromEntries(Object.entries(reasons).map(more));
}

function connectionAfter(error: unknown): Connection {
  if (error instanceof Refused && [401, 403, 429].includes(error.status)) {
    return { kind: "refused", why: error.message };
  }
  // Of a daemon's routes this one is always there.
  if (error instanceof Refused && error.status === 404) return { kind: "none" };
  return { kind: "lost", why: error instanceof Refused ? error.message : "Nobody answers" };
}

/** The daemon's events, over lost connections and its restarts. */
async function follow(over: AbortSignal): Promise<void> {
  let lastId = "all";
  while (!over.aborted) {
    try {
      const response = await ask("events", { query: { since: lastId } }, { signal: over });
      for await (const { id, event, data } of eventsOf(response)) {
        if (id === null) continue;
        lastId = id;
        const { at = "", message = event } = data as { at?: string; message?: string };
        happened.set([...happened.value, { id, name: event, at, message }].slice(-EVENTS_MAX));
        refresh();
      }
    } catch {
      // poll() says what is wrong.
      if (connection.value.kind === "none") return;
    }
    await pause(RETRY_MS, over, false);
  }
}

function pause(milliseconds: number, over: AbortSignal, isWoken = true): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      resolve();
    };
    const timer = setTimeout(end, milliseconds);
    over.addEventListener("abort", end, { once: true });
    if (isWoken) wake = end;
  });
}

token.watch(refresh);
