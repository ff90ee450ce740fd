/**
 * Schedulers as the programs have them: by what destinations are compared (struct order in bpf/abi.h). The least load for its
 * weight is picked, the first of a tie; what each scheduler means is said in src/ipvs/schedulers.
 */
import { SCHEDULER_FLAG } from "../../ipvs/desired/service.ts";
import type { SchedulerName } from "../../ipvs/schedulers/index.ts";

/** What a destination's load is made of, that often each. */
export interface Order {
  readonly overhead?: 1;
  readonly delay?: 1;
  /** Of the delay: none, where nothing is active. */
  readonly idleFirst?: 1;
  /** How far it is behind the last one picked. */
  readonly rank?: 1;
  readonly constant?: 1;
  /** Else weights count only as 0 or not. */
  readonly byWeight?: 1;
  /** With more active connections than its weight it takes no more. */
  readonly overflows?: 1;
}

/** HASH_… in bpf/abi.h. */
const HASH = { client: 1, destination: 2, port: 4, fallback: 8, maglev: 16 } as const;

/** By what a packet decides itself who gets its connection; 0 of those that compare loads. */
export function hashOf(name: SchedulerName, flags: number): number {
  if (name === "dh") return HASH.destination;
  if (name !== "sh" && name !== "mh") return 0;
  const port = (flags & SCHEDULER_FLAG.port) === 0 ? 0 : HASH.port;
  const rule = name === "mh" ? HASH.maglev : 0;
  return HASH.client | rule | port | ((flags & SCHEDULER_FLAG.fallback) === 0 ? 0 : HASH.fallback);
}

// biome-ignore format: a table
export const ORDERS: Readonly<Partial<Record<SchedulerName, Order>>> = {
  rr:  { rank: 1 },
  // In rounds, for those whose weight reaches a level.
  wrr: { rank: 1 },
  lc:  { overhead: 1 },
  wlc: { overhead: 1, byWeight: 1 },
  sed: { delay: 1, byWeight: 1 },
  nq:  { delay: 1, byWeight: 1, idleFirst: 1 },
  fo:  { constant: 1, byWeight: 1 },
  ovf: { constant: 1, byWeight: 1, overflows: 1 },
  // What their slots are, and which one is taken, compares nothing.
  sh:  {},
  dh:  {},
  mh:  {},
};
