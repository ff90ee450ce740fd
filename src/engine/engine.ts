/**
 * Moves packets as the desired state says: the one seam between control and a data plane.
 *
 * engine.contract.ts says what every implementation must do; userspace/ is the first.
 */
import type { DesiredState } from "../ipvs/desired/desired-state.ts";
import type { ServiceKey } from "../ipvs/desired/service.ts";
import type { Sysctls } from "../ipvs/desired/sysctls.ts";
import type { Finding } from "../ipvs/diagnosis/finding.ts";
import type { Explanation } from "../ipvs/explain/explain.ts";
import type { FirstPacket } from "../ipvs/explain/first-packet.ts";
import type { Ended } from "../ipvs/inquiry/ending.ts";
import type { ConnectionFilter } from "../ipvs/inquiry/filter.ts";
import type { ConnectionSummary, SummaryOptions } from "../ipvs/inquiry/summary.ts";
import type { Counters, Rates } from "../ipvs/services/statistics.ts";
import type { ConnectionStatus, ServiceStatus } from "../ipvs/status.ts";
import type { CardHook } from "./card-hook.ts";
import type { PacketWatch, TraceOptions } from "./trace.ts";

export type { ConnectionStatus, ServiceStatus } from "../ipvs/status.ts";

export interface Engine extends AsyncDisposable {
  readonly name: string;
  /**
   * Makes these states true, one after the other, so that the last one stays: what each brings about happens as if it had
   * been given alone, and costs what it changes. All of them or, when it throws, none. Connections in flight stay.
   */
  apply(...steps: DesiredState[]): Promise<void>;
  /** In no particular order: a listing sorts. */
  services(): Promise<readonly ServiceStatus[]>;
  /** Those that `filter` asks for. */
  connections(filter?: ConnectionFilter): AsyncIterable<ConnectionStatus>;
  /** How many of them there are, by whom and by age. Packets go on meanwhile. */
  countConnections(filter: ConnectionFilter, options: SummaryOptions): Promise<ConnectionSummary>;
  /** Ends them, with a reset to both sides where that can be, and tells from time to time how far it is. */
  endConnections(filter: ConnectionFilter): AsyncIterable<Ended>;
  /** The sum over all services, removed ones included. */
  totals(): Promise<{ counters: Counters; rates: Rates }>;
  /** Restarts the counters of one service with its destinations, or of everything. Connections stay. */
  zero(key: ServiceKey | undefined): Promise<void>;
  /** The knobs as they are now: a defence's mode turns itself from 1 to 2 while memory is short. */
  sysctls(): Promise<Sysctls>;
  /** How many packets left for which reason (ipvs/packets/reasons.ts), since the engine started. */
  reasons(): Promise<Readonly<Record<string, number>>>;
  /** How full it is, and how far behind: costs nothing to ask. */
  load(): Promise<Load>;
  /** How it is, as seen now: what is wrong, too. May take a while; packets go on meanwhile. */
  condition(): Promise<Condition>;
  /** What would become of a client's first packet now: engines that have a director tell. `change`: what if. */
  explain?(
    packet: FirstPacket,
    change?: (state: DesiredState) => DesiredState,
  ): Promise<Explanation & { readonly interfaceName: string | undefined }>;
  /** Watches packets go by, until it is disposed of: engines that have a director can. */
  trace?(options: TraceOptions): Promise<PacketWatch>;
  /** Rows of the connection table, what listings call `size`. */
  readonly connectionTableSize: number;
}

export interface Load {
  /** As Condition has them. */
  readonly connections: number;
  readonly connectionsMax: number;
  /** For how long the connection whose time is over longest has waited to be removed. */
  readonly expiryLagMs: number;
}

export interface Condition {
  /** Where packets are taken, in words. */
  readonly stand: string;
  /** How the kernel engine's programs run where packets arrive. */
  readonly cards: readonly CardHook[];
  /** Entries of the connection table, templates and ended ones that are remembered included; and how many it may have. */
  readonly connections: number;
  readonly connectionsMax: number;
  readonly findings: readonly Finding[];
  /** More findings than are told. */
  readonly findingsOmitted: number;
}
