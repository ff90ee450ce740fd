/** Waiting until it is known how the servers are that were just configured. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "../../api/client.ts";
import { formatServiceId } from "../../api/ids.ts";
import type { HealthStatus } from "../../api/messages.ts";
import type { WireWantedService } from "../../control/wanted-wire.ts";
import type { CheckPlan } from "../../ipvs/desired/health.ts";

const LOOK_MS = 200;

/** The first probes come within a second; then there is the machine's own time. */
const SLACK_MS = 5_000;

/** Resolves when all is known of these services, or it should have been. */
export async function waitForHealth(
  client: Client,
  services: readonly WireWantedService[],
): Promise<{ readonly health: HealthStatus; readonly isWell: boolean }> {
  const ids = new Set(services.map(({ key }) => formatServiceId(key)));
  const until = performance.now() + patienceMs(services);
  for (;;) {
    const { prober, services: all } = await client.call("health", {}, undefined);
    const health = { prober, services: all.filter(({ service }) => ids.has(service)) };
    const isKnown = health.services.every(({ destinations }) =>
      destinations.every((each) => each.isKnown),
    );
    if (isKnown || performance.now() >= until) {
      return { health, isWell: isKnown && health.services.every(({ hasQuorum }) => hasQuorum) };
    }
    await sleep(LOOK_MS);
  }
}

/** As long as the slowest check may take to settle. */
function patienceMs(services: readonly WireWantedService[]): number {
  const checks = services.flatMap(({ health }) =>
    health === undefined
      ? []
      : [
          health.checks,
          ...Object.values(health.destinations).map((each) => each.checks ?? []),
        ].flat(),
  );
  return Math.max(0, ...checks.map(settlesWithinMs)) + SLACK_MS;
}

function settlesWithinMs({ rise, fall, timeoutMs, retryMs, intervalMs }: CheckPlan): number {
  return Math.max(rise, fall) * Math.max(timeoutMs, retryMs, Math.min(intervalMs, 1_000));
}
