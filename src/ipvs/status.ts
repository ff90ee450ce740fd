/** What listings tell of a director's services and connections. */

import type { Instant } from "../base/clock.ts";
import { Address } from "../net/address.ts";
import type { IpVersion } from "../net/ip-family.ts";
import type { Port } from "../net/port.ts";
import { type ConnectionTable, NO_CONNECTION } from "./connections/connection-table.ts";
import { PROTOCOL } from "./connections/protocol-states.ts";
import type { DestinationPlan, Endpoint, ServicePlan } from "./desired/service.ts";
import type { Counters, Rates } from "./services/statistics.ts";
import type { VirtualService } from "./services/virtual-service.ts";
import type { Tracker } from "./tracking/tracker.ts";

export interface DestinationStatus {
  readonly plan: DestinationPlan;
  readonly activeConnections: number;
  readonly inactiveConnections: number;
  readonly persistentConnections: number;
  /** As of the estimator's last round, up to 2 s ago: what the kernel shows. */
  readonly counters: Counters;
  readonly rates: Rates;
}

export interface ServiceStatus {
  readonly plan: ServicePlan;
  /** In the order of `plan.destinations`. */
  readonly destinations: readonly DestinationStatus[];
  readonly counters: Counters;
  readonly rates: Rates;
}

/** An entry of the connection table. */
export interface ConnectionStatus {
  /** "IP" is a firewall mark's template: `virtual.address` then begins with the mark. */
  readonly protocol: "TCP" | "UDP" | "SCTP" | "IP";
  /** As `ipvsadm -lnc` names it: ESTABLISHED, SYN_RECV, NONE, ASSURED, ... */
  readonly state: string;
  readonly expiresInMs: number;
  /** Since its first packet; undefined: an earlier Sluice opened it, or it is a persistence engine's template. */
  readonly ageMs: number | undefined;
  readonly client: Endpoint;
  readonly virtual: Endpoint;
  readonly destination: Endpoint;
  readonly persistenceEngine: { readonly name: string; readonly data: string } | undefined;
}

export function serviceStatus(service: VirtualService): ServiceStatus {
  // Newest first at work, oldest first in the plan.
  const destinations = service.destinations.toReversed().map((destination) => ({
    plan: destination.plan,
    activeConnections: destination.activeConnections,
    inactiveConnections: destination.inactiveConnections,
    persistentConnections: destination.persistentConnections,
    counters: destination.traffic.counters,
    rates: destination.traffic.rates,
  }));
  const { plan, traffic } = service;
  return { plan, destinations, counters: traffic.counters, rates: traffic.rates };
}

/** The entries with ids above `after`, at most `budget` of them, and the last id looked at. */
export function connectionStatuses(
  tracker: Tracker,
  now: Instant,
  after: number,
  budget: number,
  matches: (id: number, now: Instant) => boolean = () => true,
): { readonly statuses: ConnectionStatus[]; readonly last: number } {
  const { table } = tracker;
  const statuses: ConnectionStatus[] = [];
  let id = table.nextId(after);
  let last = after;
  for (let looked = 0; id !== NO_CONNECTION && looked < budget; looked++) {
    last = id;
    if (table.isAlive(id, now) && !tracker.isGone(id) && matches(id, now))
      statuses.push(connectionStatus(tracker, id, now));
    id = table.nextId(id);
  }
  return { statuses, last: id === NO_CONNECTION ? NO_CONNECTION : last };
}

export function connectionStatus(tracker: Tracker, id: number, now: Instant): ConnectionStatus {
  const { table } = tracker;
  const family = table.family(id);
  const data = table.data(id);
  return {
    protocol: PROTOCOL_NAME[table.protocol(id)] ?? "IP",
    state: tracker.progress.stateName(id),
    expiresInMs: Math.max(0, table.catchUp(id) - now),
    ageMs: table.ageMs(id, now),
    client: { address: clientOf(table, id), port: table.clientPort(id) as Port },
    virtual: endpoint(family, (word) => table.virtual(id, word), table.virtualPort(id)),
    destination: endpoint(
      table.destinationFamily(id),
      (word) => table.destination(id, word),
      table.destinationPort(id),
    ),
    persistenceEngine: data === undefined ? undefined : { name: "sip", data },
  };
}

export function clientOf(table: ConnectionTable, id: number): Address {
  return endpoint(table.family(id), (word) => table.client(id, word), 0).address;
}

export const PROTOCOL_NAME: Readonly<Record<number, ConnectionStatus["protocol"]>> = {
  [PROTOCOL.ip]: "IP",
  [PROTOCOL.tcp]: "TCP",
  [PROTOCOL.udp]: "UDP",
  [PROTOCOL.sctp]: "SCTP",
};

function endpoint(family: IpVersion, word: (index: number) => number, port: number): Endpoint {
  const address =
    family === 4 ? Address.inet(word(3)) : Address.inet6(word(0), word(1), word(2), word(3));
  return { address, port: port as Port };
}
