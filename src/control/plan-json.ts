/** A service with its destinations as the state file has it. */
import { planOf } from "../ipvs/desired/desired-state.ts";
import { LbError } from "../ipvs/desired/errors.ts";
import type { ServicePlan } from "../ipvs/desired/service.ts";
import type { StateFileError } from "./state-file-error.ts";
import { destinationFromWire, destinationToWire, serviceFromWire, serviceToWire } from "./wire.ts";
import type { PlanJson } from "./wire-schema.ts";

/**
 * What looks at JSON that somebody else may have written. What bears a right checksum is as this Sluice wrote it, and is
 * believed: loading the schemas takes as long as a tenth of a start.
 */
export type Check = typeof import("./wire-schema.ts");

export function planToJson(plan: ServicePlan): PlanJson {
  return { ...serviceToWire(plan), destinations: plan.destinations.map(destinationToWire) };
}

/**
 * Checked as the commands that an operator gives, so that nothing gets in that they would refuse. Throws what `unusable`
 * makes of what is wrong, and `at` which place. Without a `check` the JSON is as planToJson() made it.
 */
export function planFromJson(
  json: unknown,
  at: string,
  unusable: (why: string) => StateFileError,
  check: Check | undefined,
): ServicePlan {
  const checked = check?.PLAN_SCHEMA.safeParse(json);
  if (checked?.success === false) {
    const problems = check!
      .problemsOf(checked.error)
      .map(({ path, message }) =>
        path === "" ? `${at}: ${message}` : `${at}.${path}: ${message}`,
      );
    throw unusable(problems.join("; "));
  }
  const { destinations, ...record } = checked?.data ?? (json as PlanJson);
  try {
    return planOf(serviceFromWire(record), destinations.map(destinationFromWire));
  } catch (error) {
    if (error instanceof LbError) throw unusable(`${at}: ${error.message}`);
    throw error;
  }
}
