/** The log's lines about what keeps services from working: one when it begins, one when it ends. */
import type { Logger } from "pino";
import { FindingWatch } from "../control/finding-watch.ts";
import type { Engine } from "../engine/engine.ts";
import { wordingOf } from "../ipvs/diagnosis/finding.ts";

export function watchFindings(engine: Engine, lines: Logger): FindingWatch {
  return new FindingWatch(engine, {
    onBegin: (finding) => {
      const { about, says, remedy } = wordingOf(finding);
      lines.warn(
        { event: "finding-began", finding: finding.code, about, remedy },
        `${about}: ${says}`,
      );
    },
    onEnd: ({ finding, since }) => {
      const { about, says } = wordingOf(finding);
      lines.info(
        { event: "finding-ended", finding: finding.code, about, since },
        `over: ${about}: ${says}`,
      );
    },
    onMore: (what, code, count) =>
      lines.warn(
        { event: "findings-more", finding: code, count, what },
        `${count} more like it ${what}: see sluice status`,
      ),
    onError: (error) => lines.error({ err: error }, "cannot look for what is wrong"),
  });
}
