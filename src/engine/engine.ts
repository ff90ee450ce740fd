/**
 * Moves packets as the desired state says: the one seam between control and a data plane.
 *
 * engine.contract.ts says what every implementation must do; userspace/ is the first.
 */
import type { DesiredState } from "../ipvs/desired-state.ts";
import type { Counters, Rates } from "../ipvs/statistics.ts";
import type { DestinationPlan, Endpoint, ServiceKey, ServicePlan } from "../ipvs/service.ts";

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
  /** "IP" is a firewall mark's template: `virtual.address` then is the mark. */
  readonly protocol: "TCP" | "UDP" | "SCTP" | "IP";
  /** As `ipvsadm -lnc` names it: ESTABLISHED, SYN_RECV, NONE, ASSURED, ... */
  readonly state: string;
  readonly expiresInMs: number;
  readonly client: Endpoint;
  readonly virtual: Endpoint;
  readonly destination: Endpoint;
  readonly persistenceEngine: { readonly name: string; readonly data: string } | undefined;
}

export interface Engine extends AsyncDisposable {
  readonly name: string;
  /** Makes `desired` true. All of it or, when it throws, none of it. Connections in flight stay. */
  apply(desired: DesiredState): Promise<void>;
  /** In no particular order: a listing sorts. */
  services(): Promise<readonly ServiceStatus[]>;
  connections(): AsyncIterable<ConnectionStatus>;
  /** The sum over all services, removed ones included. */
  totals(): Promise<{ counters: Counters; rates: Rates }>;
  /** Restarts the counters of one service with its destinations, or of everything. Connections stay. */
  zero(key: ServiceKey | undefined): Promise<void>;
  /** How many packets left for which reason (ipvs/reasons.ts), since the engine started. */
  reasons(): Promise<Readonly<Record<string, number>>>;
  /** Rows of the connection table, what listings call `size`. */
  readonly connectionTableSize: number;
}
