/** The page that `sluice status` prints. */
import type { Status, StatusFinding } from "../../api/routes.ts";
import { healthText } from "./health.ts";
import { lasting } from "./lasting.ts";

const LABEL_WIDTH = 13;

export function page(status: Status, now: Date): string {
  const { services, servers, connections, connectionsMax, findings, findingsOmitted } = status;
  const rows: [label: string, text: string][] = [
    ["Sluice", `${status.version}, process ${status.pid}, for ${lasting(status.startedAt, now)}`],
    ["Engine", `${status.engine}, ${status.stand}`],
    ["Services", `${services}, with ${servers} ${servers === 1 ? "server" : "servers"}`],
    ["Connections", `${connections} of at most ${connectionsMax}`],
    ["State", status.state ?? "not kept over a restart (--no-state)"],
  ];
  if (status.logLinesLost > 0) {
    rows.push([
      "Log",
      `${status.logLinesLost} lines were lost: not read, or written to disk, fast enough`,
    ]);
  }
  const head = rows.map(([label, text]) => `${label.padEnd(LABEL_WIDTH)}${text}\n`).join("");
  return `${head}\n${healthText(status.health, now)}${conclusion(findings, findingsOmitted, now)}`;
}

function conclusion(findings: readonly StatusFinding[], omitted: number, now: Date): string {
  if (findings.length === 0) return "Nothing is known to be wrong.\n";
  const parts = findings.map(
    ({ about, says, remedy, since }) =>
      `  ${about}\n    ${says} (for ${lasting(since, now)})\n    to do: ${remedy}\n`,
  );
  const more = omitted === 0 ? "" : `  and ${omitted} more\n`;
  return `What is wrong (${findings.length + omitted}):\n${parts.join("")}${more}`;
}
