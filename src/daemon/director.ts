/** The director whole, as the daemon runs it: engine, state file, control, API. Loading this takes a while. */
import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import type { Hono } from "hono";
import { Control } from "../control/control.ts";
import { prepareFolder } from "../control/folder.ts";
import { StateFile } from "../control/state-file.ts";
import { lockFile } from "../engine/host/system/file-lock.ts";
import { connectionFileIn } from "../engine/userspace/connection-file.ts";
import type { Health } from "../health/health.ts";
import { ConfigurationReload, putInForce, wantedBy } from "./configuration.ts";
import { openEngine } from "./engine-choice.ts";
import { watchFindings } from "./findings.ts";
import type { Log } from "./log.ts";
import type { DaemonOptions } from "./options.ts";

interface Director {
  readonly engine: Awaited<ReturnType<typeof openEngine>>;
  readonly control: Control;
  readonly api: Hono;
}

/** Runs when this resolves, with what was saved in force, until `stack` is disposed. */
export async function openDirector(
  options: DaemonOptions,
  log: Log,
  stack: AsyncDisposableStack,
): Promise<Director> {
  const { lines } = log;
  const startedAt = new Date();
  // Before anything is touched: a file with a mistake is no reason to stop what an earlier daemon left.
  const wanted = options.config === undefined ? undefined : await wantedBy(options.config);
  const file =
    options.state === undefined ? undefined : await openState(options.state, stack, lines);
  const engine = stack.use(
    await openEngine({
      choice: options.engine,
      connectionsMax: options.connectionsMax,
      outliving: {
        file: connectionFileIn(dirname(options.socket)),
        graceSeconds: options.graceSeconds,
        adopts: options.adopts,
      },
      events: {
        warn: (message, error) => lines.warn({ err: error }, message),
        inform: (message) => lines.info(message),
      },
    }),
  );
  let health: Health | undefined;
  const started = Promise.withResolvers<Control>();
  const control = await Control.start(engine, file, async () => {
    // Most directors check nothing, and never load this.
    const { startHealth } = await import("./health.ts");
    health = stack.use(await startHealth(started.promise, options.socket, lines));
    return health.keeper;
  });
  started.resolve(control);
  if (options.config === undefined || wanted === undefined) {
    process.on("SIGHUP", () => void reload(control, lines));
  } else {
    await putInForce(control, wanted, lines);
    const configuration = new ConfigurationReload(options.config, control, lines);
    process.on("SIGHUP", () => configuration.again());
  }
  // Packets flow by now; what answers callers is loaded meanwhile.
  const { createServer } = await import("../api/server.ts");
  const findings = stack.use(watchFindings(engine, lines));
  const api = createServer(control, {
    version: version(),
    pid: process.pid,
    status: {
      startedAt,
      statePath: options.state,
      logLinesLost: () => log.lost(),
      findings,
      health: () => health,
    },
    onBug: (error) => lines.error({ err: error }, "a call failed that should not have"),
  });
  return { engine, control, api };
}

/** Nobody else's, until `stack` is disposed. */
async function openState(
  path: string,
  stack: AsyncDisposableStack,
  lines: Log["lines"],
): Promise<StateFile> {
  await prepareFolder(path, "--state");
  stack.use(lockFile(path, "--state"));
  return stack.use(new StateFile(path, (message) => lines.warn(message)));
}

async function reload(control: Control, lines: Log["lines"]): Promise<void> {
  try {
    const hasChanged = await control.reload();
    const services = control.state.services.size;
    lines.info(
      { services },
      hasChanged ? "the state file is in force" : "the state file is as this daemon wrote it",
    );
  } catch (error) {
    lines.error({ err: error }, "the state file is not used: all stays as it is");
  }
}

function version(): string {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { readonly version: string }).version;
}
