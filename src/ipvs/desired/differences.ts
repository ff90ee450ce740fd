/** What leads from one state to another, in the words of an operator: fact by fact. */

import type { DesiredState, DestinationSpec, ServiceSpec } from "./desired-state.ts";
import { healthFacts } from "./health-facts.ts";
import { formatRange } from "./port-range.ts";
import {
  type DestinationPlan,
  type Drain,
  type Endpoint,
  familyOf,
  formatEndpoint,
  formatForwarding,
  formatNetmask,
  formatSchedulerFlags,
  type ServiceKey,
  type ServicePlan,
} from "./service.ts";
import { serviceChanges } from "./service-changes.ts";
import { type VipPlans, vipFacts } from "./vip.ts";

type Fact = number | string | boolean;

/** Facts by name. What is the same in both states is not among them. */
export interface FactChange {
  readonly name: string;
  readonly before: Fact | undefined;
  readonly after: Fact | undefined;
}

export type Difference = {
  readonly action: "add" | "change" | "remove";
  readonly facts: readonly FactChange[];
} & (
  | { readonly what: "service"; readonly service: ServiceKey }
  | { readonly what: "destination"; readonly service: ServiceKey; readonly destination: Endpoint }
  | { readonly what: "vip"; readonly vip: string }
  | { readonly what: "timeouts" | "sysctls" }
);

type Facts = Readonly<Record<string, Fact>>;

/** A service that goes takes its destinations along: they are not told of. */
export function differences(before: DesiredState, after: DesiredState): Difference[] {
  return [
    ...settingDifferences("timeouts", { ...before.timeouts }, { ...after.timeouts }),
    ...settingDifferences("sysctls", before.sysctls, after.sysctls),
    ...vipDifferences(before.vips, after.vips),
    ...serviceChanges(before.services, after.services).flatMap((change) =>
      serviceDifferences(change.before, change.after),
    ),
  ];
}

function settingDifferences(
  what: "timeouts" | "sysctls",
  before: Facts,
  after: Facts,
): Difference[] {
  const facts = factChanges(before, after);
  return facts.length === 0 ? [] : [{ action: "change", what, facts }];
}

function vipDifferences(before: VipPlans, after: VipPlans): Difference[] {
  if (before === after) return [];
  return [...new Set([...before.keys(), ...after.keys()])].flatMap((vip): Difference[] => {
    const [one, other] = [before.get(vip), after.get(vip)];
    const facts = factChanges(one && vipFacts(one), other && vipFacts(other));
    const action = actionOf(one, other);
    return action === "change" && facts.length === 0 ? [] : [{ action, what: "vip", vip, facts }];
  });
}

function serviceDifferences(
  before: ServicePlan | undefined,
  after: ServicePlan | undefined,
): Difference[] {
  const service = (after ?? before)!.key;
  const facts = factChanges(before && serviceFacts(before), after && serviceFacts(after));
  const action = actionOf(before, after);
  const own: Difference[] =
    action === "change" && facts.length === 0 ? [] : [{ action, what: "service", service, facts }];
  return after === undefined ? own : [...own, ...destinationDifferences(before, after)];
}

function destinationDifferences(
  before: ServicePlan | undefined,
  { key: service, destinations }: ServicePlan,
): Difference[] {
  const known = new Map(
    before?.destinations.map((each) => [formatEndpoint(each.endpoint), each] as const),
  );
  const changes: [DestinationPlan | undefined, DestinationPlan | undefined][] = [];
  for (const destination of destinations) {
    const at = formatEndpoint(destination.endpoint);
    changes.push([known.get(at), destination]);
    known.delete(at);
  }
  for (const gone of known.values()) changes.unshift([gone, undefined]);
  return changes.flatMap(([one, other]): Difference[] => {
    const facts = factChanges(one && destinationFacts(one), other && destinationFacts(other));
    const action = actionOf(one, other);
    if (action === "change" && facts.length === 0) return [];
    return [{ action, what: "destination", service, destination: (other ?? one)!.endpoint, facts }];
  });
}

function actionOf(before: object | undefined, after: object | undefined): Difference["action"] {
  if (before === undefined) return "add";
  return after === undefined ? "remove" : "change";
}

function serviceFacts(service: ServiceSpec): Facts {
  const { scheduler, schedulerFlags, onePacket, persistence, persistenceEngine } = service;
  return {
    ...(service.range === undefined ? {} : { range: formatRange(service.range) }),
    scheduler,
    ...(schedulerFlags === 0 ? {} : { schedulerFlags: formatSchedulerFlags(schedulerFlags) }),
    ...(onePacket ? { onePacket } : {}),
    ...(persistence === undefined
      ? {}
      : {
          persistence: `${persistence.timeoutSeconds}s`,
          netmask: formatNetmask(persistence, familyOf(service.key)),
        }),
    ...(persistenceEngine === undefined ? {} : { persistenceEngine }),
    ...(service.health === undefined ? {} : healthFacts(service.health)),
  };
}

function destinationFacts(destination: DestinationSpec): Facts {
  const { forwarding, weight, upperThreshold, lowerThreshold, drain } = destination;
  return {
    forwarding: formatForwarding(forwarding),
    weight,
    ...(drain === undefined ? {} : { drain: formatDrain(drain) }),
    ...(upperThreshold === 0 ? {} : { upperThreshold }),
    ...(lowerThreshold === 0 ? {} : { lowerThreshold }),
  };
}

function formatDrain({ afterwards, timeoutSeconds, isOver }: Drain): string {
  if (isOver) return "over";
  const until = timeoutSeconds === undefined ? "its last connection" : `${timeoutSeconds}s at most`;
  return `for ${until}, then ${afterwards}`;
}

function factChanges(before: Facts = {}, after: Facts = {}): FactChange[] {
  return [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .filter((name) => before[name] !== after[name])
    .map((name) => ({ name, before: before[name], after: after[name] }));
}
