/** The log's lines about drift that was taken back. */
import type { Logger } from "pino";
import type { Control } from "../control/control.ts";
import { describeDifference } from "../control/difference-text.ts";
import { DriftWatch } from "../control/drift-watch.ts";

/** Differences that are told one by one. */
const TOLD_MAX = 20;

export function watchDrift(control: Control, lines: Logger): DriftWatch {
  return new DriftWatch(control, {
    onTakenBack: (drift, source) =>
      lines.warn(
        {
          event: "drift-taken-back",
          source,
          count: drift.length,
          changes: drift.slice(0, TOLD_MAX).map(describeDifference),
        },
        "what other hands changed is as the file says again",
      ),
    onError: (error) => lines.error({ err: error }, "cannot take back what other hands changed"),
  });
}
