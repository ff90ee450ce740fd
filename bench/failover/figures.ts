/** Of several runs one row. */
import { median } from "../median.ts";
import type { FailoverFigures, Sample } from "./settings.ts";

export function figuresOf(
  about: Pick<FailoverFigures, "balancer" | "settings" | "end">,
  samples: readonly Sample[],
): FailoverFigures {
  return {
    ...about,
    outMs: median(samples.map(({ outMs }) => outMs)),
    outMostMs: Math.max(...samples.map(({ outMs }) => outMs)),
    failedPercent: median(samples.map(({ failedPercent }) => failedPercent)),
    backMs: median(samples.map(({ backMs }) => backMs)),
  };
}
