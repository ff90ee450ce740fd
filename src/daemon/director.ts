/**
 * The director, as the daemon runs it: engine, state file, control, and beside them what serving.ts has. Loading this takes a
 * while, and packets wait for it: what they do not need is loaded behind it.
 */
import { dirname } from "node:path";
import type { Hono } from "hono";
import { Control } from "../control/control.ts";
import { prepareFolder } from "../control/folder.ts";
import { StateFile } from "../control/state-file.ts";
import { lockFile } from "../engine/host/system/file-lock.ts";
import { connectionFileIn } from "../engine/userspace/connection-place.ts";
import type { HeadStart } from "../engine/userspace/head-start.ts";
import type { Health } from "../health/health.ts";
import { ConfigurationReload, configurationBy, putInForce } from "./configuration.ts";
import { openEngine } from "./engine-choice.ts";
import type { Log } from "./log.ts";
import type { DaemonOptions } from "./options.ts";
import type { OwnSettings } from "./own-settings.ts";
import type { Told } from "./service-manager.ts";

interface Director {
  readonly engine: Awaited<ReturnType<typeof openEngine>>;
  readonly control: Control;
  readonly api: Hono;
  readonly own: OwnSettings;
}

/** Runs when this resolves, with what was saved in force, until `stack` is disposed. */
export async function openDirector(
  options: DaemonOptions,
  headStart: HeadStart,
  log: Log,
  stack: AsyncDisposableStack,
  manager: Told | undefined,
): Promise<Director> {
  const { lines } = log;
  const startedAt = new Date();
  // Before anything is touched: a file with a mistake is no reason to stop what an earlier daemon left.
  const configured =
    options.config === undefined ? undefined : await configurationBy(options.config);
  const file =
    options.state === undefined ? undefined : await openState(options.state, stack, lines);
  const engine = stack.use(
    await openEngine({
      choice: options.engine,
      admission: options.admission,
      hook: options.hook,
      headStart,
      connectionsMax: options.connectionsMax,
      outliving: {
        file: connectionFileIn(dirname(options.socket)),
        hold: headStart.hold,
        graceSeconds: options.graceSeconds,
        adopts: options.adopts,
        staysAtEnd: options.detachesOnExit,
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
    health = stack.use(await startHealth(started.promise, options.socket, log));
    return health.keeper;
  });
  started.resolve(control);
  const own = Promise.withResolvers<OwnSettings>();
  let configuration: ConfigurationReload | undefined;
  if (options.config === undefined || configured === undefined) {
    onReload(() => reload(control, lines), own.promise, manager);
  } else {
    await putInForce(control, configured.wanted, options.config, lines);
    const reloading = new ConfigurationReload(options.config, control, own.promise, lines);
    configuration = reloading;
    onReload(() => reloading.again(), own.promise, manager);
  }
  // Packets flow by now; all else is loaded meanwhile.
  const { serve } = await import("./serving.ts");
  const settings = configured?.daemon;
  const refusedReload = () => configuration?.refused;
  const served = { engine, control, startedAt, health: () => health, settings, refusedReload };
  const serving = await serve(served, options, log, stack);
  own.resolve(serving.own);
  return { engine, control, ...serving };
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

/** `reload` resolves to why all stays as it is, if it does. */
function onReload(
  reload: () => Promise<string | undefined>,
  own: Promise<OwnSettings>,
  manager: Told | undefined,
): void {
  const all = async (): Promise<string | undefined> => {
    const why = await reload();
    // Behind it: the file may have said that others are to be read.
    (await own).reread();
    return why;
  };
  process.on("SIGHUP", () => {
    const done = all();
    manager?.during(done);
  });
}

async function reload(control: Control, lines: Log["lines"]): Promise<string | undefined> {
  try {
    const hasChanged = await control.reload();
    const services = control.state.services.size;
    lines.info(
      { event: "state-file-read", services },
      hasChanged ? "the state file is in force" : "the state file is as this daemon wrote it",
    );
    return undefined;
  } catch (error) {
    lines.error(
      { event: "state-file-refused", err: error },
      "the state file is not used: all stays as it is",
    );
    return `the state file is not used: ${(error as Error).message}`;
  }
}
