/** Every route of the API: what the server serves, what the client calls, and what each means. */

import type { Author, HistoryEntry } from "../control/author.ts";
import type {
  WireConnection,
  WireDestination,
  WireDrain,
  WireEndpoint,
  WireServiceKey,
  WireServiceRecord,
  WireServiceStatus,
  WireSysctls,
} from "../control/wire.ts";
import type { Endpoint, Mark, Protocol, ServiceKey, Timeouts } from "../ipvs/desired/service.ts";
import type { Explanation } from "../ipvs/explain/explain.ts";
import type { Counters, Rates } from "../ipvs/services/statistics.ts";
import { Address } from "../net/address.ts";
import type { Port } from "../net/port.ts";

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

export interface Info {
  readonly name: "sluice";
  readonly version: string;
  readonly engine: string;
  readonly pid: number;
  /** The number of the last change. */
  readonly generation: number;
  /** Rows of the connection table: `size` in listings. */
  readonly connectionTableSize: number;
  /** The IPVS version whose commands and meaning this is. */
  readonly ipvsVersion: string;
}

export interface Status {
  readonly version: string;
  readonly pid: number;
  /** As ISO 8601 has it. */
  readonly startedAt: string;
  readonly engine: string;
  /** Where packets are taken, in words. */
  readonly stand: string;
  /** The path of the state file; null: state is kept in memory only. */
  readonly state: string | null;
  readonly services: number;
  readonly servers: number;
  /** Entries of the connection table, and how many it may have. */
  readonly connections: number;
  readonly connectionsMax: number;
  /** Lines of the daemon's log that were lost because nobody read them. */
  readonly logLinesLost: number;
  readonly health: HealthStatus;
  /** The number of the last change. */
  readonly generation: number;
  /** Null: no file was applied. */
  readonly drift: Drift | null;
  /** Servers that are drained. */
  readonly draining: number;
  readonly findings: readonly StatusFinding[];
  /** More findings than are told. */
  readonly findingsOmitted: number;
}

/** Something that is wrong. */
export interface StatusFinding {
  /** vip-not-local, not-forwarding, no-route, neighbour-silent, filtered, local-client. */
  readonly code: string;
  /** A service, a server of one, or the host. */
  readonly about: string;
  readonly says: string;
  readonly remedy: string;
  readonly since: string;
}

/** What health checks know. Services without checks are not in it. */
export interface HealthStatus {
  /** The process that asks servers; null: no service is checked. */
  readonly prober: { readonly pid: number | null; readonly lag: ProbeLag | null } | null;
  readonly services: readonly ServiceHealthStatus[];
}

/** How far behind their time probes began, in the last seconds. */
export interface ProbeLag {
  readonly probes: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  readonly cpuMs: number;
  readonly overMs: number;
}

export interface ServiceHealthStatus {
  readonly service: string;
  readonly hasQuorum: boolean;
  /** The weights of those that are up, together. */
  readonly sum: number;
  readonly quorum: number;
  readonly hysteresis: number;
  /** Who answers instead of the others; null: they do. */
  readonly sorry: string | null;
  /** So few are up that all are kept. */
  readonly isPanic: boolean;
  readonly destinations: readonly DestinationHealthStatus[];
}

export interface DestinationHealthStatus {
  readonly destination: string;
  readonly health: "up" | "down" | "unchecked";
  /** False before there was a result that settled it: then it is held to be so. */
  readonly isKnown: boolean;
  /** Null when nobody checks it. */
  readonly since: string | null;
  readonly why: string;
  /** What it has in its service now; null: it was taken out. */
  readonly weight: number | null;
  readonly checks: readonly {
    readonly check: string;
    readonly up: boolean;
    readonly isKnown: boolean;
    readonly why: string;
    readonly latencyMs: number | null;
    readonly warning: string | null;
  }[];
}

/** What is wanted, and what would change. */
export interface Plan {
  readonly changes: readonly PlannedChange[];
}

export interface PlannedChange {
  readonly action: "add" | "change" | "remove";
  readonly what: "service" | "destination" | "timeouts" | "sysctls";
  /** A service id; null with timeouts and sysctls. */
  readonly service: string | null;
  readonly destination: string | null;
  /** What is different: null where there was nothing, or nothing will be. */
  readonly facts: readonly {
    readonly name: string;
    readonly before: PlannedFact;
    readonly after: PlannedFact;
  }[];
  /** Those that are there now. They go on when something is changed; the packets of what is removed are dropped. */
  readonly connections: number;
}

export type PlannedFact = string | number | boolean | null;

interface ServiceParams {
  readonly service: WireServiceKey;
}

interface DestinationParams extends ServiceParams {
  readonly destination: WireEndpoint;
}

/** What is left out: five minutes, the server stays, its connections are not ended. */
export interface WireDrainRequest {
  /** Null: until the last connection has ended. */
  readonly timeoutSeconds?: number | null;
  readonly afterwards?: "remove" | "keep";
  /** Whether the connections that remain at the end are ended, with a reset to both sides. */
  readonly force?: boolean;
}

/** A client's first packet. Port 0: of the client, any; of a server, whatever it has. */
export interface WireQuestion {
  readonly client: WireEndpoint;
  /** Of a service for a mark, or for any port: where to. */
  readonly to?: WireEndpoint | null;
  readonly protocol?: Protocol | null;
  /** A weight of null: the server is gone. */
  readonly whatIf?: readonly { readonly server: WireEndpoint; readonly weight: number | null }[];
}

export type ExplainReply = Explanation & {
  /** The reason in words. */
  readonly means: string;
  /** The interface's name; null when nothing leaves. */
  readonly interface: string | null;
};

/** Servers that are drained. */
export interface Drains {
  readonly drains: readonly DrainStatus[];
}

/** Connections that were asked for. */
export interface ConnectionCount {
  readonly count: number;
  /** What they were counted by, the largest first. */
  readonly groups: readonly { readonly name: string; readonly count: number }[];
  /** Those of groups that are not told. */
  readonly others: number;
  /** What `byAge` counts: below so many seconds, and last those that are older, or of an age that nobody knows. */
  readonly agesBelowSeconds: readonly number[];
  readonly byAge: readonly number[];
  readonly oldest: readonly WireConnection[];
}

/** How far the ending of connections is: a line of it from time to time. */
export interface EndedConnections {
  readonly found: number;
  /** Those of which both sides were told by a reset. */
  readonly reset: number;
  /** Those that were forgotten without: no TCP, templates, and those whose client did not answer. */
  readonly forgotten: number;
  readonly isDone: boolean;
}

/** What stands beside what the file says that was applied last. */
export interface Drift {
  readonly source: string;
  readonly appliedAt: string;
  readonly by: Author;
  /** What becomes of it. */
  readonly mode: "keep" | "reconcile";
  /** From what the file says to what stands. */
  readonly changes: readonly PlannedChange[];
}

/** What was changed, the newest first. */
export interface HistoryReply {
  /** The one in force. */
  readonly generation: number;
  readonly entries: readonly HistoryEntry[];
}

export interface DrainStatus extends WireDrain {
  /** A service id, and a destination's. */
  readonly service: string;
  readonly destination: string;
  /** When it ends at the latest, as ISO 8601 has it; null: when its last connection does. */
  readonly endsAt: string | null;
  /** Templates are not among them: they bring no connections any more. Null: too many servers are drained to count. */
  readonly connections: ConnectionCount | null;
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

/** What a reply says when the call was refused or failed. */
export interface ErrorReply {
  readonly error: {
    /**
     * A FaultCode (ipvs/desired/errors.ts), or one of the API's own: bad-request, broken-off, not-permitted, no-such-route,
     * too-large, busy, internal.
     */
    readonly code: string;
    readonly message: string;
    readonly fault?: object;
    readonly problems?: readonly { readonly path: string; readonly message: string }[];
  };
}

/** The default place of the API's socket; SLUICE_SOCKET in the environment names another. */
export const DEFAULT_SOCKET = "/run/sluice/sluice.sock";

export function socketPath(environment: Readonly<Record<string, string | undefined>>): string {
  return environment.SLUICE_SOCKET || DEFAULT_SOCKET;
}

/** `tcp:10.0.0.1:80`, `udp:[2001:db8::1]:53`, `fwmark:7`, `fwmark6:7`. */
export function formatServiceId(key: WireServiceKey): string {
  if (key.kind === "mark") return `${key.family === "inet6" ? "fwmark6" : "fwmark"}:${key.mark}`;
  return `${key.protocol}:${formatEndpointId(key.endpoint)}`;
}

export function formatEndpointId({ address, port }: WireEndpoint): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

export function parseServiceId(id: string): ServiceKey | undefined {
  const [, kind = "", rest = ""] = /^([a-z0-9]+):(.+)$/.exec(id) ?? [];
  switch (kind) {
    case "tcp":
    case "udp":
    case "sctp":
      return endpointKey(kind, rest);
    case "fwmark":
      return markKey("inet", rest);
    case "fwmark6":
      return markKey("inet6", rest);
    default:
      return undefined;
  }
}

export function parseEndpointId(id: string): Endpoint | undefined {
  const [, bracketed, bare, digits] = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(id) ?? [];
  const address = Address.parse(bracketed ?? bare ?? "");
  const port = Number(digits);
  if (address === undefined || port > 0xffff) return undefined;
  if ((address.family === "inet6") !== (bracketed !== undefined)) return undefined;
  return { address, port: port as Port };
}

function endpointKey(protocol: Protocol, id: string): ServiceKey | undefined {
  const endpoint = parseEndpointId(id);
  return endpoint && { kind: "endpoint", protocol, endpoint };
}

function markKey(family: "inet" | "inet6", digits: string): ServiceKey | undefined {
  const mark = Number(digits);
  if (!/^[1-9]\d{0,9}$/.test(digits) || mark > 0xffff_ffff) return undefined;
  return { kind: "mark", family, mark: mark as Mark };
}
