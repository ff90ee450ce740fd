/** A run's summary on a terminal. */
import { matrixOf } from "./matrix.ts";
import { ENGINE_TITLES } from "./outcome.ts";
import type { Summary } from "./summary.ts";

export function render(summary: Summary): string {
  const { kernel, passed, failed, stale, differences } = summary;
  const lines: string[] = [];
  let last = "";
  for (const { group, name, engine, step, what, known, lines: diff } of differences) {
    if (known !== undefined) continue;
    const heading = `${group}: ${name} (${ENGINE_TITLES[engine]})`;
    if (heading !== last) lines.push("", heading);
    last = heading;
    lines.push(`  step ${step}: ${what}`, ...diff.map((line) => `    ${line}`));
  }
  for (const each of stale) lines.push("", `This known difference no longer occurs: ${each}`);
  lines.push(
    "",
    `The IPVS of Linux ${kernel.version} (marked -) beside ours (marked +):`,
    "",
    ...columns(matrixOf([summary])),
    "",
    `${passed} agree, ${failed} failed`,
    "",
  );
  return lines.slice(lines[0] === "" ? 1 : 0).join("\n");
}

function columns(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join("  ")
      .trimEnd(),
  );
}
