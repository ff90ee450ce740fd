/**
 * A whole set of services as an operator declares it, and the way from the state in force to it: through the same commands
 * that an operator gives one by one, so that nothing gets in that they would refuse.
 *
 * What is the same in both stays the same object: an edit would begin its scheduler anew.
 */
import {
  addService,
  type DesiredState,
  type DestinationSpec,
  deleteDestinations,
  EMPTY_STATE,
  editService,
  putDestinations,
  type ServiceSpec,
  setTimeouts,
} from "./desired-state.ts";
import { drainDestination } from "./drain.ts";
import { LbError } from "./errors.ts";
import { isSameHealth } from "./health.ts";
import { checkRangesApart, isSameRange } from "./port-range.ts";
import {
  type DestinationPlan,
  type Drain,
  formatEndpoint,
  formatForwarding,
  formatServiceKey,
  type ServiceKey,
  type ServicePlan,
  type Timeouts,
} from "./service.ts";
import { ServiceMap } from "./service-map.ts";
import { type SysctlValues, setSysctls } from "./set-sysctl.ts";
import { type VipPlan, withVips } from "./vip.ts";

export interface WantedDestination extends Omit<DestinationSpec, "weight" | "drain"> {
  /** Undefined: the weight that it has, somebody may have set it by hand; a new one has 1. */
  readonly weight: number | undefined;
}

export interface WantedService {
  readonly spec: ServiceSpec;
  readonly destinations: readonly WantedDestination[];
}

/** The file that says what is wanted, all of it. */
export interface WantedFile {
  readonly source: string;
  /** What becomes of what other hands change. */
  readonly drift: "keep" | "reconcile";
  /** What it calls services, by formatServiceKey(). */
  readonly names: ReadonlyMap<string, string>;
}

export interface WantedState {
  /** Undefined: somebody wants it without a file, or wants a part. */
  readonly file?: WantedFile | undefined;
  readonly services: readonly WantedService[];
  /** In seconds; what is not named stays as it is. */
  readonly timeouts: Partial<Timeouts>;
  /** What is not named stays as it is. */
  readonly sysctls: SysctlValues;
  /** Undefined: they stay as they are. */
  readonly vips?: readonly VipPlan[] | undefined;
  /** Whether services and VIPs stay that are not among these. A service's destinations are always those of its list. */
  readonly keepsOthers: boolean;
  /** For how long what is no longer wanted is drained before it goes; undefined: it goes at once. */
  readonly drainSeconds?: number | undefined;
}

/** What a destination weighs that comes without a weight, as with ipvsadm. */
const WEIGHT_DEFAULT = 1;

/** The next state, at one go; `now` in milliseconds since 1970, for drains to begin. Throws LbError to refuse. */
export function reconcile(state: DesiredState, wanted: WantedState, now = 0): DesiredState {
  const steps = reconciling(state, wanted, now);
  let step = steps.next();
  while (!step.done) step = steps.next();
  return step.value;
}

/** As reconcile(), with a pause offered after each service. */
export function* reconciling(
  state: DesiredState,
  wanted: WantedState,
  now: number,
): Generator<undefined, DesiredState> {
  const leaving = leavingOf(wanted, now);
  const kept = new Map<string, ServicePlan>(wanted.keepsOthers ? state.services : []);
  const named = new Map<string, ServicePlan>();
  for (const service of wanted.services) {
    const keyText = formatServiceKey(service.spec.key);
    if (named.has(keyText)) {
      throw new LbError({ code: "service-exists", service: service.spec.key });
    }
    named.set(keyText, reconcileService(state.services.get(keyText), service, leaving));
    yield;
  }
  // Those that stand keep their places: a service whose place changes would go and come.
  const services = new Map<string, ServicePlan>();
  for (const [keyText, before] of state.services) {
    const plan = named.get(keyText) ?? kept.get(keyText) ?? leavingService(before, leaving);
    if (plan !== undefined) services.set(keyText, plan);
  }
  for (const [keyText, plan] of named) services.set(keyText, plan);
  checkRangesApart(services.values());
  const isSame =
    services.size === state.services.size &&
    [...services].every(([keyText, plan]) => state.services.get(keyText) === plan);
  const next = isSame ? state : { ...state, services: ServiceMap.of(services) };
  return withSettings(next, wanted);
}

function withSettings(state: DesiredState, wanted: WantedState): DesiredState {
  const { timeouts } = setTimeouts(state, { tcp: 0, tcpFin: 0, udp: 0, ...wanted.timeouts });
  const { sysctls } = setSysctls(state, wanted.sysctls);
  const vips =
    wanted.vips === undefined ? state.vips : withVips(state.vips, wanted.vips, wanted.keepsOthers);
  const isSame =
    isEqual({ ...timeouts }, { ...state.timeouts }) &&
    isEqual(sysctls, state.sysctls) &&
    vips === state.vips;
  return isSame ? state : { ...state, timeouts, sysctls, vips };
}

/** How a server that is no longer wanted is drained; undefined: it goes at once. */
type Leaving = Omit<Drain, "weight" | "isOver" | "afterwards"> | undefined;

function leavingOf({ drainSeconds }: WantedState, since: number): Leaving {
  if (drainSeconds === undefined) return undefined;
  return { since, timeoutSeconds: drainSeconds, cause: "file", isForced: false };
}

/** What stands for a service that is no longer wanted until its servers are drained: undefined when it goes at once. */
function leavingService(before: ServicePlan, leaving: Leaving): ServicePlan | undefined {
  if (leaving === undefined || before.destinations.length === 0) return undefined;
  const keyText = formatServiceKey(before.key);
  let state: DesiredState = { ...EMPTY_STATE, services: new Map([[keyText, before]]) };
  state = letGo(state, before.key, before.destinations, leaving, "remove-service");
  return state.services.get(keyText)!;
}

/** Servers that are no longer wanted go, at once or when they are drained: one that leaves already goes on leaving. */
function letGo(
  state: DesiredState,
  key: ServiceKey,
  destinations: readonly DestinationPlan[],
  leaving: Leaving,
  afterwards: Drain["afterwards"],
): DesiredState {
  if (destinations.length === 0) return state;
  if (leaving === undefined) {
    const leavers = new Set(destinations);
    return deleteDestinations(state, key, (each) => leavers.has(each));
  }
  let next = state;
  for (const { endpoint, drain } of destinations) {
    if (drain?.cause === "file" && drain.afterwards === afterwards) continue;
    const begun = drain?.cause === "file" ? { ...leaving, since: drain.since } : leaving;
    next = drainDestination(next, key, endpoint, { ...begun, afterwards });
  }
  return next;
}

/** The plan of one service, which may be there before. */
export function reconcileService(
  before: ServicePlan | undefined,
  { spec, destinations }: WantedService,
  leaving?: Leaving,
): ServicePlan {
  const { key } = spec;
  const keyText = formatServiceKey(key);
  let state = EMPTY_STATE;
  if (before === undefined) {
    state = addService(state, spec);
  } else {
    state = { ...state, services: new Map([[keyText, before]]) };
    if (!isSameService(before, spec)) state = editService(state, spec);
  }
  const known = new Map<string, DestinationPlan>();
  for (const destination of before?.destinations ?? []) {
    known.set(formatEndpoint(destination.endpoint), destination);
  }
  const named = new Set<string>();
  for (const { endpoint } of destinations) {
    const at = formatEndpoint(endpoint);
    if (named.has(at))
      throw new LbError({ code: "destination-exists", service: key, at: endpoint });
    named.add(at);
  }
  const leavers = [...known].filter(([at]) => !named.has(at)).map(([, destination]) => destination);
  state = letGo(state, key, leavers, leaving, "remove");
  const changed: DestinationSpec[] = [];
  for (const wanted of destinations) {
    const there = known.get(formatEndpoint(wanted.endpoint));
    const destination = destinationSpec(wanted, there);
    if (there === undefined || !isSameDestination(there, destination)) changed.push(destination);
  }
  if (changed.length > 0) state = putDestinations(state, key, changed);
  const plan = state.services.get(keyText)!;
  // Other checks and ports are no edit: the scheduler goes on.
  const isSame = isSameHealth(plan.health, spec.health) && isSameRange(plan.range, spec.range);
  return isSame ? plan : { ...plan, health: spec.health, range: spec.range };
}

/**
 * One that an operator drains goes on so: what it shall weigh, it weighs when the drain is taken back. One that was on its
 * way out is wanted again.
 */
function destinationSpec(
  wanted: WantedDestination,
  there: DestinationPlan | undefined,
): DestinationSpec {
  const drain = there?.drain;
  if (drain === undefined || drain.cause === "file") {
    const weight = wanted.weight ?? drain?.weight ?? there?.weight ?? WEIGHT_DEFAULT;
    return { ...wanted, weight };
  }
  return { ...wanted, weight: 0, drain: { ...drain, weight: wanted.weight ?? drain.weight } };
}

function isSameService(one: ServiceSpec, other: ServiceSpec): boolean {
  return (
    one.scheduler === other.scheduler &&
    one.schedulerFlags === other.schedulerFlags &&
    one.onePacket === other.onePacket &&
    one.persistenceEngine === other.persistenceEngine &&
    one.persistence?.timeoutSeconds === other.persistence?.timeoutSeconds &&
    one.persistence?.netmask === other.persistence?.netmask
  );
}

function isSameDestination(one: DestinationSpec, other: DestinationSpec): boolean {
  return (
    one.weight === other.weight &&
    (one.drain === undefined) === (other.drain === undefined) &&
    one.drain?.weight === other.drain?.weight &&
    one.upperThreshold === other.upperThreshold &&
    one.lowerThreshold === other.lowerThreshold &&
    formatForwarding(one.forwarding) === formatForwarding(other.forwarding)
  );
}

function isEqual(
  one: Readonly<Record<string, number>>,
  other: Readonly<Record<string, number>>,
): boolean {
  return Object.entries(one).every(([name, value]) => other[name] === value);
}
