/** What is down for whoever wants to know it when the daemon ends: keepalived's `omega` (clear_service_rs() of ipwrapper.c). */
import { formatServiceId } from "../../api/ids.ts";
import type { LoggedEvent } from "../../control/events.ts";
import { keyToWire } from "../../control/wire.ts";
import type { HealthKeeper } from "../../health/keeper.ts";
import type { DesiredState } from "../../ipvs/desired/desired-state.ts";
import { formatEndpoint, formatServiceKey } from "../../ipvs/desired/service.ts";

const WHY = "the daemon ends";

/** All that is up: who is down already was told so. Destinations that nobody checks are up, as they are there. */
export function farewells(state: DesiredState, keeper: HealthKeeper | undefined): LoggedEvent[] {
  const views = new Map(
    [...(keeper?.services() ?? [])].map((view) => [formatServiceKey(view.key), view] as const),
  );
  return [...state.services].flatMap(([keyText, { key, destinations }]) => {
    const view = views.get(keyText);
    const down = new Set(
      view?.destinations
        .filter(({ standing }) => standing?.up === false)
        .map(({ plan }) => formatEndpoint(plan.endpoint)),
    );
    const service = formatServiceId(keyToWire(key));
    const gone: LoggedEvent[] = destinations
      .map(({ endpoint }) => formatEndpoint(endpoint))
      .filter((destination) => !down.has(destination))
      .map((destination) => ({
        name: "destination-down",
        message: "a destination is down",
        facts: { service, destination, why: WHY, atEnd: true },
      }));
    if (view?.decision.hasQuorum === false) return gone;
    const { quorum = 1, hysteresis = 0 } = view?.health ?? {};
    const facts = { service, sum: 0, quorum, hysteresis, why: WHY, atEnd: true };
    return [...gone, { name: "quorum-lost", message: "a service lost its quorum", facts }];
  });
}
