/** Forwards packets of connections that the director has decided about, without asking it again. */
import type { Instant } from "../base/clock.ts";
import type { ConnectionTable } from "./connections/connection-table.ts";

/** What went by without the director, of one destination, since it was last told. */
export type OffloadedTraffic = (
  destinationId: number,
  inPackets: number,
  inBytes: number,
  outPackets: number,
  outBytes: number,
) => void;

export interface Offload {
  /** When it last forwarded a packet of the connection; negative infinity when it never did. */
  lastSeen(connections: ConnectionTable, id: number): Instant;
  /** The connection ends, or each of its packets may change something: all of them are to meet the director. */
  release(connections: ConnectionTable, id: number): void;
  /** Tells what went by, each packet once. */
  collect(told: OffloadedTraffic): void;
  /** What was decided may no longer hold: every connection's next packet is to meet the director. */
  invalidate(): void;
}
