/**
 * `node test/churn/main.ts [CONNECTIONS]`: has so many connections (a million) come and go from all processors, and says what is
 * counted in the end. Needs root. Exit code: 0 when counts are what there is, and an idle table counts nothing, else 1.
 */
import { isDeepStrictEqual } from "node:util";
import { type Counts, churn } from "./churn.ts";

const CONNECTIONS = 1_000_000;

const [connections = `${CONNECTIONS}`] = process.argv.slice(2);
const { opened, counted, present, idle } = await churn(Number(connections));
const isIdle = idle.halfOpen === 0 && idle.destinations.every(([a, i]) => a === 0 && i === 0);
const agree = isDeepStrictEqual(counted, present);
process.stdout.write(
  `${opened.toLocaleString("en")} connections opened by the programs\ncounted  ${text(counted)}\npresent  ${text(present)}\nidle     ${text(idle)}\n`,
);
process.exitCode = agree && isIdle ? 0 : 1;

function text({ destinations, halfOpen }: Counts): string {
  const each = destinations.map(([active, inactive]) => `${active}+${inactive}`);
  return `${each.join(" ")}, half open ${halfOpen}`;
}
