/** Services with all servers that are wanted: those, too, that checks have taken out of work, which no listing has. */
import type { Client } from "../api/client.ts";
import { formatEndpointId, formatServiceId } from "../api/ids.ts";
import type { WireWantedService } from "../control/wanted-wire.ts";
import type { WireDestinationStatus, WireDrain, WireServiceStatus } from "../control/wire.ts";
import { NO_COUNTERS, NO_RATES } from "../ipvs/services/statistics.ts";

export interface EveryServer {
  readonly services: readonly WireServiceStatus[];
  readonly isOut: (destination: WireDestinationStatus) => boolean;
}

export async function everyServer(client: Client): Promise<EveryServer> {
  const { services } = await client.call("listServices", {}, undefined);
  const wanted = new Map(
    (await client.configuration()).services.map((each) => [formatServiceId(each.key), each]),
  );
  const { drains } = await client.call("listDrains", {}, undefined);
  const drainOf = new Map(
    drains.map((each): [string, WireDrain] => [`${each.service} ${each.destination}`, each]),
  );
  const out = new Set<WireDestinationStatus>();
  const all = services.map((service) => {
    const id = formatServiceId(service.key);
    const missing = missingOf(service, wanted.get(id)).map((destination): WireDestinationStatus => {
      const drain = drainOf.get(`${id} ${formatEndpointId(destination.endpoint)}`);
      return {
        ...destination,
        weight: destination.weight ?? 1,
        drain,
        activeConnections: 0,
        inactiveConnections: 0,
        persistentConnections: 0,
        counters: NO_COUNTERS,
        rates: NO_RATES,
      };
    });
    for (const each of missing) out.add(each);
    return { ...service, destinations: [...service.destinations, ...missing] };
  });
  return { services: all, isOut: (destination) => out.has(destination) };
}

function missingOf(
  service: WireServiceStatus,
  wanted: WireWantedService | undefined,
): WireWantedService["destinations"] {
  const there = new Set(service.destinations.map(({ endpoint }) => formatEndpointId(endpoint)));
  return (wanted?.destinations ?? []).filter(
    ({ endpoint }) => !there.has(formatEndpointId(endpoint)),
  );
}
