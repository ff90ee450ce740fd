/** The API over a Control: reads each call, gives the command, words the answer. */
import { type Context, Hono } from "hono";
import type { Author } from "../control/author.ts";
import type { Control } from "../control/control.ts";
import type { Events } from "../control/events.ts";
import { connectionToWire, statusToWire } from "../control/wire.ts";
import { explainReason } from "../engine/reason-words.ts";
import { LbError } from "../ipvs/desired/errors.ts";
import { formatServiceKey } from "../ipvs/desired/service.ts";
import { listSysctls } from "../ipvs/desired/set-sysctl.ts";
import { PROBLEM_TYPE, problemDocument } from "./access.ts";
import { authorOf } from "./caller.ts";
import { CHANGES, changesByLine } from "./changes.ts";
import { apply, configurationLines, plan } from "./configuration.ts";
import { countToWire, readEndFilter, readFilter, readGrouping } from "./connections.ts";
import { drainsOf } from "./drains.ts";
import { driftOf, namesOf } from "./drift.ts";
import { healthOf } from "./health.ts";
import { differenceSince, historyOf, planRollback, rollback } from "./history.ts";
import { lines, textStream } from "./lines.ts";
import { list } from "./list.ts";
import type { Info } from "./messages.ts";
import { entityTag, expectedGeneration, provided } from "./precondition.ts";
import { BadRequest } from "./problem.ts";
import { bodyOf, parseJson, readService } from "./reading.ts";
import { type Refusal, refusalFor } from "./refusal.ts";
import { type ChangeName, ROUTES, type RouteName } from "./routes.ts";
import { type StatusParts, statusOf } from "./status.ts";

const IPVS_VERSION = "1.2.1";

const EVENT_STREAM = { "content-type": "text/event-stream", "cache-control": "no-store" };

type Handler = (context: Context) => Promise<Response> | Response;

export interface ServerOptions {
  /** Sluice's own version. */
  readonly version: string;
  readonly pid: number;
  /** What the user of a number is called; left out: nobody knows. */
  readonly userName?: (uid: number) => string;
  readonly status: StatusParts;
  /** What listeners are told. */
  readonly events: Events;
  /** Told of every failure that is no caller's fault. */
  readonly onBug: (error: unknown) => void;
}

/** The whole API as one function from request to response. */
export function createServer(control: Control, options: ServerOptions): Hono {
  const app = new Hono();
  const handlers = handlersFor(control, options);
  for (const [name, { method, path }] of Object.entries(ROUTES)) {
    app.on(method, path, handlers[name as RouteName]);
  }
  for (const [path, methods] of methodsByPath()) {
    app.all(path, (context) => {
      context.header("allow", methods);
      return fail(context, {
        status: 405,
        error: {
          code: "no-such-method",
          message: `${context.req.method} is not for ${context.req.path}, which takes ${methods}`,
        },
      });
    });
  }
  app.get("/ui", (context) => context.redirect("/ui/"));
  app.get("/ui/*", async (context) => {
    const { PAGES, pageAt } = await import("./ui/pages.ts");
    return pageAt(context.req.path.slice(PAGES.length), context.req.header("accept-encoding"));
  });
  app.notFound((context) =>
    fail(context, {
      status: 404,
      error: {
        code: "no-such-route",
        message: `Nothing answers ${context.req.method} ${context.req.path}: GET /v1 lists what does`,
      },
    }),
  );
  app.onError((error, context) => fail(context, refusalFor(error, options.onBug)));
  return app;
}

/** As `Allow` has them (RFC 9110, 10.2.1): who answers GET answers HEAD. */
function methodsByPath(): ReadonlyMap<string, string> {
  const methods = new Map<string, string>();
  for (const { method, path } of Object.values(ROUTES)) {
    const known = methods.get(path);
    const own = method === "GET" ? "GET, HEAD" : method;
    methods.set(path, known === undefined ? own : `${known}, ${own}`);
  }
  return methods;
}

function handlersFor(control: Control, options: ServerOptions): Record<RouteName, Handler> {
  const { engine } = control;
  const by = (context: Context): Author => authorOf(context, options.userName ?? String);
  // Of before what is told of is looked at: so that If-Match finds out whether somebody was faster.
  const tag = (context: Context): void => context.header("etag", entityTag(control));
  return {
    ...changeHandlers(control, by),
    changes: (context) => {
      if (expectedGeneration(context.req.raw) !== undefined) {
        throw new BadRequest("If-Match: each of these changes would make another generation");
      }
      const answers = changesByLine(
        control,
        context.req.raw,
        by(context),
        (error) => refusalFor(error, options.onBug).error,
      );
      return linesReply(
        context,
        lines(answers, (answer) => answer),
      );
    },
    configuration: (context) => {
      tag(context);
      return linesReply(
        context,
        lines(configurationLines(control.state), (line) => line),
      );
    },
    plan: async (context) => context.json(await plan(control, context.req.raw)),
    apply: async (context) => context.json(await apply(control, context.req.raw, by(context))),
    routes: (context) => context.json(ROUTES),
    openApi: async (context) =>
      context.json((await import("./openapi.ts")).openApi(options.version)),
    info: (context) =>
      context.json({
        name: "sluice",
        version: options.version,
        engine: engine.name,
        pid: options.pid,
        generation: control.generation,
        connectionTableSize: engine.connectionTableSize,
        ipvsVersion: IPVS_VERSION,
      } satisfies Info),
    listServices: async (context) => {
      tag(context);
      return context.body(list("services", await engine.services(), statusToWire), 200, {
        "content-type": "application/json",
      });
    },
    getService: async (context) => {
      tag(context);
      const wanted = formatServiceKey(readService(context.req.param("service") ?? ""));
      const status = (await engine.services()).find(
        ({ plan }) => formatServiceKey(plan.key) === wanted,
      );
      if (status === undefined) {
        throw new LbError({
          code: "no-such-service",
          service: readService(context.req.param("service") ?? ""),
        });
      }
      return context.json(statusToWire(status));
    },
    getTimeouts: (context) => {
      tag(context);
      return context.json(control.state.timeouts);
    },
    listSysctls: async (context) => {
      tag(context);
      return context.json(listSysctls(await engine.sysctls()));
    },
    listConnections: (context) =>
      linesReply(
        context,
        lines(engine.connections(readFilter(context.req.query())), connectionToWire),
      ),
    countConnections: async (context) => {
      const { by: grouping, ...query } = context.req.query();
      const options = { by: readGrouping(grouping), oldest: 5 };
      return context.json(countToWire(await engine.countConnections(readFilter(query), options)));
    },
    endConnections: (context) =>
      linesReply(
        context,
        lines(engine.endConnections(readEndFilter(context.req.query())), (each) => each, true),
      ),
    explain: async (context) => {
      const { explainTo } = await import("./explain.ts");
      const key = readService(context.req.param("service") ?? "");
      const question = parseJson((await bodyOf(context.req.raw)) || "null");
      return context.json(await explainTo(control, key, question));
    },
    explainWith: async (context) => {
      const { explainWith } = await import("./explain.ts");
      return context.json(await explainWith(control, context.req.raw));
    },
    listDrains: async (context) => context.json(await drainsOf(control)),
    names: async (context) => context.json({ names: await namesOf(control) }),
    drift: async (context) => context.json({ drift: await driftOf(control) }),
    history: async (context) => context.json(await historyOf(control)),
    differenceSince: async (context) =>
      context.json(await differenceSince(control, context.req.param("generation") ?? "")),
    planRollback: async (context) =>
      context.json(await planRollback(control, context.req.param("generation") ?? "")),
    rollback: async (context) =>
      context.json(
        await rollback(
          control,
          context.req.param("generation") ?? "",
          expectedGeneration(context.req.raw),
          by(context),
        ),
      ),
    health: (context) => context.json(healthOf(options.status.health())),
    status: async (context) => context.json(await statusOf(control, options)),
    reasonWords: async (context) =>
      context.json(
        Object.fromEntries(
          Object.keys(await engine.reasons()).map((name) => [name, explainReason(name)]),
        ),
      ),
    reasons: async (context) => context.json(await engine.reasons()),
    events: (context) => eventsReply(control, options, context),
    trace: async (context) => {
      const { traceTo } = await import("./trace.ts");
      const stream = await traceTo(engine, context.req.query());
      return textReply(context, EVENT_STREAM, () => stream);
    },
    metrics: (context) => metricsReply(control, options, context),
    totals: async (context) => context.json(await engine.totals()),
  };
}

/** Loaded when somebody listens. */
async function eventsReply({ engine }: Control, { events }: ServerOptions, context: Context) {
  const { listenToEvents } = await import("./events/main.ts");
  return textReply(context, EVENT_STREAM, () => listenToEvents(context.req.raw, events, engine));
}

/** What Prometheus asks for is loaded when it does. */
async function metricsReply(control: Control, options: ServerOptions, context: Context) {
  const { CONTENT_TYPE, metrics } = await import("./metrics/main.ts");
  return textReply(context, { "content-type": CONTENT_TYPE }, () => metrics(control, options));
}

/** For HEAD nothing is begun: Hono would drop its body, which nobody would then end. */
function textReply(
  context: Context,
  headers: Record<string, string>,
  parts: () => AsyncGenerator<string>,
): Response {
  if (context.req.raw.method === "HEAD") return context.body(null, 200, headers);
  return context.body(textStream(parts()), 200, headers);
}

/** Each takes a body if one is sent, and answers when it is done. */
function changeHandlers(
  control: Control,
  by: (context: Context) => Author,
): Record<ChangeName, Handler> {
  const handlers = Object.entries(CHANGES).map(([name, change]): [string, Handler] => [
    name,
    async (context) => {
      const text = await bodyOf(context.req.raw);
      await change(provided(control, expectedGeneration(context.req.raw)), {
        service: context.req.param("service") ?? "",
        destination: context.req.param("destination") ?? "",
        body: text === "" ? undefined : parseJson(text),
        by: by(context),
      });
      return context.body(null, name.startsWith("add") ? 201 : 204);
    },
  ]);
  return Object.fromEntries(handlers) as Record<ChangeName, Handler>;
}

function linesReply(context: Context, body: ReadableStream<Uint8Array>): Response {
  return context.body(body, 200, { "content-type": "application/x-ndjson" });
}

function fail(context: Context, { status, error }: Refusal): Response {
  return context.body(JSON.stringify(problemDocument(status, error)), status, {
    "content-type": PROBLEM_TYPE,
  });
}
