/** What a director does beside balancing, loaded once packets flow: it answers callers, watches, and tells. */
import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import type { Hono } from "hono";
import { createServer } from "../api/server.ts";
import type { RefusedReload } from "../api/status.ts";
import type { DaemonSettings } from "../configuration/daemon-settings.ts";
import type { Control } from "../control/control.ts";
import type { Engine } from "../engine/engine.ts";
import type { Health } from "../health/health.ts";
import { watchChanges } from "./changes.ts";
import { watchDrains } from "./drains.ts";
import { watchDrift } from "./drift.ts";
import { watchFindings } from "./findings.ts";
import type { Log } from "./log.ts";
import type { DaemonOptions } from "./options.ts";
import { OwnSettings } from "./own-settings.ts";
import { userName } from "./user-name.ts";
import { Vips } from "./vips.ts";

export interface Served {
  readonly engine: Engine;
  readonly control: Control;
  readonly startedAt: Date;
  /** Undefined as long as nothing is checked. */
  readonly health: () => Health | undefined;
  /** What the daemon's file says of the daemon itself. */
  readonly settings: DaemonSettings | undefined;
  readonly refusedReload: () => RefusedReload | undefined;
}

export interface Serving {
  /** What answers the socket's callers. */
  readonly api: Hono;
  readonly own: OwnSettings;
}

/** Until `stack` is disposed. */
export async function serve(
  { engine, control, startedAt, health, settings, refusedReload }: Served,
  options: DaemonOptions,
  log: Log,
  stack: AsyncDisposableStack,
): Promise<Serving> {
  const { lines } = log;
  const findings = stack.use(watchFindings(engine, lines));
  stack.use(watchChanges(control, lines));
  stack.use(watchDrains(control, lines));
  stack.use(watchDrift(control, lines));
  const vips = stack.use(new Vips(control, dirname(options.socket), lines));
  const logLinesLost = (): number => log.lost();
  const status = {
    startedAt,
    statePath: options.state,
    logLinesLost,
    findings,
    health,
    vips: () => vips.status(),
    refusedReload,
  };
  const api = createServer(control, {
    version: version(),
    pid: process.pid,
    userName,
    status,
    events: log.events,
    onBug: (error) => lines.error({ err: error }, "a call failed that should not have"),
  });
  const { metrics, api: secure } = options;
  const own = stack.use(
    new OwnSettings({
      control,
      api,
      status,
      version: version(),
      log,
      options: {
        ...(metrics === undefined ? {} : { metrics }),
        ...(secure === undefined ? {} : { api: secure }),
      },
    }),
  );
  await own.start(settings);
  return { api, own };
}

function version(): string {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { readonly version: string }).version;
}
