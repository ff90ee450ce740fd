/** Packets that somebody watches: what an engine tells of them while they go by. */
import type { TraceFilter } from "../ipvs/trace/trace-filter.ts";
import type { TracedPacket } from "../ipvs/trace/traced-packet.ts";

export interface TraceOptions {
  readonly filter: TraceFilter;
  /** So many are told at most, in any one second. */
  readonly perSecond: number;
  /** Whether the beginning of each is told, too. */
  readonly hasHeaders: boolean;
}

/** What went by since the last time. */
export interface TraceNews {
  readonly packets: readonly TracedPacket[];
  /** Packets that may have been wanted, and were not looked at or not kept: there were too many. */
  readonly untold: number;
}

/** Ends when it is disposed of. */
export interface PacketWatch extends Disposable {
  /** Waits until there is something, but no longer than `waitMs`. Undefined when the engine has ended. */
  next(waitMs: number): Promise<TraceNews | undefined>;
}
