/** The rates of the last minutes: of everything, and of each service. Series as columns, as charts take them. */
import { formatServiceId } from "../../../src/api/ids.ts";
import type { WireServiceStatus } from "../../../src/control/wire.ts";
import type { Rates } from "../../../src/ipvs/services/statistics.ts";

/** Five minutes, by two seconds. */
const POINTS_MAX = 150;

export const ALL = "";

export interface Series {
  readonly seconds: readonly number[];
  readonly connections: readonly number[];
  readonly inBytes: readonly number[];
  readonly outBytes: readonly number[];
}

interface Columns {
  readonly connections: number[];
  readonly inBytes: number[];
  readonly outBytes: number[];
}

export class RateHistory {
  readonly #seconds: number[] = [];
  #series = new Map<string, Columns>();

  /** `seconds` since 1970. Services that are gone are forgotten. */
  add(seconds: number, totals: Rates, services: readonly WireServiceStatus[]): void {
    this.#seconds.push(seconds);
    if (this.#seconds.length > POINTS_MAX) this.#seconds.shift();
    const kept = new Map<string, Columns>();
    const add = (name: string, rates: Rates): void => {
      const columns = this.#series.get(name) ?? { connections: [], inBytes: [], outBytes: [] };
      columns.connections.push(rates.connectionsPerSecond);
      columns.inBytes.push(rates.inBytesPerSecond);
      columns.outBytes.push(rates.outBytesPerSecond);
      for (const column of Object.values(columns) as number[][]) {
        if (column.length > POINTS_MAX) column.shift();
      }
      kept.set(name, columns);
    };
    add(ALL, totals);
    for (const service of services) add(formatServiceId(service.key), service.rates);
    this.#series = kept;
  }

  /** Of a service's id, or ALL. Shorter for one that came later. */
  of(name: string): Series {
    const columns = this.#series.get(name) ?? { connections: [], inBytes: [], outBytes: [] };
    return {
      seconds: this.#seconds.slice(-columns.connections.length || this.#seconds.length),
      ...columns,
    };
  }
}
