/** A service as the engine gets it: the operator's, with what was decided by its health. */
import { type DestinationPlan, formatEndpoint, type ServicePlan } from "../ipvs/desired/service.ts";
import type { Decision } from "./judge.ts";

export interface Effective {
  /** What the engine gets. */
  readonly plan: ServicePlan;
  /** What the operator wants. */
  readonly desired: ServicePlan;
  /** By formatEndpoint(): what each of the engine's destinations was made of. */
  readonly sources: ReadonlyMap<string, DestinationPlan>;
}

/**
 * `before`: what the engine has. What is the same stays the same object, for another one would be an edit; and what stays
 * keeps its place, for the engine would have what is moved go and come.
 */
export function effectiveOf(
  desired: ServicePlan,
  { weights, sorryWeight }: Pick<Decision, "weights" | "sorryWeight">,
  before: Effective | undefined,
): Effective {
  const wanted = new Map<string, { readonly source: DestinationPlan; readonly weight: number }>();
  for (const [index, source] of desired.destinations.entries()) {
    const weight = weights[index];
    if (weight !== undefined) wanted.set(formatEndpoint(source.endpoint), { source, weight });
  }
  const { sorry } = desired.health ?? {};
  if (sorry !== undefined && sorryWeight !== undefined) {
    const at = formatEndpoint(sorry.endpoint);
    // One of the service's own may be sorry, too.
    const { isStanding: _, ...destination } = sorry;
    const known = before?.sources.get(at);
    const isKnown = known !== undefined && isSameSorry(known, destination);
    const source = isKnown ? known : { ...destination, revision: 0 };
    if (!wanted.has(at)) wanted.set(at, { source, weight: sorryWeight });
  }
  const standing = new Map(
    before?.plan.destinations.map((each) => [formatEndpoint(each.endpoint), each]),
  );
  const destinations: DestinationPlan[] = [];
  const take = (at: string): void => {
    const { source, weight } = wanted.get(at)!;
    destinations.push(planOf(source, weight, before?.sources.get(at), standing.get(at)));
  };
  const staying = before === undefined ? new Set<string>() : notMoved(before.desired, desired);
  for (const at of standing.keys()) if (staying.has(at) && wanted.has(at)) take(at);
  for (const at of wanted.keys()) if (!staying.has(at) || !standing.has(at)) take(at);
  const sources = new Map([...wanted].map(([at, { source }]) => [at, source]));
  const isSame =
    before !== undefined &&
    isSameRecord(before.desired, desired) &&
    before.plan.destinations.length === destinations.length &&
    destinations.every((each, index) => each === before.plan.destinations[index]);
  if (isSame) return { plan: before.plan, desired, sources };
  const { health: _, ...record } = desired;
  return { plan: { ...record, destinations }, desired, sources };
}

function planOf(
  source: DestinationPlan,
  weight: number,
  sourceBefore: DestinationPlan | undefined,
  before: DestinationPlan | undefined,
): DestinationPlan {
  if (before !== undefined && sourceBefore === source && before.weight === weight) return before;
  return source.weight === weight ? source : { ...source, weight };
}

/** The service's own record: an edit of it that changes nothing is an edit still. */
function isSameRecord(one: ServicePlan, other: ServicePlan): boolean {
  return one.revision === other.revision && one.scheduler === other.scheduler;
}

function isSameSorry(one: DestinationPlan, other: Omit<DestinationPlan, "revision">): boolean {
  return JSON.stringify({ ...one, revision: 0 }) === JSON.stringify({ ...other, revision: 0 });
}

/** Those whose order among each other is as it was, and such as neither names: a sorry server. */
function notMoved(before: ServicePlan, after: ServicePlan): ReadonlySet<string> {
  const positions = new Map(
    before.destinations.map((each, index) => [formatEndpoint(each.endpoint), index]),
  );
  const same = new Set<string>();
  if (before.health?.sorry !== undefined) same.add(formatEndpoint(before.health.sorry.endpoint));
  let next = 0;
  for (const { endpoint } of after.destinations) {
    const at = formatEndpoint(endpoint);
    const position = positions.get(at);
    if (position === undefined || position < next) {
      same.delete(at);
      continue;
    }
    same.add(at);
    next = position + 1;
  }
  return same;
}
