/** A step in a line. */
import { dissect } from "./dissect.ts";
import type { Step } from "./steps.ts";
import { sayReason, sayTable } from "./words.ts";

export function sayStep(step: Step): string {
  switch (step.kind) {
    case "frame":
      return dissect(step.bytes).summary;
    case "dropped":
      return `✕ ${step.reason}: ${sayReason(step.reason)}`;
    case "forwarded":
      return `${step.reason}: ${dissect(step.bytes, "packet").summary}`;
    case "table":
      return `${sayTable(step.table)}: ${step.changes.join(", ")}`;
    case "command":
      return `# ${step.line}`;
  }
}
