/** Mark rules as `sluice mark add` has them. */
import { parseMarkCommand } from "../src/cli/mark/options.ts";
import { markRuleFromWire } from "../src/control/wire-marks.ts";
import type { MarkRule } from "../src/ipvs/mark-rule.ts";

/** A rule from its words: `markRule("-d 10.0.0.1 -p tcp --ports 80,443 -m 7")`. */
export function markRule(line: string): MarkRule {
  const command = parseMarkCommand(["add", ...line.split(/\s+/)]);
  if (command.kind !== "add") throw new RangeError(`Cannot read ${line} as a mark rule`);
  return markRuleFromWire(command.rule);
}
