/**
 * Server-Sent Events (WHATWG HTML, 9.2): what happened, as it happens, with an id for each, so that a listener whose
 * connection broke goes on behind the last one that it has.
 *
 *     id: mfx3k2-17
 *     event: finding-began
 *     data: {"at":"...","message":"...","code":"no-route",...}
 *
 * Two names are the stream's own: `missed`, when there were more than are kept, so that a listener knows to ask for the
 * whole anew; and `connections`, a sample of the connection table, for whoever asks for it.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Events, KeptEvent } from "../../control/events.ts";
import type { Engine } from "../../engine/engine.ts";
import { sampleOf } from "./sample.ts";

export interface Listener {
  /** The id of the last one that it has; "all": whatever is kept; undefined: from now on. */
  readonly lastId: string | undefined;
  /** Names, or what names begin with; empty: all. */
  readonly only: readonly string[];
  /** Whether it waits for more when it has what is kept. */
  readonly follows: boolean;
  /** How many connections a sample has; 0: none is taken. */
  readonly connections: number;
}

export interface StreamOptions {
  /** Silence is broken after so long, so that both ends find out when the other one has gone. */
  readonly heartbeatMs?: number;
  readonly sampleMs?: number;
}

const HEARTBEAT_MS = 15_000;
const SAMPLE_MS = 1_000;
/** A sample takes this part of the time at most, however many connections there are. */
const REST_PER_SAMPLE = 20;

/** Ends when the listener is too slow, which it is told. */
export async function* eventStream(
  events: Events,
  engine: Engine,
  listener: Listener,
  { heartbeatMs = HEARTBEAT_MS, sampleMs = SAMPLE_MS }: StreamOptions = {},
): AsyncGenerator<string> {
  const start = placeOf(listener.lastId, events);
  let at = start.number;
  let sampleDue = performance.now();
  let isFirst = true;
  yield ": sluice\nretry: 1000\n\n";
  if (start.isOfAnother) yield message("missed", undefined, { missed: null });
  for (;;) {
    const { events: fresh, missed } = events.after(at);
    if (missed > 0) {
      yield message("missed", undefined, { missed });
      // At its first question it was away; later it is slow, and would be for ever.
      if (!isFirst) return;
    }
    isFirst = false;
    at = events.last;
    const text = fresh
      .filter(({ name }) => isWanted(name, listener.only))
      .map((event) => frame(event.name, idOf(events, event), event.text))
      .join("");
    if (text !== "") yield text;
    if (listener.connections > 0 && performance.now() >= sampleDue) {
      const began = performance.now();
      yield message("connections", undefined, await sampleOf(engine, listener.connections));
      const spent = performance.now() - began;
      sampleDue = performance.now() + Math.max(sampleMs, spent * REST_PER_SAMPLE);
    }
    if (events.last > at) continue;
    if (!listener.follows) return;
    const waitMs =
      listener.connections > 0 ? Math.max(0, sampleDue - performance.now()) : heartbeatMs;
    const isWoken = await nextEvent(events, Math.min(waitMs, heartbeatMs));
    if (!isWoken && listener.connections === 0) yield ": still here\n\n";
  }
}

function idOf({ epoch }: Events, { number }: KeptEvent): string {
  return `${epoch}-${number}`;
}

function placeOf(
  lastId: string | undefined,
  events: Events,
): { readonly number: number; readonly isOfAnother: boolean } {
  if (lastId === undefined) return { number: events.last, isOfAnother: false };
  if (lastId === "all")
    return { number: events.last - events.after(0).events.length, isOfAnother: false };
  const [, epoch, digits] = /^([a-z0-9]+)-(\d{1,15})$/.exec(lastId) ?? [];
  const number = Number(digits);
  if (epoch === events.epoch && number <= events.last) return { number, isOfAnother: false };
  // Of the daemon before: what is kept is what happened since, and what it missed of that one nobody knows.
  return { number: events.last - events.after(0).events.length, isOfAnother: true };
}

function isWanted(name: string, only: readonly string[]): boolean {
  return only.length === 0 || only.some((each) => name.startsWith(each));
}

function message(name: string, id: string | undefined, data: object): string {
  return frame(name, id, JSON.stringify(data));
}

/** JSON has no line breaks, which would need a field each. */
function frame(name: string, id: string | undefined, text: string): string {
  return `${id === undefined ? "" : `id: ${id}\n`}event: ${name}\ndata: ${text}\n\n`;
}

/** False when the time is over first. */
async function nextEvent(events: Events, waitMs: number): Promise<boolean> {
  const over = new AbortController();
  const { promise, resolve } = Promise.withResolvers<boolean>();
  using _ = events.once(() => resolve(true));
  const timer = sleep(waitMs, false, { signal: over.signal, ref: false }).catch(() => false);
  try {
    return await Promise.race([promise, timer]);
  } finally {
    over.abort();
  }
}
