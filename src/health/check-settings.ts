/** Whether checks that came over the socket are such as a file may have: their kinds, and each kind's settings. */
import type { z } from "zod";
import { keyed } from "../base/schema-terms.ts";
import type { CheckPlan, ServiceHealth } from "../ipvs/desired/health.ts";
import { CHECK_KINDS, type CheckKind } from "./checks/settings.ts";

/** What is wrong with the first that is; undefined: nothing. */
export function settingsProblem(
  health: Pick<ServiceHealth, "checks" | "destinations">,
): string | undefined {
  const own = Object.values(health.destinations).flatMap(({ checks }) => checks ?? []);
  for (const check of [...health.checks, ...own]) {
    const problem = problemOf(check);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function problemOf({ type, settings }: CheckPlan): string | undefined {
  if (!Object.hasOwn(CHECK_KINDS, type)) {
    return `there is no check ${JSON.stringify(type)}: expected one of ${Object.keys(CHECK_KINDS).join(", ")}`;
  }
  const { error } = schemaOf(type as CheckKind).safeParse(settings);
  if (error === undefined) return undefined;
  const [issue] = error.issues;
  const says =
    issue!.code === "unrecognized_keys" ? `no setting ${issue!.keys.join(", ")}` : issue!.message;
  return `a check ${type}: ${[...issue!.path, says].map(String).join(": ")}`;
}

const schemas = new Map<CheckKind, z.ZodType>();

function schemaOf(type: CheckKind): z.ZodType {
  let schema = schemas.get(type);
  if (schema === undefined) {
    schema = keyed(CHECK_KINDS[type].settings as z.core.$ZodLooseShape) as z.ZodType;
    schemas.set(type, schema);
  }
  return schema;
}
