/** A director behind the engine's interface, with a clock that stands still until it is moved. */
import type { Instant } from "../../../src/base/clock.ts";
import type { Condition, Engine, Load } from "../../../src/engine/engine.ts";
import { NO_CONNECTION } from "../../../src/ipvs/connections/connection-table.ts";
import type { DesiredState } from "../../../src/ipvs/desired/desired-state.ts";
import type { ServiceKey } from "../../../src/ipvs/desired/service.ts";
import type { Sysctls } from "../../../src/ipvs/desired/sysctls.ts";
import { Director } from "../../../src/ipvs/director.ts";
import { type Ended, Ending } from "../../../src/ipvs/inquiry/ending.ts";
import type { ConnectionFilter } from "../../../src/ipvs/inquiry/filter.ts";
import type { Inquired } from "../../../src/ipvs/inquiry/matcher.ts";
import {
  type ConnectionSummary,
  Summary,
  type SummaryOptions,
} from "../../../src/ipvs/inquiry/summary.ts";
import type { Outcome } from "../../../src/ipvs/packets/outcome.ts";
import { NO_ARRIVAL, Packet } from "../../../src/ipvs/packets/packet.ts";
import type { Counters, Rates } from "../../../src/ipvs/services/statistics.ts";
import {
  type ConnectionStatus,
  connectionStatuses,
  type ServiceStatus,
  serviceStatus,
} from "../../../src/ipvs/status.ts";
import { ETHERNET_HEADER_LENGTH } from "../../../src/net/ethernet.ts";
import type { Frame } from "../case.ts";
import { framed, HOST, interfaceOf, routed, type WireName } from "../laboratory.ts";
import { LOCAL_MARK_BIT } from "../place.ts";
import { hostAnswers } from "./host-stack.ts";
import { MarkTable } from "./mark-table.ts";

/** More than are due at any time. */
const EXPIRED_MAX = 20_000;

export class DirectorEngine implements Engine {
  readonly name = "director";
  readonly connectionTableSize = 4096;
  readonly #director: Director;
  /** What its host's netfilter would have. */
  marks = new MarkTable([]);
  #now = 0 as Instant;

  constructor({ connectionsMax }: { readonly connectionsMax: number }) {
    this.#director = new Director({ host: HOST, limit: connectionsMax, hashKey: [1, 2] });
  }

  /** Does on the way what time brings, each at its time. */
  moveClock(nowMs: number): void {
    for (;;) {
      const deadline = this.#director.nextDeadline();
      if (deadline > nowMs) break;
      this.#now = Math.max(deadline, this.#now) as Instant;
      this.#director.expire(this.#now, EXPIRED_MAX);
    }
    this.#now = nowMs as Instant;
  }

  /** What leaves when a frame arrives. */
  receive(frame: Frame): Frame[] {
    const bytes = frame.bytes.slice(ETHERNET_HEADER_LENGTH);
    const packet = new Packet();
    const { index } = interfaceOf(frame.wire as WireName);
    const arrival = { ...NO_ARRIVAL, interfaceIndex: index };
    const fault = packet.moveTo(bytes, 0, bytes.length, arrival);
    if (fault === undefined) {
      packet.mark = this.marks.markOf(packet);
      if ((packet.mark & LOCAL_MARK_BIT) !== 0) packet.hook = "local-in";
      return framesOf(this.#director.receive(packet, this.#now));
    }
    this.#director.malformed();
    // The host's stack drops what it cannot read, but forwards what only its receiver could not.
    const isReadable = fault === "transport-truncated" && !HOST.isLocal(packet.destination);
    return isReadable ? hostAnswers(packet) : [];
  }

  async apply(...steps: DesiredState[]): Promise<void> {
    this.#director.check(...steps);
    for (const step of steps) this.#director.apply(step);
  }

  async services(): Promise<readonly ServiceStatus[]> {
    return [...this.#director.services.services()].map(serviceStatus);
  }

  async *connections(): AsyncGenerator<ConnectionStatus> {
    const { connections } = this.#director;
    const { limit } = connections.table;
    yield* connectionStatuses(connections, this.#now, NO_CONNECTION, limit).statuses;
  }

  async countConnections(
    filter: ConnectionFilter,
    options: SummaryOptions,
  ): Promise<ConnectionSummary> {
    const summary = new Summary(this.#inquired, filter, options);
    summary.work(this.#now, this.#director.connections.table.limit);
    return summary.result(this.#now);
  }

  /** Of what is forgotten at once: nobody here answers. */
  async *endConnections(filter: ConnectionFilter): AsyncGenerator<Ended> {
    const ending = new Ending(this.#inquired, filter);
    ending.work(this.#now, this.#director.connections.table.limit, []);
    yield ending.state;
  }

  async totals(): Promise<{ counters: Counters; rates: Rates }> {
    const { counters, rates } = this.#director.services.total;
    return { counters, rates };
  }

  async zero(key: ServiceKey | undefined): Promise<void> {
    this.#director.zero(key);
  }

  async sysctls(): Promise<Sysctls> {
    return this.#director.sysctls;
  }

  async reasons(): Promise<Readonly<Record<string, number>>> {
    return this.#director.reasons();
  }

  async load(): Promise<Load> {
    const { size, limit } = this.#director.connections.table;
    return { connections: size, connectionsMax: limit, expiryLagMs: 0 };
  }

  async condition(): Promise<Condition> {
    const { size, limit } = this.#director.connections.table;
    return {
      stand: "nowhere: frames are handed in",
      cards: [],
      connections: size,
      connectionsMax: limit,
      findings: [],
      findingsOmitted: 0,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  get #inquired(): Inquired {
    return { tracker: this.#director.connections, services: this.#director.services };
  }
}

function framesOf({ verdict, packet, route, parts, notices }: Outcome): Frame[] {
  const notes = notices.map(routed);
  if (verdict === "pass") return [...hostAnswers(packet), ...notes];
  if (verdict !== "forward") return notes;
  const packets = parts.length > 0 ? parts : [packet.bytes.slice(packet.start, packet.end)];
  return [...packets.map((bytes) => framed(bytes, route!)), ...notes];
}
