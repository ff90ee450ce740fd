/** What the daemon and the process that probes tell each other: a JSON object a line, both ways. */
import type { CheckPlan } from "../../ipvs/desired/health.ts";
import type { Report, Standing } from "../judge.ts";
import type { WatchTarget } from "../target.ts";

/** One server to be asked in one way, however many services want to know. */
export interface Assignment
  extends Pick<
    CheckPlan,
    | "type"
    | "settings"
    | "intervalMs"
    | "jitterMs"
    | "timeoutMs"
    | "retryMs"
    | "backoffMs"
    | "rise"
    | "fall"
  > {
  readonly id: number;
  readonly target: WatchTarget;
  /** What is held true of it when it is taken up. */
  readonly standing: Standing;
}

export interface Order {
  readonly add: readonly Assignment[];
  readonly remove: readonly number[];
}

/** A result by which something is different from the last that was told. */
export interface Change extends Report {
  readonly id: number;
  readonly latencyMs: number;
  readonly warning?: string | undefined;
}

/** How far behind their time probes began, since the last time that this was told. */
export interface Lag {
  readonly probes: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** Processor time of the whole process, in milliseconds. */
  readonly cpuMs: number;
  readonly overMs: number;
}

export interface Told {
  readonly changes?: readonly Change[];
  readonly latencies?: readonly (readonly [id: number, milliseconds: number])[];
  readonly lag?: Lag;
  /** A bug of ours, which is the daemon's log's to tell. */
  readonly trouble?: string;
  /** Of the way that probes go: what an operator should know, or that it is over. */
  readonly warning?: string;
  readonly notice?: string;
}
