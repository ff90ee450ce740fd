/** What leads from one state to the next, as a record of the journal has it: for any command, and any number of them. */
import type { DesiredState } from "../ipvs/desired/desired-state.ts";
import { LbError } from "../ipvs/desired/errors.ts";
import { formatServiceKey } from "../ipvs/desired/service.ts";
import { serviceChanges } from "../ipvs/desired/service-changes.ts";
import { ServiceMap } from "../ipvs/desired/service-map.ts";
import { changedSysctls, setSysctls } from "../ipvs/desired/set-sysctl.ts";
import { DEFAULT_SYSCTLS } from "../ipvs/desired/sysctls.ts";
import { planFromJson, planToJson } from "./plan-json.ts";
import type { StateFileError } from "./state-file-error.ts";
import { vipsOf, vipToWire } from "./vip-wire.ts";
import type { ChangeJson } from "./wire-schema.ts";

export function changeToJson(before: DesiredState, after: DesiredState): ChangeJson {
  const changes = serviceChanges(before.services, after.services);
  const removed = changes.flatMap((change) => (change.after === undefined ? change.keyText : []));
  const services = changes.flatMap((change) =>
    change.after === undefined ? [] : planToJson(change.after),
  );
  return {
    ...(before.timeouts === after.timeouts ? {} : { timeouts: after.timeouts }),
    ...(before.sysctls === after.sysctls ? {} : { sysctls: changedSysctls(after.sysctls) }),
    ...(before.vips === after.vips ? {} : { vips: [...after.vips.values()].map(vipToWire) }),
    ...(removed.length === 0 ? {} : { removed }),
    ...(services.length === 0 ? {} : { services }),
  };
}

/** `json`, as changeToJson() made it. Throws what `unusable` makes of what does not fit the state. */
export function withChange(
  state: DesiredState,
  json: ChangeJson,
  unusable: (why: string) => StateFileError,
): DesiredState {
  const { timeouts, sysctls, vips, removed = [], services: put = [] } = json;
  let services = ServiceMap.of(state.services);
  for (const keyText of removed) {
    if (!services.has(keyText)) throw unusable(`it removes ${keyText}, which is not there`);
    services = services.without(keyText);
  }
  for (const [index, row] of put.entries()) {
    const plan = planFromJson(row, `services[${index}]`, unusable, undefined);
    services = services.with(formatServiceKey(plan.key), plan);
  }
  const next = {
    ...state,
    services,
    timeouts: timeouts ?? state.timeouts,
    vips: vips === undefined ? state.vips : vipsOf(vips, unusable),
  };
  if (sysctls === undefined) return next;
  try {
    return setSysctls({ ...next, sysctls: DEFAULT_SYSCTLS }, sysctls);
  } catch (error) {
    if (error instanceof LbError) throw unusable(`sysctls: ${error.message}`);
    throw error;
  }
}
