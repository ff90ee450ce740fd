/** How drains are shown. */

import { formatEndpointId } from "../../api/ids.ts";
import type { ConnectionCount, DrainStatus } from "../../api/messages.ts";
import { spellSeconds } from "../spell-time.ts";

/** A few lines for each. */
export function drainPage(drains: readonly DrainStatus[], now: Date): string {
  return drains
    .map((drain) => {
      const { connections } = drain;
      const lines = [`${headOf(drain)}  ${whenOf(drain, now)}`];
      if (connections !== null) lines.push(`  ${remaining(connections)}`);
      for (const each of connections?.oldest ?? []) {
        const age = each.ageSeconds === null ? "of unknown age" : spellSeconds(each.ageSeconds);
        lines.push(`    ${formatEndpointId(each.client)}  ${each.state}  ${age}`);
      }
      return lines.map((line) => `${line}\n`).join("");
    })
    .join("");
}

function headOf({ service, destination }: DrainStatus): string {
  return `${service} -> ${destination}`;
}

function whenOf({ since, endsAt, afterwards, isForced, isOver }: DrainStatus, now: Date): string {
  if (isOver) return "drained, weight 0 until sluice undrain";
  const spent = (now.getTime() - Date.parse(since)) / 1000;
  const left = endsAt === null ? undefined : (Date.parse(endsAt) - now.getTime()) / 1000;
  const end =
    left === undefined ? "until its last connection ends" : `${spellSeconds(left)} left at most`;
  const after = afterwards === "keep" ? "then it stays with weight 0" : "then it goes";
  const force = isForced ? "what remains is reset, " : "";
  return `drained for ${spellSeconds(spent)}, ${end}, ${force}${after}`;
}

function remaining({ count, agesBelowSeconds, byAge }: ConnectionCount): string {
  if (count === 0) return "no connections remain";
  const ages = byAge.flatMap((each, index) => {
    if (each === 0) return [];
    const below = agesBelowSeconds[index];
    return below === undefined ? `${each} older` : `${each} younger than ${spellSeconds(below)}`;
  });
  const those = count === 1 ? "1 connection remains" : `${count} connections remain`;
  return `${those} (${ages.join(", ")})`;
}
