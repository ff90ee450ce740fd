/** What is known of destinations' health, as GET /v1/health has it. */
import { keyToWire } from "../control/wire.ts";
import type { DestinationView, HealthKeeper, ServiceView } from "../health/keeper.ts";
import { formatEndpoint } from "../ipvs/desired/service.ts";
import { formatServiceId } from "./ids.ts";
import type { DestinationHealthStatus, HealthStatus, ServiceHealthStatus } from "./messages.ts";

/** What the daemon has of it, once a service is checked. */
export interface HealthSource {
  readonly keeper: HealthKeeper;
  readonly proberPid: number | undefined;
}

export function healthOf(source: HealthSource | undefined): HealthStatus {
  if (source === undefined) return { prober: null, services: [] };
  const { keeper, proberPid } = source;
  // Moments are of a clock that has its own beginning.
  const beganAt = Date.now() - performance.now();
  return {
    prober: { pid: proberPid ?? null, lag: keeper.lag ?? null },
    services: [...keeper.services()].map((view) => serviceStatus(view, beganAt)),
  };
}

function serviceStatus(view: ServiceView, beganAt: number): ServiceHealthStatus {
  const { health, decision } = view;
  const isSorry = health.sorry !== undefined && (decision.sorryWeight ?? 0) > 0;
  return {
    service: formatServiceId(keyToWire(view.key)),
    hasQuorum: decision.hasQuorum,
    sum: decision.sum,
    quorum: health.quorum,
    hysteresis: health.hysteresis,
    sorry: isSorry ? formatEndpoint(health.sorry!.endpoint) : null,
    isPanic: decision.isPanic,
    destinations: view.destinations.map((each) => destinationStatus(each, beganAt)),
  };
}

function destinationStatus(view: DestinationView, beganAt: number): DestinationHealthStatus {
  const { plan, standing, watches, weight } = view;
  const destination = formatEndpoint(plan.endpoint);
  const common = { destination, weight: weight ?? null };
  if (standing === undefined) {
    return { ...common, health: "unchecked", isKnown: true, since: null, why: "", checks: [] };
  }
  return {
    ...common,
    health: standing.up ? "up" : "down",
    isKnown: standing.isKnown,
    since: new Date(beganAt + standing.since).toISOString(),
    why: standing.why,
    checks: watches.map(({ check, report, latencyMs, warning }) => ({
      check: check.name ?? check.type,
      up: report.up,
      isKnown: report.isKnown,
      why: report.why,
      latencyMs: latencyMs === undefined ? null : Math.round(latencyMs * 10) / 10,
      warning: warning ?? null,
    })),
  };
}
