/** Families that every service and destination has a sample in, or two: as tables. */
import type { ServiceStatus } from "../../engine/engine.ts";
import type { Counters } from "../../ipvs/services/statistics.ts";
import type { Family } from "./exposition.ts";

type DestinationStatus = ServiceStatus["destinations"][number];

export interface FamilyOf<Source> extends Family {
  /** One sample, or one for each direction. */
  readonly value: (source: Source) => number | Directions;
}

interface Directions {
  readonly in: number;
  readonly out: number;
}

/** What all that carries traffic counts; `prefix` is up to the name of what is counted. */
function counted(prefix: string, of: string): FamilyOf<{ readonly counters: Counters }>[] {
  return [
    {
      name: `${prefix}_connections_total`,
      type: "counter",
      help: `Connections that were scheduled to ${of}.`,
      value: ({ counters }) => counters.connections,
    },
    {
      name: `${prefix}_packets_total`,
      type: "counter",
      help: `Packets of ${of}: in from clients, out to them. Replies of direct routing and tunnels do not come by here.`,
      value: ({ counters }) => ({ in: counters.inPackets, out: counters.outPackets }),
    },
    {
      name: `${prefix}_bytes_total`,
      type: "counter",
      help: `Bytes of these packets, IP headers included.`,
      value: ({ counters }) => ({ in: counters.inBytes, out: counters.outBytes }),
    },
  ];
}

export const TOTALS = counted("sluice", "all services, removed ones included");

export const OF_SERVICES: readonly FamilyOf<ServiceStatus>[] = [
  ...counted("sluice_service", "a service"),
  {
    name: "sluice_service_destinations",
    type: "gauge",
    help: "Destinations of a service.",
    value: ({ destinations }) => destinations.length,
  },
  {
    name: "sluice_service_available_destinations",
    type: "gauge",
    help: "Those of them whose weight is above 0: none of them, and the service refuses new connections.",
    value: ({ destinations }) => destinations.filter(({ plan }) => plan.weight > 0).length,
  },
];

export const OF_DESTINATIONS: readonly FamilyOf<DestinationStatus>[] = [
  ...counted("sluice_destination", "a destination"),
  {
    name: "sluice_destination_active_connections",
    type: "gauge",
    help: "Connections that are established, as ipvsadm counts them.",
    value: ({ activeConnections }) => activeConnections,
  },
  {
    name: "sluice_destination_inactive_connections",
    type: "gauge",
    help: "Connections in any other state.",
    value: ({ inactiveConnections }) => inactiveConnections,
  },
  {
    name: "sluice_destination_persistent_connections",
    type: "gauge",
    help: "Persistence templates: clients that are bound to it.",
    value: ({ persistentConnections }) => persistentConnections,
  },
  {
    name: "sluice_destination_weight",
    type: "gauge",
    help: "How many connections it gets beside the others; 0: no new ones.",
    value: ({ plan }) => plan.weight,
  },
];
