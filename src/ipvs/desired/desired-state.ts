/**
 * What an operator wants, whole, and the commands that change it: pure functions from one state to the next.
 *
 * Each command either returns the complete next state or throws an LbError and leaves the given one as it was, so
 * nothing can be half applied. Unchanged services are the same objects in both states, so that a diff by identity is
 * cheap (service-changes.ts). Semantics as ip_vs_ctl.c: add never updates, edit replaces the whole record.
 */
import type { Address } from "../../net/address.ts";
import { SCHEDULERS } from "../schedulers/index.ts";
import { type Fault, LbError } from "./errors.ts";
import { checkRange, checkRangesApart } from "./port-range.ts";
import {
  DEFAULT_TIMEOUTS,
  type DestinationPlan,
  type Endpoint,
  familyOf,
  formatEndpoint,
  formatServiceKey,
  type ServiceKey,
  type ServicePlan,
  type Timeouts,
} from "./service.ts";
import { ServiceMap } from "./service-map.ts";
import { DEFAULT_SYSCTLS, type Sysctls } from "./sysctls.ts";
import { NO_VIPS, type VipPlans } from "./vip.ts";

export interface DesiredState {
  /** By formatServiceKey, in the order in which they were added. */
  readonly services: ReadonlyMap<string, ServicePlan>;
  readonly timeouts: Timeouts;
  readonly sysctls: Sysctls;
  readonly vips: VipPlans;
}

/** A service's own record, as add and edit give it. */
export type ServiceSpec = Omit<ServicePlan, "destinations" | "revision">;

/** A destination's record, as add and edit give it. */
export type DestinationSpec = Omit<DestinationPlan, "revision">;

const NO_SERVICES = ServiceMap.of(new Map());

export const EMPTY_STATE: DesiredState = {
  services: NO_SERVICES,
  timeouts: DEFAULT_TIMEOUTS,
  sysctls: DEFAULT_SYSCTLS,
  vips: NO_VIPS,
};

const WEIGHT_MAX = 0x7fff_ffff;

export function addService(state: DesiredState, spec: ServiceSpec): DesiredState {
  if (state.services.has(formatServiceKey(spec.key))) {
    throw new LbError({ code: "service-exists", service: spec.key });
  }
  checkService(spec);
  return withRange(state, { ...spec, destinations: [], revision: 0 });
}

/** A service with destinations, as the commands that add them one after the other would make it of nothing. */
export function planOf(spec: ServiceSpec, destinations: readonly DestinationSpec[]): ServicePlan {
  checkService(spec);
  const known = new Set<string>();
  const plans = destinations.map((destination) => {
    checkNewDestination(spec.key, destination, (text) => known.has(text));
    known.add(formatEndpoint(destination.endpoint));
    return { ...destination, revision: 0 };
  });
  return { ...spec, destinations: plans, revision: 0 };
}

/** Replaces the service's record and keeps its destinations; its health and range, too, where the record has no word of them. */
export function editService(state: DesiredState, spec: ServiceSpec): DesiredState {
  const before = serviceOf(state, spec.key, "no-such-service");
  checkService(spec);
  const { destinations, revision, health, range } = before;
  const kept = {
    ...(health === undefined ? {} : { health }),
    ...(range === undefined ? {} : { range }),
  };
  return withRange(state, { ...kept, ...spec, destinations, revision: revision + 1 });
}

export function deleteService(state: DesiredState, key: ServiceKey): DesiredState {
  serviceOf(state, key, "no-such-service");
  return { ...state, services: ServiceMap.of(state.services).without(formatServiceKey(key)) };
}

export function addDestination(
  state: DesiredState,
  key: ServiceKey,
  spec: DestinationSpec,
): DesiredState {
  const service = serviceOf(state, key, "service-not-defined");
  checkNewDestination(key, spec, (text) => indexOf(service, text) >= 0);
  const destinations = [...service.destinations, { ...spec, revision: 0 }];
  return withService(state, { ...service, destinations });
}

/** Replaces the destination's record; its connections and its place in the list stay. */
export function editDestination(
  state: DesiredState,
  key: ServiceKey,
  spec: DestinationSpec,
): DesiredState {
  const service = serviceOf(state, key, "service-not-defined");
  checkDestination(key, spec);
  const index = destinationIndex(service, spec.endpoint);
  const revision = service.destinations[index]!.revision + 1;
  const destinations = service.destinations.with(index, { ...spec, revision });
  return withService(state, { ...service, destinations });
}

export function deleteDestination(
  state: DesiredState,
  key: ServiceKey,
  at: Endpoint,
): DesiredState {
  const service = serviceOf(state, key, "service-not-defined");
  const destinations = service.destinations.toSpliced(destinationIndex(service, at), 1);
  return withService(state, { ...service, destinations });
}

/**
 * Adds those destinations that are not there and edits the others, as addDestination() and editDestination() would one by
 * one, which would look through all for each of ten thousand.
 */
export function putDestinations(
  state: DesiredState,
  key: ServiceKey,
  specs: readonly DestinationSpec[],
): DesiredState {
  const service = serviceOf(state, key, "service-not-defined");
  const destinations = [...service.destinations];
  const places = new Map(
    destinations.map(({ endpoint }, place) => [formatEndpoint(endpoint), place]),
  );
  for (const spec of specs) {
    const text = formatEndpoint(spec.endpoint);
    const place = places.get(text);
    if (place === undefined) {
      checkNewDestination(key, spec, () => false);
      places.set(text, destinations.push({ ...spec, revision: 0 }) - 1);
    } else {
      checkDestination(key, spec);
      destinations[place] = { ...spec, revision: destinations[place]!.revision + 1 };
    }
  }
  return withService(state, { ...service, destinations });
}

/** Removes all that `isLeaving`, at one go. */
export function deleteDestinations(
  state: DesiredState,
  key: ServiceKey,
  isLeaving: (destination: DestinationPlan) => boolean,
): DesiredState {
  const service = serviceOf(state, key, "service-not-defined");
  const destinations = service.destinations.filter((each) => !isLeaving(each));
  return withService(state, { ...service, destinations });
}

/** Removes every service; all else stays. */
export function flush(state: DesiredState): DesiredState {
  return { ...state, services: NO_SERVICES };
}

/** Sets the timeouts, in seconds; 0 keeps the one in force. */
export function setTimeouts(state: DesiredState, wanted: Timeouts): DesiredState {
  const { tcp, tcpFin, udp } = state.timeouts;
  return {
    ...state,
    timeouts: {
      tcp: wanted.tcp || tcp,
      tcpFin: wanted.tcpFin || tcpFin,
      udp: wanted.udp || udp,
    },
  };
}

/** One that may have a range, which no other has. */
function withRange(state: DesiredState, service: ServicePlan): DesiredState {
  const next = withService(state, service);
  if (service.range !== undefined) checkRangesApart(next.services.values());
  return next;
}

function withService(state: DesiredState, service: ServicePlan): DesiredState {
  return {
    ...state,
    services: ServiceMap.of(state.services).with(formatServiceKey(service.key), service),
  };
}

function serviceOf(
  state: DesiredState,
  key: ServiceKey,
  code: "no-such-service" | "service-not-defined",
): ServicePlan {
  const service = state.services.get(formatServiceKey(key));
  if (service === undefined) throw new LbError({ code, service: key });
  return service;
}

function indexOf(service: ServicePlan, text: string): number {
  return service.destinations.findIndex(({ endpoint }) => formatEndpoint(endpoint) === text);
}

function destinationIndex(service: ServicePlan, at: Endpoint): number {
  const index = indexOf(service, formatEndpoint(at));
  if (index < 0) throw new LbError({ code: "no-such-destination", service: service.key, at });
  return index;
}

function checkService(spec: ServiceSpec): void {
  const service = spec.key;
  if (!Object.hasOwn(SCHEDULERS, spec.scheduler)) {
    throw new LbError({ code: "no-such-scheduler", service, name: spec.scheduler });
  }
  checkRange(spec);
  if (spec.persistence === undefined) return;
  const { netmask } = spec.persistence;
  if (familyOf(service) === "inet6" && (netmask < 1 || netmask > 128)) {
    throw invalid(service, `IPv6 prefix length ${netmask} is not in 1 to 128`);
  }
}

/** In the kernel's order. `isKnown` says whether a destination of this text is there. */
function checkNewDestination(
  service: ServiceKey,
  spec: DestinationSpec,
  isKnown: (text: string) => boolean,
): void {
  checkDestination(service, spec);
  if (isKnown(formatEndpoint(spec.endpoint))) {
    throw new LbError({ code: "destination-exists", service, at: spec.endpoint });
  }
  checkAddress(service, spec.endpoint.address);
}

/** What add and edit check alike, before they look whether the destination is there. */
function checkDestination(service: ServiceKey, spec: DestinationSpec): void {
  const { endpoint, weight, upperThreshold, lowerThreshold } = spec;
  if (!Number.isInteger(weight) || weight < 0 || weight > WEIGHT_MAX) {
    throw new LbError({ code: "weight-out-of-range", service, at: endpoint, weight });
  }
  if (lowerThreshold > upperThreshold) {
    throw new LbError({
      code: "threshold-out-of-range",
      service,
      at: endpoint,
      lower: lowerThreshold,
      upper: upperThreshold,
    });
  }
  if (endpoint.address.family !== familyOf(service) && spec.forwarding.kind !== "tunnel") {
    throw invalid(
      service,
      `${endpoint.address} is of the other address family: only tunnels may be`,
    );
  }
}

/** Add alone, and last: ip_vs_new_dest(). */
function checkAddress(service: ServiceKey, address: Address): void {
  if (!address.isUnicast) throw invalid(service, `${address} is not a unicast address`);
  if (address.family === "inet6" && address.isLinkLocal) {
    throw invalid(service, `${address} is a link-local address: it names no interface`);
  }
}

function invalid(service: ServiceKey, why: string): LbError {
  return new LbError({ code: "invalid", service, why } satisfies Fault);
}
