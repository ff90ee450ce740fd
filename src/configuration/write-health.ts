/** The way back from what is decided by a service's health to how a file says it. */
import { formatPeriod } from "../base/period.ts";
import { type CheckPlan, canonical, type ServiceHealth } from "../ipvs/desired/health.ts";
import type { WantedService } from "../ipvs/desired/wanted.ts";
import type { CheckContent, CheckKeys, HealthContent, ServiceContent } from "./schema.ts";
import { forwardingContent } from "./write-forwarding.ts";

type Named = ReadonlyMap<string, CheckPlan>;

/** Checks by their names. Of several that are called the same, the first is; the others are said in their places. */
export function namedChecks(services: readonly WantedService[]): Named {
  const named = new Map<string, CheckPlan>();
  for (const { spec } of services) {
    if (spec.health === undefined) continue;
    const { checks, destinations } = spec.health;
    for (const plan of [
      checks,
      ...Object.values(destinations).map((each) => each.checks ?? []),
    ].flat()) {
      if (plan.name !== undefined && !named.has(plan.name)) named.set(plan.name, plan);
    }
  }
  return named;
}

export function checkContents(named: Named): Record<string, CheckContent> {
  return Object.fromEntries([...named].map(([name, plan]) => [name, checkContent(plan)]));
}

export function healthContent(
  health: ServiceHealth,
  servicePort: number,
  named: Named,
): Pick<ServiceContent, "check" | "checks" | "health"> {
  const { quorum, hysteresis, sorry, onFailure, slowStartMs, panicPercent, flapping } = health;
  const content: HealthContent = {
    ...(onFailure === "remove" ? {} : { onFailure }),
    ...(quorum === 1 ? {} : { quorum }),
    ...(hysteresis === 0 ? {} : { hysteresis }),
    ...(sorry === undefined ? {} : { sorry: sorryContent(sorry, servicePort) }),
    ...(slowStartMs === 0 ? {} : { slowStart: formatPeriod(slowStartMs) }),
    ...(panicPercent === 0 ? {} : { panic: panicPercent }),
    ...(flapping === undefined
      ? {}
      : {
          flapping: {
            changes: flapping.changes,
            within: formatPeriod(flapping.withinMs),
            hold: formatPeriod(flapping.holdMs),
          },
        }),
  };
  return {
    ...(health.checks.length === 0 ? {} : checkKeys(health.checks, named)),
    ...(Object.keys(content).length === 0 ? {} : { health: content }),
  };
}

export function destinationHealthContent(
  health: ServiceHealth | undefined,
  at: string,
  named: Named,
): CheckKeys & Pick<HealthContent, "onFailure"> {
  const own = health?.destinations[at];
  return {
    ...(own?.checks === undefined ? {} : checkKeys(own.checks, named)),
    ...(own?.onFailure === undefined ? {} : { onFailure: own.onFailure }),
  };
}

function checkKeys(plans: readonly CheckPlan[], named: Named): CheckKeys {
  const all = plans.map((plan) => {
    const { name } = plan;
    const isNamed = name !== undefined && canonical(named.get(name)) === canonical(plan);
    return isNamed ? name : checkContent(plan);
  });
  return all.length === 1 ? { check: all[0]! } : { checks: all };
}

function checkContent({ type, settings, ...plan }: CheckPlan): CheckContent {
  return {
    type: type as CheckContent["type"],
    ...settings,
    interval: formatPeriod(plan.intervalMs),
    jitter: formatPeriod(plan.jitterMs),
    timeout: formatPeriod(plan.timeoutMs),
    retry: formatPeriod(plan.retryMs),
    ...(plan.backoffMs === plan.intervalMs ? {} : { backoff: formatPeriod(plan.backoffMs) }),
    fall: plan.fall,
    rise: plan.rise,
    ...(plan.start === "up" ? {} : { start: plan.start }),
    ...(plan.address === undefined ? {} : { address: plan.address }),
    ...(plan.port === undefined ? {} : { port: plan.port }),
    ...(plan.via === undefined ? {} : { via: plan.via }),
  };
}

function sorryContent(
  { endpoint, forwarding, weight, isStanding }: NonNullable<ServiceHealth["sorry"]>,
  servicePort: number,
): HealthContent["sorry"] {
  return {
    address: endpoint.address.toString(),
    ...(endpoint.port === servicePort ? {} : { port: endpoint.port }),
    forwarding: forwardingContent(forwarding),
    ...(weight === 1 ? {} : { weight }),
    ...(isStanding ? { standing: true } : {}),
  };
}
