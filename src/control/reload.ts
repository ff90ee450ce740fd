/** From the state in force to one that was read from a file. */
import { Pauses } from "../base/pauses.ts";
import type { DesiredState } from "../ipvs/desired/desired-state.ts";
import { type DestinationPlan, formatEndpoint, type ServicePlan } from "../ipvs/desired/service.ts";
import { serviceChanges } from "../ipvs/desired/service-changes.ts";
import { ServiceMap } from "../ipvs/desired/service-map.ts";
import { withVips } from "../ipvs/desired/vip.ts";
import { destinationToWire, serviceToWire } from "./wire.ts";

/** `wanted`, in which what is the same as in `before` is the same object: an edit would begin its scheduler anew. */
export async function inTermsOf(before: DesiredState, wanted: DesiredState): Promise<DesiredState> {
  const pauses = new Pauses();
  const work = inTermsOfEach(before, wanted);
  let step = work.next();
  while (!step.done) {
    await pauses.ifDue();
    step = work.next();
  }
  return step.value;
}

/** The same, with a pause offered before each service. */
export function* inTermsOfEach(
  before: DesiredState,
  wanted: DesiredState,
): Generator<undefined, DesiredState> {
  const services = new Map<string, ServicePlan>();
  for (const [keyText, plan] of wanted.services) {
    yield;
    const known = before.services.get(keyText);
    services.set(keyText, known === undefined ? plan : planInTermsOf(known, plan));
  }
  const vips = withVips(before.vips, [...wanted.vips.values()], false);
  return { ...wanted, vips, services: ServiceMap.of(services) };
}

function planInTermsOf(before: ServicePlan, wanted: ServicePlan): ServicePlan {
  const known = new Map(before.destinations.map((each) => [formatEndpoint(each.endpoint), each]));
  const destinations = wanted.destinations.map((each) =>
    destinationInTermsOf(known.get(formatEndpoint(each.endpoint)), each),
  );
  const isSame = isEqual(serviceToWire(before), serviceToWire(wanted));
  if (isSame && isSameList(before.destinations, destinations)) return before;
  return { ...wanted, destinations, revision: before.revision + (isSame ? 0 : 1) };
}

function destinationInTermsOf(
  before: DestinationPlan | undefined,
  wanted: DestinationPlan,
): DestinationPlan {
  if (before === undefined) return wanted;
  if (isEqual(destinationToWire(before), destinationToWire(wanted))) return before;
  return { ...wanted, revision: before.revision + 1 };
}

function isSameList(one: readonly object[], other: readonly object[]): boolean {
  return one.length === other.length && one.every((each, index) => each === other[index]);
}

function isEqual(one: object, other: object): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

/** The way from one state to the other, a service a step, in portions that hold nothing up for long. */
export function* stepsBetween(
  before: DesiredState,
  after: DesiredState,
  portion: number,
): Generator<DesiredState[]> {
  let services = ServiceMap.of(before.services);
  let steps: DesiredState[] = [];
  for (const change of serviceChanges(before.services, after.services)) {
    const { keyText } = change;
    services =
      change.after === undefined ? services.without(keyText) : services.with(keyText, change.after);
    steps.push({ ...after, services });
    if (steps.length < portion) continue;
    yield steps;
    steps = [];
  }
  yield [...steps, after];
}
