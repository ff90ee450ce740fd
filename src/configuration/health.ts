/** What a service's health is decided by, from what the file says with its defaults. */
import { millisecondsOf } from "../base/period.ts";
import {
  type CheckPlan,
  canonical,
  type DestinationHealth,
  type OnFailure,
  type ServiceHealth,
} from "../ipvs/desired/health.ts";
import { formatEndpoint } from "../ipvs/desired/service.ts";
import type { WantedDestination } from "../ipvs/desired/wanted.ts";
import type { Port } from "../net/port.ts";
import { wantedDestination } from "./destination.ts";
import type { DestinationDefaults, HealthContent } from "./schema.ts";

export interface CheckedDestination {
  readonly wanted: WantedDestination;
  readonly checks: readonly CheckPlan[];
  readonly onFailure: OnFailure | undefined;
}

/** Undefined when there is nothing to decide: no checks, and nobody to be sorry. */
export function serviceHealth(
  content: HealthContent,
  /** What its destinations have that do not say it themselves. */
  defaults: DestinationDefaults,
  port: Port,
  checks: readonly CheckPlan[],
  destinations: readonly CheckedDestination[],
): ServiceHealth | undefined {
  const isChecked = checks.length > 0 || destinations.some((each) => each.checks.length > 0);
  const { sorry, flapping, slowStart = 0 } = content;
  if (!isChecked && sorry === undefined) return undefined;
  return {
    checks,
    destinations: exceptions(checks, destinations),
    onFailure: content.onFailure ?? "remove",
    quorum: content.quorum ?? 1,
    hysteresis: content.hysteresis ?? 0,
    sorry: sorry && {
      ...wantedDestination({ forwarding: defaults.forwarding, ...sorry }, port),
      weight: sorry.weight ?? 1,
      isStanding: sorry.standing ?? false,
    },
    slowStartMs: slowStart === 0 ? 0 : millisecondsOf(slowStart),
    panicPercent: content.panic ?? 0,
    flapping: flapping && {
      changes: flapping.changes,
      withinMs: millisecondsOf(flapping.within),
      holdMs: millisecondsOf(flapping.hold),
    },
  };
}

function exceptions(
  checks: readonly CheckPlan[],
  destinations: readonly CheckedDestination[],
): Record<string, DestinationHealth> {
  const usual = canonical(checks);
  const entries = destinations.flatMap(({ wanted, checks: own, onFailure }) => {
    const isUsual = own === checks || canonical(own) === usual;
    if (isUsual && onFailure === undefined) return [];
    const health: DestinationHealth = { checks: isUsual ? undefined : own, onFailure };
    return [[formatEndpoint(wanted.endpoint), health] as const];
  });
  return Object.fromEntries(entries);
}
