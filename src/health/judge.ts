/**
 * What becomes of services by what probes find: pure functions, with time handed in.
 *
 * From the inside out: one probe's results in a row make a standing; the standings of a destination's checks make it up or
 * down, unless it flaps; those of a service's destinations make its quorum, and what the engine is to do.
 */
import type {
  CheckPlan,
  Flapping,
  OnFailure,
  ServiceHealth,
  SorryServer,
} from "../ipvs/desired/health.ts";

/** Milliseconds of some clock that never goes back. */
type Milliseconds = number;

/** What is held true of what one check asks. */
export interface Standing {
  readonly up: boolean;
  /** False before there was a result that settled it: then `up` is what it is held to be at the start. */
  readonly isKnown: boolean;
  /** Results in a row that say otherwise. */
  readonly against: number;
  /** Results that it is down since it is: each makes the next interval longer. */
  readonly downs: number;
}

export function standingAtStart({ start }: Pick<CheckPlan, "start">): Standing {
  return { up: start === "up", isKnown: false, against: 0, downs: 0 };
}

/** One success brings it up: it is only remembered to have been down (docs/decisions/0014). */
export function rememberedDown({ rise }: Pick<CheckPlan, "rise">): Standing {
  return { up: false, isKnown: false, against: rise - 1, downs: 0 };
}

export function afterResult(
  { up, isKnown, against, downs }: Standing,
  isUp: boolean,
  { rise, fall }: Pick<CheckPlan, "rise" | "fall">,
): Standing {
  if (isUp === up) return { up, isKnown: true, against: 0, downs: up ? 0 : downs + 1 };
  if (against + 1 < (up ? fall : rise)) return { up, isKnown, against: against + 1, downs };
  return { up: isUp, isKnown: true, against: 0, downs: isUp ? 0 : 1 };
}

/** From the beginning of one probe to that of the next. `chance` is from 0 to 1. */
export function delayAfter(
  { up, against, downs }: Standing,
  plan: Pick<CheckPlan, "intervalMs" | "jitterMs" | "retryMs" | "backoffMs">,
  chance: number,
): Milliseconds {
  if (against > 0) return plan.retryMs;
  const doublings = up ? 0 : Math.min(Math.max(0, downs - 1), 30);
  const interval = Math.min(
    plan.intervalMs * 2 ** doublings,
    Math.max(plan.intervalMs, plan.backoffMs),
  );
  return Math.max(1, interval + (chance * 2 - 1) * plan.jitterMs);
}

/** A check's standing with what its last result said. */
export interface Report extends Standing {
  readonly why: string;
  readonly weight?: number | undefined;
}

/** What its checks say of one destination together. */
export interface Finding {
  readonly up: boolean;
  readonly isKnown: boolean;
  readonly why: string;
  /** What checks add to its weight, or take from it: each says what the whole should be. */
  readonly weights: readonly number[];
}

/** Up when all are. Known when one is known to be down, or all are known to be up. */
export function findingOf(reports: readonly Report[]): Finding {
  const down = reports.find(({ up, isKnown }) => !up && isKnown) ?? reports.find(({ up }) => !up);
  const weights = reports.flatMap(({ weight }) => weight ?? []);
  if (down !== undefined) return { up: false, isKnown: down.isKnown, why: down.why, weights };
  return {
    up: true,
    isKnown: reports.every(({ isKnown }) => isKnown),
    why: reports.find(({ isKnown }) => !isKnown)?.why ?? reports.at(-1)?.why ?? "not checked",
    weights,
  };
}

/**
 * What checks make of a weight. check_misc.c's misc_check_child_thread() and update_svr_wgt(): each check's difference to
 * the configured weight is added to it. A destination that was given 0 by hand gets nothing.
 */
export function dynamicWeight(configured: number, weights: readonly number[]): number {
  if (configured === 0) return 0;
  return Math.max(
    0,
    weights.reduce((sum, weight) => sum + weight - configured, configured),
  );
}

/** What is kept of a destination from one decision to the next. */
export interface DestinationStanding {
  /** As its checks say, and it is not held down. */
  readonly up: boolean;
  readonly isKnown: boolean;
  readonly why: string;
  readonly since: Milliseconds;
  /** When it came up after it was down; undefined: it is long up, or was never seen otherwise. */
  readonly cameUp: Milliseconds | undefined;
  /** When it went down, of late. */
  readonly wentDown: readonly Milliseconds[];
  /** It stays down until then, for it flaps. */
  readonly heldUntil: Milliseconds | undefined;
  readonly weights: readonly number[];
}

export function destinationAfter(
  before: DestinationStanding | undefined,
  finding: Finding,
  flapping: Flapping | undefined,
  now: Milliseconds,
): DestinationStanding {
  const { isKnown, weights } = finding;
  if (before === undefined) {
    const { up, why } = finding;
    const rest = { cameUp: undefined, wentDown: [], heldUntil: undefined };
    return { up, isKnown, why, weights, since: now, ...rest };
  }
  const goesDown = before.up && !finding.up;
  const wentDown =
    flapping === undefined
      ? []
      : [...before.wentDown, ...(goesDown ? [now] : [])].filter(
          (moment) => moment > now - flapping.withinMs,
        );
  const begins = flapping !== undefined && goesDown && wentDown.length >= flapping.changes;
  const until = begins ? now + flapping.holdMs : before.heldUntil;
  const heldUntil =
    flapping === undefined || until === undefined || until <= now ? undefined : until;
  const up = finding.up && heldUntil === undefined;
  const why =
    finding.up && heldUntil !== undefined
      ? `went down ${before.wentDown.length} times of late: held down`
      : finding.why;
  const isSame = up === before.up;
  return {
    up,
    isKnown,
    why,
    weights,
    since: isSame ? before.since : now,
    cameUp: isSame ? (up ? before.cameUp : undefined) : up ? now : undefined,
    // Those that led to being held stay until it is over: its reason counts them.
    wentDown: heldUntil === undefined || begins ? wentDown : before.wentDown,
    heldUntil,
  };
}

const RAMP_STEPS = 10;

/** A weight on its way from a tenth to the whole, in ten steps: each is an edit that the engine has to do. */
export function rampedWeight(
  weight: number,
  cameUp: Milliseconds | undefined,
  slowStartMs: Milliseconds,
  now: Milliseconds,
): number {
  if (cameUp === undefined || slowStartMs === 0 || now - cameUp >= slowStartMs) return weight;
  const step = Math.floor(((now - cameUp) * RAMP_STEPS) / slowStartMs) + 1;
  return Math.ceil((weight * step) / RAMP_STEPS);
}

/** When time alone will change what was decided; undefined: never. */
export function nextMoment(
  standings: Iterable<DestinationStanding>,
  slowStartMs: Milliseconds,
  now: Milliseconds,
): Milliseconds | undefined {
  let next: Milliseconds | undefined;
  const consider = (moment: Milliseconds): void => {
    if (moment > now && (next === undefined || moment < next)) next = moment;
  };
  for (const { up, cameUp, heldUntil } of standings) {
    if (heldUntil !== undefined) consider(heldUntil);
    if (!up || cameUp === undefined || slowStartMs === 0 || now - cameUp >= slowStartMs) continue;
    const stepMs = slowStartMs / RAMP_STEPS;
    consider(cameUp + (Math.floor((now - cameUp) / stepMs) + 1) * stepMs);
  }
  return next;
}

/** One destination as a decision sees it. */
export interface Candidate {
  /** What the operator gave it. */
  readonly weight: number;
  readonly onFailure: OnFailure;
  /** Undefined: nobody checks it, it is always up. */
  readonly standing: DestinationStanding | undefined;
}

export interface Decision {
  /** For each candidate its weight; undefined: it goes from the service. */
  readonly weights: readonly (number | undefined)[];
  /** The sorry server's weight; undefined: it does not stand. */
  readonly sorryWeight: number | undefined;
  readonly hasQuorum: boolean;
  /** So few are up that all are kept. */
  readonly isPanic: boolean;
  /** The sum that the quorum is about. */
  readonly sum: number;
}

type Rules = Pick<ServiceHealth, "quorum" | "hysteresis" | "slowStartMs" | "panicPercent"> & {
  readonly sorry: Pick<SorryServer, "weight" | "isStanding"> | undefined;
};

/** `hadQuorum`: as the decision before this one said; true before the first. */
export function decide(
  rules: Rules,
  candidates: readonly Candidate[],
  hadQuorum: boolean,
  now: Milliseconds,
): Decision {
  const { sorry, panicPercent, slowStartMs } = rules;
  const full = candidates.map(({ weight, standing }) =>
    dynamicWeight(weight, standing?.weights ?? []),
  );
  const isUp = candidates.map(({ standing }) => standing?.up ?? true);
  const sum = full.reduce((total, weight, index) => total + (isUp[index] ? weight : 0), 0);
  const hasQuorum = quorumAfter(rules, sum, hadQuorum);
  const ups = isUp.filter((up) => up).length;
  const isPanic =
    panicPercent > 0 && candidates.length > 0 && ups * 100 < candidates.length * panicPercent;
  if (isPanic) {
    const weights = candidates.map(({ weight }) => weight);
    return { weights, sorryWeight: undefined, hasQuorum, isPanic, sum };
  }
  const isSorry = sorry !== undefined && !hasQuorum;
  const weights = candidates.map(({ standing, onFailure }, index) => {
    if (!isUp[index]) return onFailure === "inhibit" ? 0 : undefined;
    // Those that are up go while somebody else is sorry: ipwrapper.c, perform_quorum_state().
    if (isSorry) return undefined;
    return rampedWeight(full[index]!, standing?.cameUp, slowStartMs, now);
  });
  return { weights, sorryWeight: sorryWeightOf(sorry, isSorry), hasQuorum, isPanic, sum };
}

/** ipwrapper.c, update_quorum_state(): gained from quorum + hysteresis on; lost below quorum - hysteresis, and at 0. */
function quorumAfter(
  { quorum, hysteresis }: Pick<Rules, "quorum" | "hysteresis">,
  sum: number,
  hadQuorum: boolean,
): boolean {
  return hadQuorum ? sum > 0 && sum >= quorum - hysteresis : sum >= quorum + hysteresis;
}

function sorryWeightOf(sorry: Rules["sorry"], isSorry: boolean): number | undefined {
  if (isSorry) return sorry!.weight;
  return sorry?.isStanding ? 0 : undefined;
}
