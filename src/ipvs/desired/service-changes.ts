/** What leads from one state's services to another's. */
import type { ServicePlan } from "./service.ts";
import { type ServiceChange, ServiceMap } from "./service-map.ts";

type Services = ReadonlyMap<string, ServicePlan>;

/**
 * What goes, and then what comes or is changed, in the order of `after`. Plans never change, so another object is
 * another plan. A service that was deleted and added again between the two goes and comes.
 */
export function serviceChanges(before: Services, after: Services): readonly ServiceChange[] {
  if (before === after) return [];
  const known = after instanceof ServiceMap ? after.changesSince(before) : undefined;
  return known ?? compare(before, after);
}

function compare(before: Services, after: Services): ServiceChange[] {
  const [keysBefore, keysAfter] = suspects(before, after);
  const staying = stayingKeys(keysBefore, keysAfter);
  const changes: ServiceChange[] = [];
  for (const keyText of keysBefore) {
    if (!staying.has(keyText)) changes.push({ keyText, before: before.get(keyText)! });
  }
  for (const keyText of keysAfter) {
    const plan = after.get(keyText)!;
    if (!staying.has(keyText)) {
      changes.push({ keyText, after: plan });
      continue;
    }
    const planBefore = before.get(keyText)!;
    if (planBefore !== plan) changes.push({ keyText, before: planBefore, after: plan });
  }
  return changes;
}

function suspects(before: Services, after: Services): [string[], string[]] {
  const few =
    before instanceof ServiceMap && after instanceof ServiceMap
      ? ServiceMap.suspects(before, after)
      : undefined;
  return few ?? [[...before.keys()], [...after.keys()]];
}

/** Those of both, in the same order in both. */
function stayingKeys(before: readonly string[], after: readonly string[]): Set<string> {
  const positions = new Map(before.map((keyText, index) => [keyText, index]));
  const staying = new Set<string>();
  let next = 0;
  for (const keyText of after) {
    const position = positions.get(keyText);
    if (position === undefined || position < next) continue;
    staying.add(keyText);
    next = position + 1;
  }
  return staying;
}
