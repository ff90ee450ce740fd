/** The API over a Control: reads each call, gives the command, words the answer. */
import { type Context, Hono } from "hono";
import type { z } from "zod";
import { BusyError, type Control } from "../control/control.ts";
import {
  connectionToWire,
  destinationFromWire,
  keyFromWire,
  serviceFromWire,
  statusToWire,
} from "../control/wire.ts";
import {
  DESTINATION_SCHEMA,
  problemsOf,
  SERVICE_SCHEMA,
  SYSCTLS_SCHEMA,
  TIMEOUTS_SCHEMA,
} from "../control/wire-schema.ts";
import { explainReason } from "../engine/reason-words.ts";
import * as state from "../ipvs/desired-state.ts";
import { FAULTS, LbError } from "../ipvs/errors.ts";
import {
  type Endpoint,
  formatEndpoint,
  formatServiceKey,
  type ServiceKey,
} from "../ipvs/service.ts";
import { listSysctls, setSysctls } from "../ipvs/set-sysctl.ts";
import { lines } from "./lines.ts";
import { list } from "./list.ts";
import { BadRequest, BrokenOff, TooLarge } from "./problem.ts";
import {
  type ErrorReply,
  type Info,
  parseEndpointId,
  parseServiceId,
  ROUTES,
  type RouteName,
} from "./routes.ts";
import { type StatusParts, statusOf } from "./status.ts";

/** The longest body that a call may have: a record is below 1 kB. */
const BODY_MAX_BYTES = 64 * 1024;

const IPVS_VERSION = "1.2.1";

type Handler = (context: Context) => Promise<Response> | Response;

export interface ServerOptions {
  /** Sluice's own version. */
  readonly version: string;
  readonly pid: number;
  readonly status: StatusParts;
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
  app.notFound((context) =>
    fail(context, 404, {
      code: "no-such-route",
      message: `Nothing answers ${context.req.method} ${context.req.path}: GET /v1 lists what does`,
    }),
  );
  app.onError((error, context) => explain(context, error, options.onBug));
  return app;
}

function handlersFor(control: Control, options: ServerOptions): Record<RouteName, Handler> {
  const { engine } = control;
  return {
    routes: (context) => context.json(ROUTES),
    info: (context) =>
      context.json({
        name: "sluice",
        version: options.version,
        engine: engine.name,
        pid: options.pid,
        connectionTableSize: engine.connectionTableSize,
        ipvsVersion: IPVS_VERSION,
      } satisfies Info),
    listServices: async (context) =>
      context.body(list("services", await engine.services(), statusToWire), 200, {
        "content-type": "application/json",
      }),
    addService: async (context) => {
      const wire = await read(context, SERVICE_SCHEMA);
      const key = keyFromWire(wire.key);
      await control.change((now) => {
        // Before the names of scheduler and engine are looked at, as in the kernel.
        if (now.services.has(formatServiceKey(key))) {
          throw new LbError({ code: "service-exists", service: key });
        }
        return state.addService(now, serviceFromWire(wire));
      });
      return context.body(null, 201);
    },
    flush: async (context) => {
      await control.change(state.flush);
      return context.body(null, 204);
    },
    getService: async (context) => {
      const wanted = formatServiceKey(serviceOf(context));
      const status = (await engine.services()).find(
        ({ plan }) => formatServiceKey(plan.key) === wanted,
      );
      if (status === undefined) {
        throw new LbError({ code: "no-such-service", service: serviceOf(context) });
      }
      return context.json(statusToWire(status));
    },
    editService: async (context) => {
      const key = serviceOf(context);
      const wire = await read(context, SERVICE_SCHEMA);
      mustBeSame("key", formatServiceKey(key), formatServiceKey(keyFromWire(wire.key)));
      await control.change((now) => {
        if (!now.services.has(formatServiceKey(key))) {
          throw new LbError({ code: "no-such-service", service: key });
        }
        return state.editService(now, serviceFromWire(wire));
      });
      return context.body(null, 204);
    },
    deleteService: async (context) => {
      const key = serviceOf(context);
      await control.change((now) => state.deleteService(now, key));
      return context.body(null, 204);
    },
    addDestination: async (context) => {
      const key = serviceOf(context);
      const spec = destinationFromWire(await read(context, DESTINATION_SCHEMA));
      await control.change((now) => state.addDestination(now, key, spec));
      return context.body(null, 201);
    },
    editDestination: async (context) => {
      const key = serviceOf(context);
      const at = destinationOf(context);
      const spec = destinationFromWire(await read(context, DESTINATION_SCHEMA));
      mustBeSame("endpoint", formatEndpoint(at), formatEndpoint(spec.endpoint));
      await control.change((now) => state.editDestination(now, key, spec));
      return context.body(null, 204);
    },
    deleteDestination: async (context) => {
      const key = serviceOf(context);
      const at = destinationOf(context);
      await control.change((now) => state.deleteDestination(now, key, at));
      return context.body(null, 204);
    },
    zeroService: async (context) => {
      await control.zero(serviceOf(context));
      return context.body(null, 204);
    },
    zero: async (context) => {
      await control.zero(undefined);
      return context.body(null, 204);
    },
    getTimeouts: (context) => context.json(control.state.timeouts),
    setTimeouts: async (context) => {
      const wanted = await read(context, TIMEOUTS_SCHEMA);
      await control.change((now) => state.setTimeouts(now, wanted));
      return context.body(null, 204);
    },
    listSysctls: async (context) => context.json(listSysctls(await engine.sysctls())),
    setSysctls: async (context) => {
      const wanted = await read(context, SYSCTLS_SCHEMA);
      await control.change((now) => setSysctls(now, wanted));
      return context.body(null, 204);
    },
    listConnections: (context) =>
      context.body(lines(engine.connections(), connectionToWire), 200, {
        "content-type": "application/x-ndjson",
      }),
    status: async (context) => context.json(await statusOf(control, options)),
    reasonWords: async (context) =>
      context.json(
        Object.fromEntries(
          Object.keys(await engine.reasons()).map((name) => [name, explainReason(name)]),
        ),
      ),
    reasons: async (context) => context.json(await engine.reasons()),
    totals: async (context) => context.json(await engine.totals()),
  };
}

function serviceOf(context: Context): ServiceKey {
  const id = context.req.param("service") ?? "";
  const key = parseServiceId(id);
  if (key !== undefined) return key;
  throw new BadRequest(
    `Cannot read ${JSON.stringify(id)} as a service: expected tcp:10.0.0.1:80, udp:[2001:db8::1]:53, fwmark:7 or fwmark6:7`,
  );
}

function destinationOf(context: Context): Endpoint {
  const id = context.req.param("destination") ?? "";
  const endpoint = parseEndpointId(id);
  if (endpoint !== undefined) return endpoint;
  throw new BadRequest(
    `Cannot read ${JSON.stringify(id)} as a destination: expected 10.0.0.1:80 or [2001:db8::1]:80`,
  );
}

function mustBeSame(path: string, inPath: string, inBody: string): void {
  if (inPath === inBody) return;
  throw new BadRequest("The body is not about what the path names", [
    { path, message: `expected ${inPath}, got ${inBody}` },
  ]);
}

async function read<Wire>(context: Context, schema: z.ZodType<Wire>): Promise<Wire> {
  const checked = schema.safeParse(parseJson(await bodyOf(context.req.raw)));
  if (checked.success) return checked.data;
  const problems = problemsOf(checked.error);
  const [first] = problems;
  const where = first?.path ? `${first.path}: ` : "";
  throw new BadRequest(`${where}${first?.message}`, problems);
}

async function bodyOf(request: Request): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let length = 0;
  for await (const chunk of arriving(request)) {
    length += chunk.length;
    if (length > BODY_MAX_BYTES) {
      throw new TooLarge(`The body is longer than ${BODY_MAX_BYTES} bytes`);
    }
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

/** The body's bytes as they come. Whatever ends them early is the caller's doing. */
async function* arriving({ body }: Request): AsyncGenerator<Uint8Array> {
  try {
    yield* body ?? [];
  } catch (error) {
    throw new BrokenOff(`The call broke off: ${(error as Error)?.message ?? error}`);
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new BadRequest(`The body is not JSON: ${(error as Error).message}`);
  }
}

function explain(context: Context, error: unknown, onBug: (error: unknown) => void): Response {
  if (error instanceof LbError) {
    const { fault, message } = error;
    return fail(context, FAULTS[fault.code].http, {
      code: fault.code,
      message,
      fault,
      // A service's or rule's faults are about the call, a knob's about one field of its body.
      ...("service" in fault || "rule" in fault
        ? {}
        : { problems: [{ path: fault.name, message }] }),
    });
  }
  if (error instanceof BadRequest) {
    const { message, problems } = error;
    return fail(context, 400, { code: "bad-request", message, problems });
  }
  if (error instanceof TooLarge) {
    return fail(context, 413, { code: "too-large", message: error.message });
  }
  if (error instanceof BrokenOff) {
    return fail(context, 400, { code: "broken-off", message: error.message });
  }
  if (error instanceof BusyError) {
    return fail(context, 503, { code: "busy", message: error.message });
  }
  onBug(error);
  const message = error instanceof Error ? error.message : String(error);
  return fail(context, 500, { code: "internal", message });
}

function fail(
  context: Context,
  status: 400 | 404 | 409 | 413 | 500 | 503,
  error: ErrorReply["error"],
): Response {
  return context.json({ error } satisfies ErrorReply, status);
}
