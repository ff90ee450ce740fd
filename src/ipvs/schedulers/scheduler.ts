/**
 * What every scheduler is.
 *
 * The kernel's struct ip_vs_scheduler (include/net/ip_vs.h) with its hooks: init_service is the factory,
 * add_dest, del_dest and upd_dest are `changed`, schedule is `pick`.
 */
import type { Prng } from "../../base/prng.ts";
import type { Address } from "../../net/address.ts";
import type { Sysctls } from "../desired/sysctls.ts";

/** A destination as a scheduler sees it: live numbers that change between two picks. */
export interface Candidate {
  readonly address: Address;
  readonly port: number;
  readonly weight: number;
  /** The last weight that was not 0: what mh fills its table by, so that draining reshuffles nothing. */
  readonly lastWeight: number;
  readonly activeConnections: number;
  readonly inactiveConnections: number;
  /** Reached its upper threshold and did not yet fall below the lower. */
  readonly isOverloaded: boolean;
  /** Still configured: a cache (lblc, lblcr) may hold one that was removed. */
  readonly isAvailable: boolean;
}

/**
 * The packet that opens a connection. One object is reused for all packets: keep numbers, not it.
 * `…Fold` is the address as one signed 32-bit number: an IPv4 address itself, an IPv6 address's four words XORed
 * (as ip_vs_fold or each scheduler's hashkey does).
 */
export interface Request {
  readonly clientFold: number;
  readonly clientPort: number;
  /** The packet's destination address: the VIP, or for a firewall mark whatever address was marked. */
  readonly destinationFold: number;
  /** The same address whole and as text, a key for caches (lblc, lblcr). */
  readonly destinationText: string;
  /** Milliseconds. */
  readonly now: number;
}

/** How long caches keep what nobody asks for, in seconds. */
export type SchedulerSysctls = Pick<Sysctls, "lblc_expiration" | "lblcr_expiration">;

export interface SchedulerOptions {
  /** SCHEDULER_FLAG.fallback: try other slots when the chosen destination is not available (sh, mh). */
  readonly fallback: boolean;
  /** SCHEDULER_FLAG.port: hash the client's port too (sh, mh). */
  readonly port: boolean;
  readonly prng: Prng;
  /** Asked whenever they are needed: they may change at any time. */
  readonly sysctls: () => SchedulerSysctls;
}

/**
 * Chooses where a new connection goes.
 *
 * `candidates` is always the service's whole list, newest first, weight 0 and overloaded ones included. A destination
 * is one object from its addition to its removal, whatever edits change in it, and the same object again when the
 * trash revives it. `pick` returns one of them, never a copy, or undefined when none may take the connection. It may
 * keep state (round robin must) but does no I/O and knows no clock.
 */
export interface Scheduler<Kind extends Candidate = Candidate> {
  pick(request: Request, candidates: readonly Kind[]): Kind | undefined;
  /**
   * Once when bound, before the first pick; then after every single destination that was added, removed or edited,
   * also when the edit changed no value. `which` is that destination; `candidates` is the list as it is now.
   */
  changed?(event: SchedulerEvent, candidates: readonly Kind[], which: Kind | undefined): void;
  /** Housekeeping of caches; called about once a second, does bounded work. `now` in milliseconds. */
  tick?(now: number): void;
  /**
   * The same scheduler in the same state, with `counterpart(each)` in each candidate's place. Only those have it that
   * remember what they picked, undefined of others: those do with one that was bound and had each candidate added.
   */
  copy?<Other extends Candidate>(counterpart: (of: Kind) => Other): Scheduler<Other> | undefined;
  /** Whose turn it is; of those that take turns. */
  readonly turn?: Turn;
  /** After it was bound: goes on where another of its kind stood. */
  resume?(turn: Turn, candidates: readonly Kind[]): void;
  /** How many picks a full cache could not remember: each such connection is scheduled by load alone. */
  readonly uncached?: number;
}

export interface Turn {
  /** The last one picked; -1 stands for the list's head, before the first. */
  readonly position: number;
  /** wrr's; twos's is where chance has got to; 0 of others. */
  readonly level: number;
}

export type SchedulerEvent = "bound" | "added" | "removed" | "edited";

export type SchedulerFactory = <Kind extends Candidate>(
  options: SchedulerOptions,
) => Scheduler<Kind>;

/** Whether it may take a new connection. */
export function isEligible(candidate: Candidate): boolean {
  return candidate.weight > 0 && !candidate.isOverloaded && candidate.isAvailable;
}
