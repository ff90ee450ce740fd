/** What an engine says of its connections and services, as the lines that sides compare. */

import type { Engine } from "../../../src/engine/engine.ts";
import { formatEndpoint } from "../../../src/ipvs/desired/service.ts";
import type { ConnectionStatus, ServiceStatus } from "../../../src/ipvs/status.ts";
import { connectionLine, serverLine, serviceLine, totalsLine } from "../lines.ts";
import type { Place } from "../place.ts";

export function connectionLines(statuses: readonly ConnectionStatus[], place: Place): string[] {
  return statuses
    .filter(({ virtual }) => place.owns(virtual.address) || place.isMark(virtual.address))
    .map(({ protocol, client, virtual, destination, state, expiresInMs, persistenceEngine }) =>
      connectionLine({
        protocol,
        client: formatEndpoint(client),
        virtual: formatEndpoint(virtual),
        destination: formatEndpoint(destination),
        state,
        expiresInSeconds: Math.floor(expiresInMs / 1000),
        data: persistenceEngine?.data,
      }),
    )
    .toSorted();
}

/** In the kernel's order: destinations newest first. */
export function serviceLines(statuses: readonly ServiceStatus[], place: Place): string[] {
  return statuses
    .filter(({ plan: { key } }) =>
      key.kind === "mark" ? place.ownsMark(key.mark) : place.owns(key.endpoint.address),
    )
    .flatMap(({ plan: { key, scheduler }, destinations }) => [
      key.kind === "mark"
        ? serviceLine("FWM", String(key.mark), scheduler)
        : serviceLine(key.protocol.toUpperCase(), formatEndpoint(key.endpoint), scheduler),
      ...destinations.toReversed().map((destination) =>
        serverLine({
          at: formatEndpoint(destination.plan.endpoint),
          method: METHOD[destination.plan.forwarding.kind],
          weight: destination.plan.weight,
          active: destination.activeConnections,
          inactive: destination.inactiveConnections,
        }),
      ),
    ]);
}

export function totalsLines({ counters, rates }: Awaited<ReturnType<Engine["totals"]>>): string[] {
  return [
    totalsLine("counters", [
      counters.connections,
      counters.inPackets,
      counters.outPackets,
      counters.inBytes,
      counters.outBytes,
    ]),
    totalsLine("rates", [
      rates.connectionsPerSecond,
      rates.inPacketsPerSecond,
      rates.outPacketsPerSecond,
      rates.inBytesPerSecond,
      rates.outBytesPerSecond,
    ]),
  ];
}

const METHOD = { masquerade: "Masq", route: "Route", tunnel: "Tunnel" } as const;
