/** An engine without packets: it keeps what it is told, so that what stands on engines can be tested alone. */

import type { CardHook } from "../src/engine/card-hook.ts";
import type {
  Condition,
  ConnectionStatus,
  Engine,
  Load,
  ServiceStatus,
} from "../src/engine/engine.ts";
import { type DesiredState, EMPTY_STATE } from "../src/ipvs/desired/desired-state.ts";
import { formatServiceKey, type ServiceKey } from "../src/ipvs/desired/service.ts";
import type { Sysctls } from "../src/ipvs/desired/sysctls.ts";
import type { Finding } from "../src/ipvs/diagnosis/finding.ts";
import type { Ended } from "../src/ipvs/inquiry/ending.ts";
import type { ConnectionFilter } from "../src/ipvs/inquiry/filter.ts";
import type { ConnectionSummary } from "../src/ipvs/inquiry/summary.ts";
import {
  type Counters,
  NO_COUNTERS,
  NO_RATES,
  type Rates,
} from "../src/ipvs/services/statistics.ts";

export class MemoryEngine implements Engine {
  readonly name = "memory";
  readonly connectionTableSize = 4096;
  /** What the next apply() throws, once. */
  refusal: Error | undefined;
  /** What connections() lists. */
  entries: readonly ConnectionStatus[] = [];
  /** Active connections of each destination. */
  activeConnections = 0;
  /** What is wrong. */
  findings: readonly Finding[] = [];
  cards: readonly CardHook[] = [];
  desired: DesiredState = EMPTY_STATE;
  /** Of each apply() that was not refused: how many steps. */
  readonly applied: number[] = [];
  /** In the order given; "all" for everything. */
  readonly zeroed: string[] = [];
  /** What was asked to be ended. */
  readonly ended: ConnectionFilter[] = [];
  isDisposed = false;

  async apply(...steps: DesiredState[]): Promise<void> {
    const { refusal } = this;
    this.refusal = undefined;
    if (refusal !== undefined) throw refusal;
    this.desired = steps.at(-1) ?? this.desired;
    this.applied.push(steps.length);
  }

  async services(): Promise<readonly ServiceStatus[]> {
    return [...this.desired.services.values()].map((plan) => ({
      plan,
      destinations: plan.destinations.map((destination) => ({
        plan: destination,
        activeConnections: this.activeConnections,
        inactiveConnections: 0,
        persistentConnections: 0,
        counters: NO_COUNTERS,
        rates: NO_RATES,
      })),
      counters: NO_COUNTERS,
      rates: NO_RATES,
    }));
  }

  async *connections(): AsyncGenerator<ConnectionStatus> {
    yield* this.entries;
  }

  /** Whatever is asked for: all entries. */
  async countConnections(): Promise<ConnectionSummary> {
    const { entries } = this;
    return { count: entries.length, groups: [], others: 0, byAge: [], oldest: [] };
  }

  async *endConnections(filter: ConnectionFilter): AsyncGenerator<Ended> {
    this.ended.push(filter);
    const found = this.entries.length;
    this.entries = [];
    yield { found, reset: 0, forgotten: found, isDone: true };
  }

  async totals(): Promise<{ counters: Counters; rates: Rates }> {
    return { counters: NO_COUNTERS, rates: NO_RATES };
  }

  async zero(key: ServiceKey | undefined): Promise<void> {
    this.zeroed.push(key === undefined ? "all" : formatServiceKey(key));
  }

  async sysctls(): Promise<Sysctls> {
    return this.desired.sysctls;
  }

  async reasons(): Promise<Readonly<Record<string, number>>> {
    return { "pass-no-service": 3 };
  }

  async load(): Promise<Load> {
    return { connections: this.entries.length, connectionsMax: 1_000, expiryLagMs: 0 };
  }

  async condition(): Promise<Condition> {
    return {
      stand: "in memory",
      cards: this.cards,
      connections: this.entries.length,
      connectionsMax: 1_000,
      findings: this.findings,
      findingsOmitted: 0,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.isDisposed = true;
  }
}
