/**
 * Schedulers as the programs have them: by what destinations are compared (RULE_… in bpf/abi/). The least load for its weight
 * is picked, the first of a tie; what each scheduler means is said in src/ipvs/schedulers.
 */
import { SCHEDULER_FLAG } from "../../ipvs/desired/service.ts";
import type { SchedulerName } from "../../ipvs/schedulers/index.ts";

/** RULE_… in bpf/abi/. */
const RULE = {
  overhead: 1,
  delay: 2,
  idleFirst: 4,
  byWeight: 8,
  overflows: 16,
  inTurn: 32,
  drawn: 64,
} as const;

/** Whether it matters how many connections somebody has, as long as he is not overloaded. */
export function countsDecide(rules: number): boolean {
  return (rules & (RULE.overhead | RULE.delay | RULE.overflows)) !== 0;
}

/** HASH_… in bpf/abi/. */
const HASH = { client: 1, destination: 2, port: 4, fallback: 8, maglev: 16 } as const;

/** By what a packet decides itself who gets its connection; 0 of those that compare loads. */
export function hashOf(name: SchedulerName, flags: number): number {
  if (name === "dh") return HASH.destination;
  if (name !== "sh" && name !== "mh") return 0;
  const port = (flags & SCHEDULER_FLAG.port) === 0 ? 0 : HASH.port;
  const rule = name === "mh" ? HASH.maglev : 0;
  return HASH.client | rule | port | ((flags & SCHEDULER_FLAG.fallback) === 0 ? 0 : HASH.fallback);
}

/** Sums of RULE's bits; undefined where the programs do not know the scheduler. */
// biome-ignore format: a table
export const RULES: Readonly<Partial<Record<SchedulerName, number>>> = {
  // Who is next among those whose weight reaches a level, 1 of rr; so the heaviest wins.
  rr:  RULE.inTurn | RULE.byWeight,
  wrr: RULE.inTurn | RULE.byWeight,
  lc:  RULE.overhead,
  wlc: RULE.overhead | RULE.byWeight,
  sed: RULE.delay | RULE.byWeight,
  nq:  RULE.delay | RULE.byWeight | RULE.idleFirst,
  fo:  RULE.byWeight,
  ovf: RULE.byWeight | RULE.overflows,
  twos: RULE.drawn,
  // What their slots are, and which one is taken, compares nothing.
  sh:  0,
  dh:  0,
  mh:  0,
};
