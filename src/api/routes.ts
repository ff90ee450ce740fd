/** Every route of the API: what the server serves, what the client calls, and what each means. */

import type {
  WireDestination,
  WireEndpoint,
  WireServiceKey,
  WireServiceRecord,
  WireServiceStatus,
  WireSysctls,
} from "../control/wire.ts";
import type { Timeouts } from "../ipvs/desired/service.ts";
import type { Counters, Rates } from "../ipvs/services/statistics.ts";
import type {
  ConnectionCount,
  Drains,
  Drift,
  ExplainReply,
  HealthStatus,
  HistoryReply,
  Info,
  Plan,
  Status,
  WireDrainRequest,
  WireQuestion,
} from "./messages.ts";

export interface ApiRoute {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** `:service` is a service id, `:destination` an endpoint: `tcp:10.0.0.1:80`, `fwmark:7`; `10.0.0.2:8080`. */
  readonly path: string;
  readonly says: string;
}

// biome-ignore format: a table
export const ROUTES = {
  routes:            { method: "GET",    path: "/v1",                                              says: "This table" },
  openApi:           { method: "GET",    path: "/v1/openapi.json",                                 says: "This API in OpenAPI's words" },
  info:              { method: "GET",    path: "/v1/info",                                         says: "The daemon and its engine" },
  status:            { method: "GET",    path: "/v1/status",                                       says: "How the daemon is: what is wrong, and what to do" },
  health:            { method: "GET",    path: "/v1/health",                                       says: "What checks know of each destination, since when and why" },
  listServices:      { method: "GET",    path: "/v1/services",                                     says: "Every service with its destinations and traffic" },
  addService:        { method: "POST",   path: "/v1/services",                                     says: "Add a service; 409 when it exists" },
  flush:             { method: "DELETE", path: "/v1/services",                                     says: "Delete every service" },
  getService:        { method: "GET",    path: "/v1/services/:service",                            says: "One service" },
  editService:       { method: "PUT",    path: "/v1/services/:service",                            says: "Replace a service's record; its destinations stay" },
  deleteService:     { method: "DELETE", path: "/v1/services/:service",                            says: "Delete a service" },
  addDestination:    { method: "POST",   path: "/v1/services/:service/destinations",               says: "Add a destination; 409 when it exists" },
  editDestination:   { method: "PUT",    path: "/v1/services/:service/destinations/:destination",  says: "Replace a destination's record; its connections stay" },
  deleteDestination: { method: "DELETE", path: "/v1/services/:service/destinations/:destination",  says: "Delete a destination" },
  drain:             { method: "PUT",    path: "/v1/services/:service/destinations/:destination/drain", says: "No new connections for it, for so long at most, and then it goes or stays" },
  undrain:           { method: "DELETE", path: "/v1/services/:service/destinations/:destination/drain", says: "It gets new connections again, with the weight that it had" },
  listDrains:        { method: "GET",    path: "/v1/drains",                                       says: "Servers that are drained: their connections by age, the oldest ones, when it ends" },
  explain:           { method: "POST",   path: "/v1/services/:service/explain",                    says: "What would become of a client's first packet now, and why; changes nothing" },
  explainWith:       { method: "POST",   path: "/v1/configuration/explain",                        says: "The same as if such lines were in force, the question in a line before them; changes nothing" },
  zeroService:       { method: "POST",   path: "/v1/services/:service/zero",                       says: "Restart one service's counters" },
  zero:              { method: "POST",   path: "/v1/zero",                                         says: "Restart every counter" },
  getTimeouts:       { method: "GET",    path: "/v1/timeouts",                                     says: "How long idle connections live, in seconds" },
  setTimeouts:       { method: "PUT",    path: "/v1/timeouts",                                     says: "Set them; 0 keeps the one in force" },
  listSysctls:       { method: "GET",    path: "/v1/sysctls",                                      says: "The knobs of net.ipv4.vs and their values" },
  setSysctls:        { method: "PUT",    path: "/v1/sysctls",                                      says: "Set those that the body names, all or none" },
  listConnections:   { method: "GET",    path: "/v1/connections",                                  says: "The connection table, a JSON object a line; ?client= virtual= server= service= state= protocol= older= templates= choose" },
  countConnections:  { method: "GET",    path: "/v1/connections/count",                            says: "How many there are, by age and ?by=client, server, state or service" },
  endConnections:    { method: "DELETE", path: "/v1/connections",                                  says: "End those of a filter, both sides reset where that can be; a line tells how far it is" },
  history:           { method: "GET",    path: "/v1/history",                                      says: "What was changed, by whom and when, the newest first" },
  names:             { method: "GET",    path: "/v1/names",                                        says: "What services are called in the file that was applied last, by their ids" },
  drift:             { method: "GET",    path: "/v1/drift",                                        says: "What other hands changed since a file was applied" },
  differenceSince:   { method: "GET",    path: "/v1/history/:generation/difference",               says: "What is different since a generation" },
  planRollback:      { method: "GET",    path: "/v1/history/:generation/rollback",                 says: "What going back to a generation would change" },
  rollback:          { method: "POST",   path: "/v1/history/:generation/rollback",                 says: "Go back to a generation, all or nothing; tells what that changed" },
  changes:           { method: "POST",   path: "/v1/changes",                                      says: "Many changes, a JSON object a line: call, service, destination, body; a line answers each" },
  configuration:     { method: "GET",    path: "/v1/configuration",                                says: "All that is wanted, a JSON object a line: first the settings, then a service a line" },
  plan:              { method: "POST",   path: "/v1/configuration/plan",                           says: "What such lines would change, and how many connections each change touches" },
  apply:             { method: "PUT",    path: "/v1/configuration",                                says: "Put such lines in force, all or none; tells what that changed. If-Match: a generation, 412 when another is in force" },
  reasons:           { method: "GET",    path: "/v1/reasons",                                      says: "How many packets left the engine for which reason" },
  reasonWords:       { method: "GET",    path: "/v1/reasons/words",                                says: "What each of these reasons means" },
  metrics:           { method: "GET",    path: "/metrics",                                         says: "For Prometheus, in its text format" },
  events:            { method: "GET",    path: "/v1/events",                                       says: "What happens, as Server-Sent Events; ?since=all, ?only=NAMES, ?connections=N, ?follow=no" },
  trace:             { method: "GET",    path: "/v1/trace",                                        says: "What becomes of packets as they go by, as Server-Sent Events; ?client= virtual= server= service= state= protocol= reason= connection= choose, rate= packets a second at most, headers=yes" },
  totals:            { method: "GET",    path: "/v1/totals",                                       says: "Traffic of all services, deleted ones included" },
} as const satisfies Record<string, ApiRoute>;

export type RouteName = keyof typeof ROUTES;

/** Those that change something, and may be a line among many: `changes`. */
export type ChangeName =
  | "addService"
  | "flush"
  | "editService"
  | "deleteService"
  | "addDestination"
  | "editDestination"
  | "deleteDestination"
  | "drain"
  | "undrain"
  | "zeroService"
  | "zero"
  | "setTimeouts"
  | "setSysctls";

interface ServiceParams {
  readonly service: WireServiceKey;
}

interface DestinationParams extends ServiceParams {
  readonly destination: WireEndpoint;
}

interface GenerationParams {
  readonly generation: number;
}

/** What stands behind the path's question mark. */
export interface QueryParams {
  readonly query: Readonly<Record<string, string>>;
}

/** What each route takes and gives. Those that give or take lines are not here: see Client. */
export interface Calls {
  readonly routes: { params: object; body: undefined; reply: Readonly<Record<string, ApiRoute>> };
  readonly info: { params: object; body: undefined; reply: Info };
  readonly listServices: {
    params: object;
    body: undefined;
    reply: { readonly services: readonly WireServiceStatus[] };
  };
  readonly addService: { params: object; body: WireServiceRecord; reply: undefined };
  readonly flush: { params: object; body: undefined; reply: undefined };
  readonly getService: { params: ServiceParams; body: undefined; reply: WireServiceStatus };
  readonly editService: { params: ServiceParams; body: WireServiceRecord; reply: undefined };
  readonly deleteService: { params: ServiceParams; body: undefined; reply: undefined };
  readonly addDestination: { params: ServiceParams; body: WireDestination; reply: undefined };
  readonly editDestination: { params: DestinationParams; body: WireDestination; reply: undefined };
  readonly deleteDestination: { params: DestinationParams; body: undefined; reply: undefined };
  readonly drain: { params: DestinationParams; body: WireDrainRequest; reply: undefined };
  readonly undrain: { params: DestinationParams; body: undefined; reply: undefined };
  readonly listDrains: { params: object; body: undefined; reply: Drains };
  readonly names: {
    params: object;
    body: undefined;
    reply: { readonly names: Readonly<Record<string, string>> };
  };
  readonly drift: { params: object; body: undefined; reply: { readonly drift: Drift | null } };
  readonly history: { params: object; body: undefined; reply: HistoryReply };
  readonly differenceSince: { params: GenerationParams; body: undefined; reply: Plan };
  readonly planRollback: { params: GenerationParams; body: undefined; reply: Plan };
  readonly rollback: { params: GenerationParams; body: undefined; reply: Plan };
  readonly countConnections: { params: QueryParams; body: undefined; reply: ConnectionCount };
  readonly explain: { params: ServiceParams; body: WireQuestion; reply: ExplainReply };
  readonly zeroService: { params: ServiceParams; body: undefined; reply: undefined };
  readonly zero: { params: object; body: undefined; reply: undefined };
  readonly getTimeouts: { params: object; body: undefined; reply: Timeouts };
  readonly setTimeouts: { params: object; body: Timeouts; reply: undefined };
  readonly listSysctls: { params: object; body: undefined; reply: WireSysctls };
  readonly setSysctls: { params: object; body: WireSysctls; reply: undefined };
  readonly status: { params: object; body: undefined; reply: Status };
  readonly health: { params: object; body: undefined; reply: HealthStatus };
  readonly reasonWords: {
    params: object;
    body: undefined;
    reply: Readonly<Record<string, string>>;
  };
  readonly reasons: { params: object; body: undefined; reply: Readonly<Record<string, number>> };
  readonly totals: {
    params: object;
    body: undefined;
    reply: { readonly counters: Counters; readonly rates: Rates };
  };
}

/** A change with what it needs: `Client.change()`. */
export type Change = {
  readonly [Name in ChangeName]: {
    readonly name: Name;
    readonly params: Calls[Name]["params"];
    readonly body: Calls[Name]["body"];
  };
}[ChangeName];

/** The default place of the API's socket; SLUICE_SOCKET in the environment names another. */
export const DEFAULT_SOCKET = "/run/sluice/sluice.sock";

export function socketPath(environment: Readonly<Record<string, string | undefined>>): string {
  return environment.SLUICE_SOCKET || DEFAULT_SOCKET;
}
