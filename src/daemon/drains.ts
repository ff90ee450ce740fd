/** The log's lines about drains. */
import type { Logger } from "pino";
import type { Control } from "../control/control.ts";
import { DrainWatch } from "../control/drain-watch.ts";
import { formatEndpoint, formatServiceKey } from "../ipvs/desired/service.ts";

export function watchDrains(control: Control, lines: Logger): DrainWatch {
  return new DrainWatch(control, {
    onEnd: ({ server: { service, destination }, connections }) => {
      const { afterwards, isForced } = destination.drain;
      lines.info(
        {
          event: "drain-ended",
          service: formatServiceKey(service),
          destination: formatEndpoint(destination.endpoint),
          connections,
          afterwards,
          isForced,
        },
        connections === 0 ? "a server is drained" : "the time of a drain is over",
      );
    },
    onError: (error) =>
      lines.error({ err: error }, "cannot bring drains to their end, trying again"),
  });
}
