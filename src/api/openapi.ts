/**
 * The API's description (OpenAPI 3.1), made of its own table of routes and of the schemas that its bodies are checked by:
 * zod writes them as JSON Schema 2020-12, which is what OpenAPI 3.1 has. docs/decisions/0016-openapi-from-the-routes.md.
 */
import { z } from "zod";
import {
  DESTINATION_SCHEMA,
  DRAIN_SCHEMA,
  QUESTION_SCHEMA,
  QUESTION_WITH_SERVICE_SCHEMA,
  SERVICE_SCHEMA,
  SYSCTLS_SCHEMA,
  TIMEOUTS_SCHEMA,
  WANTED_SERVICE_SCHEMA,
  WANTED_SETTINGS_SCHEMA,
} from "../control/wire-schema.ts";
import { neededRight, PROBLEM_TYPE } from "./access.ts";
import { CHANGES, LINE_SCHEMA } from "./changes.ts";
import { ROUTES, type RouteName } from "./routes.ts";

type Table = typeof ROUTES;
/** Those that may bring a body. */
type BodiedName = {
  [Name in RouteName]: Table[Name]["method"] extends "GET" | "DELETE" ? never : Name;
}[RouteName];

/** One JSON value, or a line each of one of these. */
type Body = z.ZodType | readonly z.ZodType[] | undefined;

const BODIES: Readonly<Record<BodiedName, Body>> = {
  addService: SERVICE_SCHEMA,
  editService: SERVICE_SCHEMA,
  addDestination: DESTINATION_SCHEMA,
  editDestination: DESTINATION_SCHEMA,
  drain: DRAIN_SCHEMA,
  explain: QUESTION_SCHEMA,
  rollback: undefined,
  zeroService: undefined,
  zero: undefined,
  setTimeouts: TIMEOUTS_SCHEMA,
  setSysctls: SYSCTLS_SCHEMA,
  changes: [LINE_SCHEMA],
  explainWith: [QUESTION_WITH_SERVICE_SCHEMA, WANTED_SETTINGS_SCHEMA, WANTED_SERVICE_SCHEMA],
  plan: [WANTED_SETTINGS_SCHEMA, WANTED_SERVICE_SCHEMA],
  apply: [WANTED_SETTINGS_SCHEMA, WANTED_SERVICE_SCHEMA],
};

const SCHEMAS: readonly (readonly [string, z.ZodType])[] = [
  ["Service", SERVICE_SCHEMA],
  ["Destination", DESTINATION_SCHEMA],
  ["Drain", DRAIN_SCHEMA],
  ["Question", QUESTION_SCHEMA],
  ["QuestionWithService", QUESTION_WITH_SERVICE_SCHEMA],
  ["Timeouts", TIMEOUTS_SCHEMA],
  ["Sysctls", SYSCTLS_SCHEMA],
  ["Change", LINE_SCHEMA],
  ["WantedSettings", WANTED_SETTINGS_SCHEMA],
  ["WantedService", WANTED_SERVICE_SCHEMA],
];

const PARAMETERS: Readonly<Record<string, string>> = {
  service: "A service: tcp:10.0.0.1:80, udp:[2001:db8::1]:53, fwmark:7, fwmark6:7",
  destination: "A destination: 10.0.0.2:80, [2001:db8::2]:80",
  generation: "A generation's number",
};

const LINES = "application/x-ndjson";

/** What is not JSON. */
const REPLY_TYPES: Partial<Record<RouteName, string>> = {
  metrics: "text/plain",
  events: "text/event-stream",
  trace: "text/event-stream",
  listConnections: LINES,
  endConnections: LINES,
  configuration: LINES,
  changes: LINES,
};

export function openApi(version: string): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const [name, route] of Object.entries(ROUTES)) {
    const path = route.path.replaceAll(/:(\w+)/g, "{$1}");
    paths[path] ??= {};
    paths[path][route.method.toLowerCase()] = operation(name as RouteName);
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Sluice",
      version,
      description:
        "A layer-4 load balancer's API. Over its unix socket the kernel says who calls; over TCP there is TLS, and each request bears a token.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    paths,
    components: {
      securitySchemes: {
        token: { type: "http", scheme: "bearer", description: "sluice token create" },
      },
      schemas: {
        ...Object.fromEntries(SCHEMAS.map(([name, schema]) => [name, jsonSchema(schema)])),
        Problem: PROBLEM,
      },
    },
    security: [{ token: [] }],
  };
}

/** What a change may depend on: api/precondition.ts. */
const IF_MATCH = {
  name: "If-Match",
  in: "header",
  description: "A generation in quotes, as an ETag has it: refused (412) when another is in force.",
  schema: { type: "string" },
};

function isConditional(name: RouteName): boolean {
  return Object.hasOwn(CHANGES, name) || name === "apply" || name === "rollback";
}

function operation(name: RouteName): object {
  const { method, path, says } = ROUTES[name];
  const parameters = [...path.matchAll(/:(\w+)/g)].map(([, parameter]) => ({
    name: parameter,
    in: "path",
    required: true,
    description: PARAMETERS[parameter!] ?? "",
    schema: { type: "string" },
  }));
  const queries = [...(says.split("?")[1] ?? "").matchAll(/(\w+)=/g)].map(([, parameter]) => ({
    name: parameter,
    in: "query",
    schema: { type: "string" },
  }));
  const body = BODIES[name as BodiedName];
  return {
    operationId: name,
    summary: says,
    description: `Needs the right to ${neededRight(method, path)}.`,
    parameters: [...parameters, ...queries, ...(isConditional(name) ? [IF_MATCH] : [])],
    ...(body === undefined ? {} : { requestBody: requestBody(body) }),
    responses: { ...success(name), default: PROBLEM_RESPONSE },
  };
}

function requestBody(body: NonNullable<Body>): object {
  if (!isLines(body)) {
    return { required: true, content: { "application/json": { schema: reference(body) } } };
  }
  const schemas = body.map(reference);
  const schema = schemas.length === 1 ? schemas[0] : { anyOf: schemas };
  const description = "A JSON object a line, in this order.";
  return { required: true, description, content: { [LINES]: { schema } } };
}

function isLines(body: NonNullable<Body>): body is readonly z.ZodType[] {
  return Array.isArray(body);
}

function success(name: RouteName): object {
  const { method } = ROUTES[name];
  const type = REPLY_TYPES[name] ?? "application/json";
  const schema = type === "application/json" ? { type: "object" } : { type: "string" };
  const done = { description: "Done.", content: { [type]: { schema } } };
  return name.startsWith("add")
    ? { 201: { description: "Done: in force and on disk." } }
    : method === "GET" ||
        name === "changes" ||
        name === "plan" ||
        name === "explain" ||
        name === "explainWith" ||
        name === "rollback" ||
        name === "apply"
      ? { 200: done }
      : { 204: { description: "Done: in force and on disk." } };
}

function reference(schema: z.ZodType): object {
  const [name] = SCHEMAS.find(([, each]) => each === schema) ?? [];
  return { $ref: `#/components/schemas/${name}` };
}

/** As a caller gives it. What a refinement asks for besides, the answer to a wrong value says. */
function jsonSchema(schema: z.ZodType): object {
  const { $schema: _, ...json } = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
  return json;
}

const PROBLEM = {
  description: "RFC 9457. `error.code` is what programs tell refusals apart by.",
  type: "object",
  required: ["type", "title", "status", "detail", "error"],
  properties: {
    type: { type: "string" },
    title: { type: "string" },
    status: { type: "integer" },
    detail: { type: "string" },
    error: {
      type: "object",
      required: ["code", "message"],
      properties: {
        code: { type: "string" },
        message: { type: "string" },
        fault: { type: "object" },
        problems: {
          type: "array",
          items: {
            type: "object",
            properties: { path: { type: "string" }, message: { type: "string" } },
          },
        },
      },
    },
  },
};

const PROBLEM_RESPONSE = {
  description: "Refused, and nothing changed.",
  content: { [PROBLEM_TYPE]: { schema: { $ref: "#/components/schemas/Problem" } } },
};
