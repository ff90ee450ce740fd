/** How the page tells of destinations' health. */
import type {
  DestinationHealthStatus,
  HealthStatus,
  ServiceHealthStatus,
} from "../../api/messages.ts";
import { lasting } from "./lasting.ts";

/** Destinations that are well are told one by one up to here, in all; then by their number. */
const WELL_MAX = 20;

/** Whether a destination is down, or a service lost its quorum: somebody should look. */
export function isUnwell({ services }: HealthStatus): boolean {
  return services.some(
    ({ hasQuorum, destinations }) =>
      !hasQuorum || destinations.some(({ health }) => health === "down"),
  );
}

/** Nothing when no service is checked. */
export function healthText({ services }: Pick<HealthStatus, "services">, now: Date): string {
  if (services.length === 0) return "";
  const all = services.flatMap(({ destinations }) => destinations);
  const isBrief = all.filter((each) => !isTold(each)).length > WELL_MAX;
  const parts = services.map((service) => serviceText(service, isBrief, now));
  return `Health (${countsText(all)}):\n${parts.join("")}\n`;
}

function countsText(all: readonly DestinationHealthStatus[]): string {
  const count = (is: (each: DestinationHealthStatus) => boolean): number => all.filter(is).length;
  const counts: [number, string][] = [
    [count(({ health, isKnown }) => health === "up" && isKnown), "up"],
    [count(({ health }) => health === "down"), "down"],
    [count(({ health, isKnown }) => health === "up" && !isKnown), "not known yet"],
    [count(({ health }) => health === "unchecked"), "not checked"],
  ];
  return counts.flatMap(([number, what]) => (number === 0 ? [] : `${number} ${what}`)).join(", ");
}

function serviceText(service: ServiceHealthStatus, isBrief: boolean, now: Date): string {
  const { destinations } = service;
  const told = isBrief ? destinations.filter(isTold) : destinations;
  const notes = notesOf(service);
  // Of many services that are well nothing is told.
  if (told.length === 0 && notes.length === 0 && isBrief) return "";
  const head = [service.service, ...notes].join(", ");
  const width = Math.max(...told.map(({ destination }) => destination.length), 0);
  const lines = told.map((each) => `    ${each.destination.padEnd(width)}  ${says(each, now)}\n`);
  return `  ${head}\n${lines.join("")}`;
}

function notesOf({ hasQuorum, sum, quorum, sorry, isPanic }: ServiceHealthStatus): string[] {
  return [
    ...(hasQuorum ? [] : [`quorum lost: ${sum} of ${quorum}`]),
    ...(sorry === null ? [] : [`${sorry} answers instead`]),
    ...(isPanic ? ["too few are up: all are kept"] : []),
  ];
}

/** Whether it is told of even among many. */
function isTold({ health, isKnown, checks }: DestinationHealthStatus): boolean {
  return health === "down" || !isKnown || checks.some(({ warning }) => warning !== null);
}

function says(each: DestinationHealthStatus, now: Date): string {
  const { health, isKnown, since, why, weight, checks } = each;
  if (since === null) return "not checked";
  const latencies = checks.flatMap(({ latencyMs }) => latencyMs ?? []);
  const slowest = latencies.length === 0 ? "" : `, ${Math.max(...latencies)} ms`;
  const stand = weight === null ? "taken out" : `weight ${weight}`;
  const state = isKnown ? health : `${health}, not known yet`;
  const warnings = checks.flatMap(({ warning }) => (warning === null ? [] : `; ${warning}`));
  return `${state} for ${lasting(since, now)}, ${stand}: ${why}${slowest}${warnings.join("")}`;
}
