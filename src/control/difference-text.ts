/** A difference between two states as a line of text. */
import type { Difference } from "../ipvs/desired/differences.ts";
import { formatEndpoint, formatServiceKey } from "../ipvs/desired/service.ts";

const SIGN = { add: "+", change: "~", remove: "-" } as const;

/** `~ TCP 10.0.0.1:80 -> 10.0.0.2:80  weight 1 → 5`. */
export function describeDifference(difference: Difference): string {
  const { action, facts } = difference;
  const says = facts.map(({ name, before, after }) =>
    before === undefined ? `${name} ${after}` : `${name} ${before} → ${after ?? "none"}`,
  );
  const head = `${SIGN[action]} ${about(difference)}`;
  return action === "remove" || says.length === 0 ? head : `${head}  ${says.join(", ")}`;
}

function about(difference: Difference): string {
  if ("vip" in difference) return `VIP ${difference.vip}`;
  if (!("service" in difference)) return difference.what;
  const service = formatServiceKey(difference.service);
  return "destination" in difference
    ? `${service} -> ${formatEndpoint(difference.destination)}`
    : service;
}
