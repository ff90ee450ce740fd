/** What a service asks of health checks, in the words of an operator: fact by fact. */
import { formatPeriod } from "../../base/period.ts";
import { type CheckPlan, canonical, type ServiceHealth } from "./health.ts";
import { formatEndpoint, formatForwarding } from "./service.ts";

type Facts = Readonly<Record<string, number | string>>;

/** What is as by default, and says nothing without the rest, is not told. */
export function healthFacts(health: ServiceHealth): Facts {
  const { checks, destinations, sorry, flapping } = health;
  const own = Object.entries(destinations);
  return {
    ...checkFacts("", checks),
    ...Object.assign({}, ...own.map(([at, each]) => checkFacts(` of ${at}`, each.checks))),
    ...Object.fromEntries(
      own.flatMap(([at, { onFailure }]) =>
        onFailure === undefined ? [] : [[`onFailure of ${at}`, onFailure]],
      ),
    ),
    onFailure: health.onFailure,
    quorum: health.quorum,
    ...(health.hysteresis === 0 ? {} : { hysteresis: health.hysteresis }),
    ...(sorry === undefined
      ? {}
      : {
          sorry: `${formatEndpoint(sorry.endpoint)} ${formatForwarding(sorry.forwarding)} weight ${sorry.weight}${sorry.isStanding ? " standing" : ""}`,
        }),
    ...(health.slowStartMs === 0 ? {} : { slowStart: formatPeriod(health.slowStartMs) }),
    ...(health.panicPercent === 0 ? {} : { panic: health.panicPercent }),
    ...(flapping === undefined
      ? {}
      : {
          flapping: `${flapping.changes} within ${formatPeriod(flapping.withinMs)} hold ${formatPeriod(flapping.holdMs)}`,
        }),
  };
}

function checkFacts(of: string, checks: readonly CheckPlan[] | undefined): Facts {
  if (checks === undefined) return {};
  if (checks.length === 0) return { [`check${of}`]: "none" };
  return Object.fromEntries(
    checks.map((check) => [`check${of} ${check.name ?? check.type}`, checkText(check)]),
  );
}

/** `tcp interval 2s timeout 1s`. Other checks have other texts. */
function checkText(check: CheckPlan): string {
  const { name: _, type, settings, ...facts } = check;
  const words = Object.entries(facts).flatMap(([key, value]) => {
    if (value === undefined) return [];
    const isTime = key.endsWith("Ms") && typeof value === "number";
    return isTime ? `${key.slice(0, -2)} ${formatPeriod(value)}` : `${key} ${value}`;
  });
  const own = Object.entries(settings).map(([key, value]) => `${key} ${canonical(value)}`);
  return [type, ...own, ...words].join(" ");
}
