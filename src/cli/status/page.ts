/** The page that `sluice status` prints. */

import type { Drift, Status, StatusFinding } from "../../api/messages.ts";
import { formatAuthor } from "../../control/author.ts";
import { changeText } from "../configuration/changes.ts";
import { healthText } from "./health.ts";
import { lasting } from "./lasting.ts";
import { vipsText } from "./vips.ts";

const LABEL_WIDTH = 13;

export function page(status: Status, now: Date): string {
  const { services, servers, connections, connectionsMax, findings, findingsOmitted } = status;
  const rows: [label: string, text: string][] = [
    ["Sluice", `${status.version}, process ${status.pid}, for ${lasting(status.startedAt, now)}`],
    ["Engine", `${status.engine}, ${status.stand}`],
    ...cardRows(status.cards),
    ["Services", `${services}, with ${servers} ${servers === 1 ? "server" : "servers"}`],
    ["Connections", `${connections} of at most ${connectionsMax}`],
    ["State", stateText(status)],
  ];
  if (status.drift !== null) rows.push(["File", fileText(status.drift, now)]);
  if (status.refusedReload !== null) {
    rows.push(["Reload", reloadText(status.refusedReload, now)]);
  }
  if (status.draining > 0) {
    const those = status.draining === 1 ? "1 server" : `${status.draining} servers`;
    rows.push(["Draining", `${those}: see sluice drain`]);
  }
  if (status.logLinesLost > 0) {
    rows.push([
      "Log",
      `${status.logLinesLost} lines were lost: not read, or written to disk, fast enough`,
    ]);
  }
  const head = rows.map(([label, text]) => `${label.padEnd(LABEL_WIDTH)}${text}\n`).join("");
  return `${head}${driftLines(status.drift)}\n${vipsText(status.vips, now)}${healthText(status.health, now)}${conclusion(findings, findingsOmitted, now)}`;
}

/** Interfaces at the same hook, for the same reason, in a line. */
function cardRows(cards: Status["cards"]): [label: string, text: string][] {
  const names = new Map<string, string[]>();
  for (const { interface: name, hook, why } of cards) {
    const where = hook === "none" ? "no program" : `at ${hook}`;
    const line = why === null ? where : `${where}, because ${why}`;
    names.set(line, [...(names.get(line) ?? []), name]);
  }
  return [...names].map(([line, those]) => ["Program", `${those.join(", ")}: ${line}`]);
}

function stateText({ state, stateTrouble }: Status): string {
  if (state === null) return "not kept over a restart (--no-state)";
  return stateTrouble === null ? state : `${state}: CHANGES ARE REFUSED: ${stateTrouble}`;
}

function fileText({ source, appliedAt, by, changes, mode }: Drift, now: Date): string {
  const head = `${source}, applied ${lasting(appliedAt, now)} ago by ${formatAuthor(by)}`;
  if (changes.length === 0) return `${head}; what stands is as it says`;
  const after = mode === "reconcile" ? "which is being taken back" : "which is kept";
  const those = changes.length === 1 ? "1 difference" : `${changes.length} differences`;
  return `${head}; ${those} since by other hands, ${after}`;
}

function reloadText(refused: NonNullable<Status["refusedReload"]>, now: Date): string {
  const { at, path, problems } = refused;
  const head = `REFUSED ${lasting(at, now)} ago, and all stays as it was: ${problems[0] ?? path}`;
  const more = problems.length - 1;
  return more > 0 ? `${head}, and ${more} more: see sluice check ${path}` : head;
}

/** Of what other hands changed so many lines are told: sluice status --json has all. */
const DRIFT_TOLD = 10;

function driftLines(drift: Drift | null): string {
  const changes = drift?.changes ?? [];
  const lines = changes.slice(0, DRIFT_TOLD).map((change) => `  ${changeText(change)}\n`);
  const more = changes.length - lines.length;
  return `${lines.join("")}${more > 0 ? `  and ${more} more\n` : ""}`;
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
