/** What a director's tables hold at a moment, as plain data: for who draws it. */
import type { Instant } from "../../base/clock.ts";
import { formatEndpoint, formatServiceKey } from "../../ipvs/desired/service.ts";
import type { Director } from "../../ipvs/director.ts";
import { connectionStatuses } from "../../ipvs/status.ts";

export interface DirectorSnapshot {
  readonly services: readonly {
    readonly service: string;
    readonly scheduler: string;
    readonly destinations: readonly {
      readonly address: string;
      readonly forwarding: string;
      readonly weight: number;
      readonly activeConnections: number;
      readonly inactiveConnections: number;
    }[];
  }[];
  readonly connections: readonly {
    readonly protocol: string;
    readonly state: string;
    readonly expiresInMs: number;
    readonly client: string;
    readonly virtual: string;
    readonly destination: string;
  }[];
}

const CONNECTIONS_MAX = 1_000;

export function snapshotOf(director: Director, now: Instant): DirectorSnapshot {
  const services = [...director.services.services()].map(({ plan, destinations }) => ({
    service: formatServiceKey(plan.key),
    scheduler: plan.scheduler,
    destinations: destinations.toReversed().map((destination) => ({
      address: formatEndpoint(destination.plan.endpoint),
      forwarding: destination.plan.forwarding.kind,
      weight: destination.weight,
      activeConnections: destination.activeConnections,
      inactiveConnections: destination.inactiveConnections,
    })),
  }));
  const { statuses } = connectionStatuses(director.connections, now, -1, CONNECTIONS_MAX);
  const connections = statuses.map(
    ({ protocol, state, expiresInMs, client, virtual, destination }) => ({
      protocol,
      state,
      expiresInMs,
      client: formatEndpoint(client),
      virtual: formatEndpoint(virtual),
      destination: formatEndpoint(destination),
    }),
  );
  return { services, connections };
}
