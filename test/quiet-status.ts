/** For an API server without a daemon around it. */
import type { StatusParts } from "../src/api/status.ts";
import { FindingWatch } from "../src/control/finding-watch.ts";
import type { Engine } from "../src/engine/engine.ts";

const NEVER_MS = 0x7fff_ffff;

/** Tells nobody what is wrong but who asks. */
export function quietStatus(engine: Engine): StatusParts {
  const ignore = (): void => {};
  const findings = new FindingWatch(engine, {
    onBegin: ignore,
    onEnd: ignore,
    onMore: ignore,
    onError: ignore,
    intervalMs: NEVER_MS,
  });
  return {
    startedAt: new Date(0),
    statePath: undefined,
    logLinesLost: () => 0,
    findings,
    health: () => undefined,
    vips: () => [],
    refusedReload: () => undefined,
  };
}
