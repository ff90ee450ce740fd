/** `sluice daemon`: the composition root. Opens the engine, gives it the saved state, serves the API, ends on a signal. */
import { readFileSync } from "node:fs";
import pino from "pino";
import { listen } from "../api/listen.ts";
import { DEFAULT_SOCKET } from "../api/routes.ts";
import { createServer } from "../api/server.ts";
import { Control } from "../control/control.ts";
import { SnapshotFile } from "../control/snapshot.ts";
import { openEngine } from "./engine-choice.ts";
import { DAEMON_HELP, type DaemonOptions, parseDaemonOptions, UsageError } from "./options.ts";

const USAGE_EXIT_CODE = 2;

/** Resolves to the exit code when the daemon has ended. */
export async function main(args: readonly string[]): Promise<number> {
  let options: DaemonOptions | "help";
  try {
    options = parseDaemonOptions(args, process.env.SLUICE_SOCKET || DEFAULT_SOCKET);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`sluice daemon: ${error.message}\nTry 'sluice daemon --help'.\n`);
    return USAGE_EXIT_CODE;
  }
  if (options === "help") {
    process.stdout.write(DAEMON_HELP);
    return 0;
  }
  return await run(options);
}

async function run(options: DaemonOptions): Promise<number> {
  const log = pino({ level: options.logLevel }, pino.destination({ fd: 1, sync: true }));
  const asked = signal();
  try {
    await using stack = new AsyncDisposableStack();
    const engine = stack.use(
      await openEngine({
        choice: options.engine,
        connectionsMax: options.connectionsMax,
        events: {
          warn: (message, error) => log.warn({ err: error }, message),
          inform: (message) => log.info(message),
        },
      }),
    );
    const file =
      options.state === undefined
        ? undefined
        : new SnapshotFile(options.state, (message) => log.warn(message));
    const control = await Control.start(engine, file);
    const app = createServer(control, {
      version: version(),
      pid: process.pid,
      onBug: (error) => log.error({ err: error }, "a call failed that should not have"),
    });
    const listening = stack.use(await listen(app, options.socket));
    log.info(
      {
        engine: engine.name,
        socket: listening.path,
        state: options.state ?? "none",
        services: control.state.services.size,
      },
      "the director runs",
    );
    log.info({ signal: await asked }, "ending");
    await control.settled();
  } catch (error) {
    log.fatal({ err: error }, "the director cannot run");
    process.stderr.write(`sluice daemon: ${(error as Error).message}\n`);
    return 1;
  }
  log.info("ended");
  return 0;
}

/** Resolves at the first SIGTERM or SIGINT; a second ends the process the hard way, as by default. */
function signal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const name of ["SIGTERM", "SIGINT"] as const) process.once(name, () => resolve(name));
  });
}

function version(): string {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { readonly version: string }).version;
}
