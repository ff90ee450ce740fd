/** Servers that are drained, and what they wait for. */
import type { Control } from "../control/control.ts";
import { connectionsOf } from "../control/drain-watch.ts";
import { destinationToWire, keyToWire } from "../control/wire.ts";
import { type DrainedServer, drainedServers } from "../ipvs/desired/drain.ts";
import { formatEndpoint } from "../ipvs/desired/service.ts";
import { countToWire } from "./connections.ts";
import { formatServiceId } from "./ids.ts";
import type { DrainStatus, Drains } from "./messages.ts";

/** Of the oldest connections so many are told. */
const OLDEST_TOLD = 5;

/** Counting walks the table: for more servers than these, connections are not told. */
const COUNTED_MAX = 50;

export async function drainsOf(control: Control): Promise<Drains> {
  const drains: DrainStatus[] = [];
  for (const server of drainedServers(control.state)) {
    drains.push(await statusOf(control, server, drains.length < COUNTED_MAX));
  }
  return { drains };
}

async function statusOf(
  control: Control,
  server: DrainedServer,
  isCounted: boolean,
): Promise<DrainStatus> {
  const { service, destination } = server;
  const { since, timeoutSeconds } = destination.drain;
  const summary = isCounted
    ? await control.engine.countConnections(connectionsOf(server), { oldest: OLDEST_TOLD })
    : undefined;
  const endsAt = timeoutSeconds === undefined ? undefined : since + timeoutSeconds * 1000;
  return {
    ...destinationToWire(destination).drain!,
    service: formatServiceId(keyToWire(service)),
    destination: formatEndpoint(destination.endpoint),
    endsAt: endsAt === undefined ? null : new Date(endsAt).toISOString(),
    connections: summary === undefined ? null : countToWire(summary),
  };
}
