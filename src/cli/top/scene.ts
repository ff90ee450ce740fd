/** What `sluice top` shows: the daemon's answers of one moment, put together. */
import { formatEndpointId, formatServiceId } from "../../api/ids.ts";
import type {
  DestinationHealthStatus,
  HealthStatus,
  Info,
  ServiceHealthStatus,
  Status,
  StatusFinding,
} from "../../api/messages.ts";
import type { WireDestinationStatus, WireServiceStatus } from "../../control/wire.ts";
import type { Rates } from "../../ipvs/services/statistics.ts";

/** What the daemon answered; `status` may be of an earlier moment, for it takes it longer. */
export interface Answers {
  readonly atMs: number;
  readonly info: Info;
  readonly status: Status;
  readonly health: HealthStatus;
  readonly services: readonly WireServiceStatus[];
  /** What services are called, by their ids. */
  readonly names: ReadonlyMap<string, string>;
  readonly totals: Rates;
  readonly reasons: Readonly<Record<string, number>>;
  readonly reasonWords: Readonly<Record<string, string>>;
}

/** A server's health in one word. */
export type Standing =
  | "up"
  | "down"
  | "unknown"
  | "unchecked"
  | "draining"
  | "drained"
  | "sorry"
  | "removed";

/** A service or a server, with what both have. */
interface Carrying {
  readonly active: number;
  readonly inactive: number;
  readonly rates: Rates;
}

export interface TopServer extends Carrying {
  readonly kind: "server";
  /** `tcp:10.0.0.1:80 -> 10.0.0.2:80`. */
  readonly id: string;
  readonly service: string;
  readonly name: string;
  readonly standing: Standing;
  /** Null: it was taken out of its service. */
  readonly weight: number | null;
  /** Of its health, since when and why; "" where nobody checks it. */
  readonly since: string | null;
  readonly why: string;
}

export interface TopService extends Carrying {
  readonly kind: "service";
  readonly id: string;
  /** What the file calls it. */
  readonly name: string | undefined;
  readonly scheduler: string;
  readonly servers: readonly TopServer[];
  /** Servers that may get connections. */
  readonly available: number;
  /** What else is to be known of it: a lost quorum, a sorry server. */
  readonly notes: readonly string[];
}

export interface TopReason {
  readonly name: string;
  readonly count: number;
  /** Null with the first look. */
  readonly perSecond: number | null;
  readonly means: string;
}

export interface Scene {
  readonly atMs: number;
  readonly version: string;
  readonly engine: string;
  readonly pid: number;
  readonly startedAt: string;
  readonly generation: number;
  readonly connectionsMax: number;
  readonly totals: Rates;
  readonly services: readonly TopService[];
  readonly reasons: readonly TopReason[];
  readonly findings: readonly StatusFinding[];
  readonly findingsOmitted: number;
}

const NO_RATES: Rates = {
  connectionsPerSecond: 0,
  inPacketsPerSecond: 0,
  outPacketsPerSecond: 0,
  inBytesPerSecond: 0,
  outBytesPerSecond: 0,
};

/** `before`: the last look at the same daemon, for what only counts. */
export function sceneOf(now: Answers, before: Answers | undefined): Scene {
  const { info, status } = now;
  const healthById = new Map(now.health.services.map((each) => [each.service, each]));
  const isSame = before?.info.pid === info.pid;
  return {
    atMs: now.atMs,
    version: info.version,
    engine: info.engine,
    pid: info.pid,
    startedAt: status.startedAt,
    generation: info.generation,
    connectionsMax: status.connectionsMax,
    totals: now.totals,
    services: now.services.map((service) => {
      const id = formatServiceId(service.key);
      return serviceOf(id, now.names.get(id), service, healthById.get(id));
    }),
    reasons: reasonsOf(now, isSame ? before : undefined),
    findings: status.findings,
    findingsOmitted: status.findingsOmitted,
  };
}

function serviceOf(
  id: string,
  name: string | undefined,
  { scheduler, destinations, rates }: WireServiceStatus,
  health: ServiceHealthStatus | undefined,
): TopService {
  const known = new Map(health?.destinations.map((each) => [each.destination, each]));
  const standing = destinations.map((each) => {
    const endpoint = formatEndpointId(each.endpoint);
    const checked = known.get(endpoint);
    known.delete(endpoint);
    return serverOf(id, endpoint, each, checked, health?.sorry === endpoint);
  });
  // What is down and was taken out is no server of the engine's any more.
  const out = [...known.values()].map((each) => serverOf(id, each.destination, undefined, each));
  const servers = [...standing, ...out];
  const sum = (of: "active" | "inactive"): number =>
    servers.reduce((total, each) => total + each[of], 0);
  return {
    kind: "service",
    id,
    name,
    scheduler,
    servers,
    available: servers.filter(({ weight }) => weight !== null && weight > 0).length,
    active: sum("active"),
    inactive: sum("inactive"),
    rates,
    notes: health === undefined ? [] : notesOf(health),
  };
}

function serverOf(
  service: string,
  name: string,
  there: WireDestinationStatus | undefined,
  health: DestinationHealthStatus | undefined,
  isSorry = false,
): TopServer {
  return {
    kind: "server",
    id: `${service} -> ${name}`,
    service,
    name,
    standing: standingOf(there, health, isSorry),
    weight: there?.weight ?? null,
    active: there?.activeConnections ?? 0,
    inactive: there?.inactiveConnections ?? 0,
    rates: there?.rates ?? NO_RATES,
    since: health?.since ?? null,
    why: [health?.why ?? "", ...warningsOf(health)].filter((text) => text !== "").join("; "),
  };
}

function standingOf(
  there: WireDestinationStatus | undefined,
  health: DestinationHealthStatus | undefined,
  isSorry: boolean,
): Standing {
  if (health?.health === "down") return "down";
  if (there?.drain !== undefined) return there.drain.isOver ? "drained" : "draining";
  if (isSorry) return "sorry";
  if (there === undefined) return "removed";
  if (health === undefined || health.health === "unchecked") return "unchecked";
  return health.isKnown ? "up" : "unknown";
}

function warningsOf(health: DestinationHealthStatus | undefined): string[] {
  return health?.checks.flatMap(({ warning }) => warning ?? []) ?? [];
}

function notesOf({ hasQuorum, sum, quorum, sorry, isPanic }: ServiceHealthStatus): string[] {
  return [
    ...(hasQuorum ? [] : [`quorum lost: ${sum} of ${quorum}`]),
    ...(sorry === null ? [] : [`${sorry} answers instead`]),
    ...(isPanic ? ["too few are up: all are kept"] : []),
  ];
}

function reasonsOf(now: Answers, before: Answers | undefined): TopReason[] {
  const seconds = before === undefined ? 0 : (now.atMs - before.atMs) / 1_000;
  return Object.entries(now.reasons)
    .filter(([, count]) => count > 0)
    .map(([name, count]) => ({
      name,
      count,
      perSecond: seconds <= 0 ? null : (count - (before?.reasons[name] ?? 0)) / seconds,
      means: now.reasonWords[name] ?? "",
    }))
    .sort((one, other) => (other.perSecond ?? 0) - (one.perSecond ?? 0) || other.count - one.count);
}
