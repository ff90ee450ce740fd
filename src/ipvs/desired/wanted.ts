/**
 * A whole set of services as an operator declares it, and the way from the state in force to it: through the same commands
 * that an operator gives one by one, so that nothing gets in that they would refuse.
 *
 * What is the same in both stays the same object: an edit would begin its scheduler anew.
 */
import {
  addDestination,
  addService,
  type DesiredState,
  type DestinationSpec,
  deleteDestination,
  EMPTY_STATE,
  editDestination,
  editService,
  type ServiceSpec,
  setTimeouts,
} from "./desired-state.ts";
import { LbError } from "./errors.ts";
import { isSameHealth } from "./health.ts";
import {
  type DestinationPlan,
  formatEndpoint,
  formatForwarding,
  formatServiceKey,
  type ServicePlan,
  type Timeouts,
} from "./service.ts";
import { ServiceMap } from "./service-map.ts";
import { type SysctlValues, setSysctls } from "./set-sysctl.ts";

export interface WantedDestination extends Omit<DestinationSpec, "weight"> {
  /** Undefined: the weight that it has, somebody may have set it by hand; a new one has 1. */
  readonly weight: number | undefined;
}

export interface WantedService {
  readonly spec: ServiceSpec;
  readonly destinations: readonly WantedDestination[];
}

export interface WantedState {
  readonly services: readonly WantedService[];
  /** In seconds; what is not named stays as it is. */
  readonly timeouts: Partial<Timeouts>;
  /** What is not named stays as it is. */
  readonly sysctls: SysctlValues;
  /** Whether services stay that are not among these. A service's destinations are always those of its list. */
  readonly keepsOthers: boolean;
  /** For how long what is no longer wanted is drained before it goes; undefined: it goes at once. */
  readonly drainSeconds?: number | undefined;
}

/** What a destination weighs that comes without a weight, as with ipvsadm. */
const WEIGHT_DEFAULT = 1;

/** The next state, at one go. Throws LbError to refuse. */
export function reconcile(state: DesiredState, wanted: WantedState): DesiredState {
  const steps = reconciling(state, wanted);
  let step = steps.next();
  while (!step.done) step = steps.next();
  return step.value;
}

/** As reconcile(), with a pause offered after each service. */
export function* reconciling(
  state: DesiredState,
  wanted: WantedState,
): Generator<undefined, DesiredState> {
  const kept = new Map<string, ServicePlan>(wanted.keepsOthers ? state.services : []);
  const named = new Map<string, ServicePlan>();
  for (const service of wanted.services) {
    const keyText = formatServiceKey(service.spec.key);
    if (named.has(keyText)) {
      throw new LbError({ code: "service-exists", service: service.spec.key });
    }
    named.set(keyText, reconcileService(state.services.get(keyText), service));
    yield;
  }
  // Those that stand keep their places: a service whose place changes would go and come.
  const services = new Map<string, ServicePlan>();
  for (const keyText of state.services.keys()) {
    const plan = named.get(keyText) ?? kept.get(keyText);
    if (plan !== undefined) services.set(keyText, plan);
  }
  for (const [keyText, plan] of named) services.set(keyText, plan);
  const isSame =
    services.size === state.services.size &&
    [...services].every(([keyText, plan]) => state.services.get(keyText) === plan);
  const next = isSame ? state : { ...state, services: ServiceMap.of(services) };
  return withSettings(next, wanted);
}

function withSettings(state: DesiredState, wanted: WantedState): DesiredState {
  const { timeouts } = setTimeouts(state, { tcp: 0, tcpFin: 0, udp: 0, ...wanted.timeouts });
  const { sysctls } = setSysctls(state, wanted.sysctls);
  const isSame = isEqual({ ...timeouts }, { ...state.timeouts }) && isEqual(sysctls, state.sysctls);
  return isSame ? state : { ...state, timeouts, sysctls };
}

/** The plan of one service, which may be there before. */
export function reconcileService(
  before: ServicePlan | undefined,
  { spec, destinations }: WantedService,
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
  for (const [at, { endpoint }] of known) {
    if (!named.has(at)) state = deleteDestination(state, key, endpoint);
  }
  for (const wanted of destinations) {
    const there = known.get(formatEndpoint(wanted.endpoint));
    const destination = { ...wanted, weight: wanted.weight ?? there?.weight ?? WEIGHT_DEFAULT };
    if (there === undefined) state = addDestination(state, key, destination);
    else if (!isSameDestination(there, destination)) {
      state = editDestination(state, key, destination);
    }
  }
  const plan = state.services.get(keyText)!;
  // Other checks are no edit: the scheduler goes on.
  return isSameHealth(plan.health, spec.health) ? plan : { ...plan, health: spec.health };
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
