/** Calls the daemon over its unix socket. Needs nothing but node:http, so that a command line starts fast. */
import type { IncomingMessage } from "node:http";
import { createRequire } from "node:module";
import type { WireWantedService, WireWantedSettings } from "../control/wanted-wire.ts";
import type { WireConnection } from "../control/wire.ts";
import { COMMAND_HEADER } from "./command-header.ts";
import { formatEndpointId, formatServiceId } from "./ids.ts";
import { objects, type StreamedEvent, streamedEvents } from "./lines.ts";
import type {
  EndedConnections,
  ErrorReply,
  ExplainReply,
  Plan,
  WireQuestionWithService,
} from "./messages.ts";
import { type Calls, type Change, type QueryParams, ROUTES, type RouteName } from "./routes.ts";

// An import would read every property of the module, and some of its getters load all of fetch: 25 ms at each start.
const { Agent, request } = createRequire(import.meta.url)(
  "node:http",
) as typeof import("node:http");

export type { StreamedEvent } from "./lines.ts";

/** The daemon answered, and said no. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly status: number;
  /** As ErrorReply has it. */
  readonly code: string;

  constructor(status: number, { code, message }: ErrorReply["error"]) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

type CallName = keyof Calls;

/** Everything, as it is declared. */
export interface Configuration {
  readonly settings: WireWantedSettings;
  readonly services: readonly WireWantedService[];
}

/** One client is one keep-alive connection; it does not keep the process running. */
export class Client {
  readonly socketPath: string;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });

  /** `command`: what the caller says of itself, such as `sluice apply`. */
  constructor(socketPath: string, command?: string) {
    this.socketPath = socketPath;
    this.#headers = command === undefined ? {} : { [COMMAND_HEADER]: command };
  }

  /** Throws ApiError when refused, and Node's own error (ENOENT, ECONNREFUSED, EACCES, ...) when nobody answers. */
  async call<Name extends CallName>(
    name: Name,
    params: Calls[Name]["params"],
    body: Calls[Name]["body"],
  ): Promise<Calls[Name]["reply"]> {
    const text = await textOf(await this.#send(name, params, body));
    return text === "" ? undefined : JSON.parse(text);
  }

  /** One change, as call() gives it. */
  change({ name, params, body }: Change): Promise<undefined> {
    return this.call(name, params, body as Calls[typeof name]["body"]);
  }

  /** Many changes, in their order: for each why it was refused, or undefined. */
  async changes(changes: readonly Change[]): Promise<(ApiError | undefined)[]> {
    const response = await this.#sendText(
      "changes",
      {},
      changes.map((change) => `${JSON.stringify(lineOf(change))}\n`).join(""),
    );
    const answers: (ApiError | undefined)[] = [];
    for await (const answer of objects(response)) {
      const { error } = answer as Partial<ErrorReply>;
      answers.push(error === undefined ? undefined : new ApiError(response.statusCode ?? 0, error));
    }
    if (answers.length < changes.length) throw new Error("the answer broke off");
    return answers;
  }

  /** The connection table as it is read, entry by entry: all, or those of a filter. */
  async *connections(query: QueryParams["query"] = {}): AsyncGenerator<WireConnection> {
    const response = await this.#send("listConnections", { query }, undefined);
    for await (const connection of objects(response)) yield connection as WireConnection;
  }

  /** Ends the connections of a filter, and tells from time to time how far that is. */
  async *endConnections(query: QueryParams["query"]): AsyncGenerator<EndedConnections> {
    const response = await this.#send("endConnections", { query }, undefined);
    for await (const ended of objects(response)) yield ended as EndedConnections;
  }

  /** All that is wanted: what configure() takes. */
  async configuration(): Promise<Configuration> {
    const all: unknown[] = [];
    for await (const line of objects(await this.#send("configuration", {}, undefined))) {
      all.push(line);
    }
    const [settings, ...services] = all;
    if (settings === undefined) throw new Error("the answer broke off");
    return {
      settings: settings as WireWantedSettings,
      services: services as WireWantedService[],
    };
  }

  /**
   * What `wanted` would change, or what it changed, all or, when it throws, nothing. Refused when somebody changed something
   * since `generation`.
   */
  async configure(
    name: "plan" | "apply",
    { settings, services }: Configuration,
    generation?: number,
  ): Promise<Plan> {
    const text = [settings, ...services].map((line) => `${JSON.stringify(line)}\n`).join("");
    const headers = generation === undefined ? {} : { "if-match": `"${generation}"` };
    return JSON.parse(await textOf(await this.#sendText(name, {}, text, headers))) as Plan;
  }

  /** What would become of a client's first packet if `wanted` were in force. */
  async explainWith(
    question: WireQuestionWithService,
    { settings, services }: Configuration,
  ): Promise<ExplainReply> {
    const lines = [question, settings, ...services].map((line) => `${JSON.stringify(line)}\n`);
    return JSON.parse(await textOf(await this.#sendText("explainWith", {}, lines.join(""))));
  }

  /**
   * What happens, or packets as they go by, until the connection ends. On a connection of its own: it is never free for
   * another call.
   */
  async *events(
    query: QueryParams["query"],
    name: "events" | "trace" = "events",
  ): AsyncGenerator<StreamedEvent> {
    const agent = new Agent({ keepAlive: false });
    const response = await this.#sendText(name, { query }, undefined, {}, agent);
    try {
      yield* streamedEvents(response);
    } finally {
      response.destroy();
    }
  }

  close(): void {
    this.#agent.destroy();
  }

  #send(name: RouteName, params: object, body: unknown): Promise<IncomingMessage> {
    return this.#sendText(name, params, body === undefined ? undefined : JSON.stringify(body));
  }

  async #sendText(
    name: RouteName,
    params: object,
    text: string | undefined,
    headers: Readonly<Record<string, string>> = {},
    agent = this.#agent,
  ): Promise<IncomingMessage> {
    const { method, path } = ROUTES[name];
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const call = request(
        {
          socketPath: this.socketPath,
          agent,
          method,
          path: fill(path, params),
          headers: { ...this.#headers, ...headers },
        },
        resolve,
      );
      call.once("error", (error: NodeJS.ErrnoException) => {
        // The daemon closed a connection that was silent for long, as we used it: what only asks, asks anew (RFC 9110 9.2.2).
        const isStale = call.reusedSocket && STALE.has(error.code ?? "") && method === "GET";
        if (isStale) resolve(this.#sendText(name, params, text));
        else reject(error);
      });
      if (text === undefined) call.end();
      else call.setHeader("content-type", "application/json").end(text);
    });
    const status = response.statusCode ?? 0;
    if (status < 300) return response;
    const { error } = JSON.parse(await textOf(response)) as ErrorReply;
    throw new ApiError(status, error);
  }
}

/** What a connection that the other end has closed answers with. */
const STALE: ReadonlySet<string> = new Set(["ECONNRESET", "EPIPE"]);

function lineOf({ name, params, body }: Change): object {
  const { service, destination }: Params = params;
  return {
    call: name,
    service: service && formatServiceId(service),
    destination: destination && formatEndpointId(destination),
    body,
  };
}

type Params = Partial<
  Calls["editDestination"]["params"] & Calls["rollback"]["params"] & QueryParams
>;

/** `/v1/services/:service` with the service's id in place. */
function fill(path: string, { service, destination, generation, query }: Params): string {
  const search = query === undefined ? "" : `?${new URLSearchParams(query).toString()}`;
  const filled = path
    .replace(":generation", String(generation))
    .replace(":service", service ? encodeURIComponent(formatServiceId(service)) : "")
    .replace(":destination", destination ? encodeURIComponent(formatEndpointId(destination)) : "");
  return `${filled}${search}`;
}

async function textOf(response: IncomingMessage): Promise<string> {
  let text = "";
  response.setEncoding("utf8");
  for await (const chunk of response) text += chunk;
  return text;
}
