/** The results of attacks, as a table in Markdown. */
import type { Result } from "./attack.ts";

const HEAD = [
  "attack",
  "how much",
  "requests failed beside it",
  "p99 before, beside it",
  "memory before, after",
  "recovery",
  "held",
];

export function table(results: readonly Result[]): string {
  const rows = [HEAD, ...results.map(rowOf)];
  const widths = HEAD.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column]!)).join(" | ")} |\n`;
  const rule = line(widths.map((width) => "-".repeat(width)));
  return [line(rows[0]!), rule, ...rows.slice(1).map(line)].join("");
}

function rowOf(result: Result): string[] {
  const { asked, failed, p99Before, p99Beside, memoryBefore, memoryAfter, recoveryMs } = result;
  return [
    result.attack,
    result.rate,
    `${failed} of ${asked}`,
    `${p99Before.toFixed(0)}, ${p99Beside.toFixed(0)} ms`,
    `${memoryBefore}, ${memoryAfter} MB`,
    recoveryMs === undefined ? "none" : `${(recoveryMs / 1000).toFixed(1)} s`,
    result.faults.length === 0 ? "yes" : result.faults.join("; "),
  ];
}
