/** Mark rules as a table. */
import { markRuleFromWire, type WireMarkRule } from "../../control/wire-marks.ts";
import { formatMarkEnds } from "../../ipvs/mark-rule.ts";

const HEADING = ["#", "mark", "family", "protocol", "packets"];

/** A line for each rule, in the order in which they are tried, below a heading. */
export function renderMarkRules(rules: readonly WireMarkRule[]): string {
  const rows = rules.map((wire, index) => {
    const rule = markRuleFromWire(wire);
    return [`${index + 1}`, `${rule.mark}`, rule.family, rule.protocol, formatMarkEnds(rule)];
  });
  const widths = HEADING.map((name, column) =>
    Math.max(name.length, ...rows.map((row) => row[column]!.length)),
  );
  return [HEADING, ...rows]
    .map((row) => row.map((text, column) => text.padEnd(widths[column]!)).join("  "))
    .map((line) => `${line.trimEnd()}\n`)
    .join("");
}
