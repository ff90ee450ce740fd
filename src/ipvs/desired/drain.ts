/**
 * Draining a server: it gets no new connections, those that it has go on, and at the end it goes or stays.
 *
 * As weight 0 says (ip_vs_ctl.c, "quiesce"), and more: persistence templates bring it no new connections either, and what
 * is to come after is kept with it, so that a drain goes on after a restart.
 */
import {
  type DesiredState,
  deleteDestination,
  deleteService,
  editDestination,
} from "./desired-state.ts";
import { LbError } from "./errors.ts";
import {
  type DestinationPlan,
  type Drain,
  type Endpoint,
  formatEndpoint,
  formatServiceKey,
  type ServiceKey,
  type ServicePlan,
} from "./service.ts";

/** A server that is drained, and the service in which it is. */
export interface DrainedServer {
  readonly service: ServiceKey;
  readonly destination: DestinationPlan & { readonly drain: Drain };
}

/** One that is drained already goes on with what is asked for now. */
export function drainDestination(
  state: DesiredState,
  key: ServiceKey,
  at: Endpoint,
  asked: Omit<Drain, "weight" | "isOver">,
): DesiredState {
  const before = destinationOf(state, key, at);
  const weight = before.drain?.weight ?? before.weight;
  const drain = { ...asked, weight, isOver: false };
  return editDestination(state, key, { ...before, weight: 0, drain });
}

/** It gets new connections again, with the weight that it had. */
export function undrainDestination(
  state: DesiredState,
  key: ServiceKey,
  at: Endpoint,
): DesiredState {
  const { drain, ...before } = destinationOf(state, key, at);
  if (drain === undefined) return state;
  return editDestination(state, key, { ...before, weight: drain.weight });
}

/** The drain has ended; nothing happens when somebody began another meanwhile, or took it back. */
export function endDrain(
  state: DesiredState,
  { service, destination }: DrainedServer,
): DesiredState {
  const now = state.services
    .get(formatServiceKey(service))
    ?.destinations.find(
      ({ endpoint }) => formatEndpoint(endpoint) === formatEndpoint(destination.endpoint),
    );
  const { drain } = destination;
  if (now?.drain === undefined || now.drain.since !== drain.since || now.drain.isOver) return state;
  if (now.drain.afterwards !== "keep") {
    const next = deleteDestination(state, service, now.endpoint);
    const isEmpty = next.services.get(formatServiceKey(service))!.destinations.length === 0;
    return isEmpty && now.drain.afterwards === "remove-service"
      ? deleteService(next, service)
      : next;
  }
  return editDestination(state, service, { ...now, drain: { ...now.drain, isOver: true } });
}

/** Those that are drained, also when that is over. */
export function* drainedServers({ services }: DesiredState): Generator<DrainedServer> {
  for (const plan of services.values()) yield* drainedOf(plan);
}

/** Those of one service. */
export function* drainedOf({ key: service, destinations }: ServicePlan): Generator<DrainedServer> {
  for (const destination of destinations) {
    if (isDrained(destination)) yield { service, destination };
  }
}

function isDrained(plan: DestinationPlan): plan is DrainedServer["destination"] {
  return plan.drain !== undefined;
}

function destinationOf(state: DesiredState, key: ServiceKey, at: Endpoint): DestinationPlan {
  const service = state.services.get(formatServiceKey(key));
  if (service === undefined) throw new LbError({ code: "service-not-defined", service: key });
  const text = formatEndpoint(at);
  const found = service.destinations.find(({ endpoint }) => formatEndpoint(endpoint) === text);
  if (found === undefined) throw new LbError({ code: "no-such-destination", service: key, at });
  return found;
}
