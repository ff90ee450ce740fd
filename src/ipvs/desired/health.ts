/** What an operator asks of health checks: plain data that goes with a service. src/health finds out and decides. */
import type { DestinationSpec } from "./desired-state.ts";

/** One check, with all defaults in their places. Equal checks of one server are carried out once for all services. */
export interface CheckPlan {
  /** What the file calls it; undefined where it stands with what it checks. */
  readonly name: string | undefined;
  /** health/checks/settings.ts has the kinds. */
  readonly type: string;
  /** As the kind's part of the file's schema has them. */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly intervalMs: number;
  /** An interval is as much longer or shorter at most, by chance. */
  readonly jitterMs: number;
  readonly timeoutMs: number;
  /** Between a result that says otherwise than what is held true, and the next. */
  readonly retryMs: number;
  /** The longest interval while it is down: each is twice the one before. */
  readonly backoffMs: number;
  /** So many results in a row, for what was down to be up; for what was up to be down. */
  readonly rise: number;
  readonly fall: number;
  /** What it is held to be before its first result. */
  readonly start: "up" | "down";
  /** Where to ask, if not the destination itself. */
  readonly address: string | undefined;
  readonly port: number | undefined;
  /**
   * Undefined: the VIP's way where packets come to the server with the VIP (route, tunnel), else straight. An address: that
   * VIP's way, for services of marks, which nobody tells theirs.
   */
  readonly via: "vip" | "direct" | (string & {}) | undefined;
}

/** What becomes of a destination that is down: it goes from the service, or stays with weight 0. */
export type OnFailure = "remove" | "inhibit";

/** What differs for one destination from what its service says of all. */
export interface DestinationHealth {
  readonly checks: readonly CheckPlan[] | undefined;
  readonly onFailure: OnFailure | undefined;
}

/** The server that answers when too few of the others can. */
export interface SorryServer extends DestinationSpec {
  /** Whether it always stands, with weight 0 while it is not needed. */
  readonly isStanding: boolean;
}

export interface Flapping {
  /** Going down so often within so long has it stay down for `holdMs`. */
  readonly changes: number;
  readonly withinMs: number;
  readonly holdMs: number;
}

export interface ServiceHealth {
  /** Of destinations that `destinations` does not tell of, also of those that somebody adds by hand. */
  readonly checks: readonly CheckPlan[];
  /** By formatEndpoint(). */
  readonly destinations: Readonly<Record<string, DestinationHealth>>;
  readonly onFailure: OnFailure;
  /** The sum of weights of those that are up, plus and minus `hysteresis`: gained and lost as keepalived's. */
  readonly quorum: number;
  readonly hysteresis: number;
  readonly sorry: SorryServer | undefined;
  /** For how long a destination that came up gets less than its weight; 0: not. */
  readonly slowStartMs: number;
  /** When less of a hundred destinations are up, all are kept, as if they were; 0: never. */
  readonly panicPercent: number;
  readonly flapping: Flapping | undefined;
}

/** Whether it says the same. Values, not objects, in whichever order: one that was read anew is the same. */
export function isSameHealth(
  one: ServiceHealth | undefined,
  other: ServiceHealth | undefined,
): boolean {
  return one === other || canonical(one) === canonical(other);
}

/** A text that equal values have alike. */
export function canonical(value: unknown): string | undefined {
  return JSON.stringify(value, (_, each: unknown) =>
    typeof each === "object" && each !== null && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : each,
  );
}
