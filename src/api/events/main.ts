/** GET /v1/events, from its query to its stream. Loaded when somebody listens first. */
import { BusyError } from "../../control/control.ts";
import type { Events } from "../../control/events.ts";
import type { Engine } from "../../engine/engine.ts";
import { BadRequest } from "../problem.ts";
import { eventStream, type Listener } from "./stream.ts";

/** Listeners at once. */
const LISTENERS_MAX = 100;
/** Those of them that are given samples: each reads the whole table, again and again. */
const SAMPLED_MAX = 4;
const SAMPLE_SIZE_MAX = 1_000;

const counts = { listeners: 0, sampled: 0 };

/** Throws a BadRequest, or a BusyError when too many listen. */
export function listenToEvents(
  request: Request,
  events: Events,
  engine: Engine,
): AsyncGenerator<string> {
  const listener = listenerOf(request);
  if (counts.listeners >= LISTENERS_MAX) {
    throw new BusyError(`${LISTENERS_MAX} listen to events already: try again later`);
  }
  if (listener.connections > 0 && counts.sampled >= SAMPLED_MAX) {
    throw new BusyError(`${SAMPLED_MAX} are given samples of connections already: try again later`);
  }
  return counted(eventStream(events, engine, listener), listener.connections > 0);
}

function listenerOf({ url, headers }: Request): Listener {
  const query = new URL(url).searchParams;
  const connections = Number(query.get("connections") ?? "0");
  if (!Number.isInteger(connections) || connections < 0 || connections > SAMPLE_SIZE_MAX) {
    throw new BadRequest(
      `Cannot give samples of ${JSON.stringify(query.get("connections"))} connections: expected an integer from 0 to ${SAMPLE_SIZE_MAX}`,
      [{ path: "connections", message: `expected an integer from 0 to ${SAMPLE_SIZE_MAX}` }],
    );
  }
  return {
    // The field is what a browser's EventSource sends when it connects again; a first question cannot have it.
    lastId: headers.get("last-event-id") ?? query.get("since") ?? undefined,
    only: (query.get("only") ?? "").split(",").filter((name) => name !== ""),
    follows: query.get("follow") !== "no",
    connections,
  };
}

async function* counted(
  stream: AsyncGenerator<string>,
  isSampled: boolean,
): AsyncGenerator<string> {
  counts.listeners++;
  if (isSampled) counts.sampled++;
  try {
    yield* stream;
  } finally {
    counts.listeners--;
    if (isSampled) counts.sampled--;
  }
}
