/** Calls the daemon by the table of its routes. */

import { formatEndpointId, formatServiceId } from "../../../src/api/ids.ts";
import { objects, type StreamedEvent, streamedEvents } from "../../../src/api/lines.ts";
import type { ErrorReply } from "../../../src/api/messages.ts";
import { type Calls, ROUTES, type RouteName } from "../../../src/api/routes.ts";
import type { WireEndpoint, WireServiceKey } from "../../../src/control/wire.ts";
import { token } from "./credentials.ts";

/** The daemon, or what stands before it, answered and said no. */
export class Refused extends Error {
  override readonly name = "Refused";
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

interface Params {
  readonly service?: WireServiceKey;
  readonly destination?: WireEndpoint;
  readonly generation?: number;
  readonly query?: Readonly<Record<string, string>>;
}

export interface Asking {
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** The answer as it comes. Throws Refused, or a TypeError where nobody answers. */
export async function ask(name: RouteName, params: Params = {}, asking: Asking = {}) {
  const { method, path } = ROUTES[name];
  const secret = token.value;
  const response = await fetch(`..${fill(path, params)}`, {
    method,
    cache: "no-store",
    ...asking,
    headers: {
      "sluice-command": "dashboard",
      ...(secret === undefined ? {} : { authorization: `Bearer ${secret}` }),
      ...(asking.body === undefined ? {} : { "content-type": "application/json" }),
      ...asking.headers,
    },
  });
  if (response.ok) return response;
  throw await refusalIn(response);
}

async function refusalIn(response: Response): Promise<Refused> {
  try {
    const { error } = (await response.json()) as ErrorReply;
    return new Refused(response.status, error.code, error.message);
  } catch {
    return new Refused(response.status, "no-daemon", `Nothing of Sluice's answers here`);
  }
}

export async function call<Name extends keyof Calls>(
  name: Name,
  params: Calls[Name]["params"],
  body?: Calls[Name]["body"],
): Promise<Calls[Name]["reply"]> {
  const asking = body === undefined ? {} : { body: JSON.stringify(body) };
  const text = await (await ask(name, params as Params, asking)).text();
  return text === "" ? undefined : JSON.parse(text);
}

/** JSON objects a line, as they come. */
export function objectsOf(response: Response): AsyncGenerator<unknown> {
  return objects(chunksOf(response));
}

export function eventsOf(response: Response): AsyncGenerator<StreamedEvent> {
  return streamedEvents(chunksOf(response));
}

/** Not every browser's streams can be iterated over. */
async function* chunksOf(response: Response): AsyncGenerator<Uint8Array> {
  const reader = response.body?.getReader();
  if (reader === undefined) return;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}

function fill(path: string, { service, destination, generation, query }: Params): string {
  const search = query === undefined ? "" : `?${new URLSearchParams(query).toString()}`;
  const filled = path
    .replace(":generation", String(generation))
    .replace(":service", service ? encodeURIComponent(formatServiceId(service)) : "")
    .replace(":destination", destination ? encodeURIComponent(formatEndpointId(destination)) : "");
  return `${filled}${search}`;
}
