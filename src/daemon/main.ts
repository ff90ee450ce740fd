/** `sluice daemon`: the composition root. Opens the engine, gives it the saved state, serves the API, ends on a signal. */
import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import { listen } from "../api/listen.ts";
import { DEFAULT_SOCKET } from "../api/routes.ts";
import { createServer } from "../api/server.ts";
import { Control } from "../control/control.ts";
import { prepareFolder } from "../control/folder.ts";
import { StateFile } from "../control/state-file.ts";
import { connectionFileIn } from "../engine/userspace/connection-file.ts";
import { lockFile } from "../engine/userspace/file-lock.ts";
import { openEngine } from "./engine-choice.ts";
import { watchFindings } from "./findings.ts";
import { groupId } from "./group.ts";
import { LastResort } from "./last-resort.ts";
import { type Log, openLog } from "./log.ts";
import { DAEMON_HELP, type DaemonOptions, parseDaemonOptions, UsageError } from "./options.ts";
import { peerOf } from "./peer-credentials.ts";
import { mustBePrivileged, sentenceFor } from "./start-error.ts";

const EXIT = { ended: 0, failed: 1, usage: 2 } as const;

/** Resolves to the exit code when the daemon has ended. */
export async function main(args: readonly string[]): Promise<number> {
  let options: DaemonOptions | "help";
  try {
    options = parseDaemonOptions(args, process.env.SLUICE_SOCKET || DEFAULT_SOCKET);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`sluice daemon: ${error.message}\nTry 'sluice daemon --help'.\n`);
    return EXIT.usage;
  }
  if (options === "help") {
    process.stdout.write(DAEMON_HELP);
    return EXIT.ended;
  }
  const log = openLog(options.logLevel);
  using resort = new LastResort({
    tell: (error) => log.lines.error({ err: error }, "a bug; the director goes on"),
    end: (error) => {
      log.lines.fatal({ err: error }, "a bug ends the director");
      log.complain(`sluice daemon: ${(error as Error).message}\n`);
      process.exit(EXIT.failed);
    },
  });
  try {
    await run(options, log, resort);
    return EXIT.ended;
  } catch (error) {
    const sentence = sentenceFor(error);
    if (sentence === undefined) log.lines.fatal({ err: error }, "the director cannot run");
    log.complain(`sluice daemon: ${sentence ?? (error as Error).message}\n`);
    return EXIT.failed;
  } finally {
    await log.end();
  }
}

async function run(options: DaemonOptions, log: Log, resort: LastResort): Promise<void> {
  const { lines } = log;
  const startedAt = new Date();
  mustBePrivileged();
  await prepareFolder(options.socket, "--socket");
  const gid = options.socketGroup === undefined ? undefined : groupId(options.socketGroup);
  const asked = signal();
  // Until there is a control: it reads the file anyway.
  process.on("SIGHUP", () => {});
  await using stack = new AsyncDisposableStack();
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
  const control = await Control.start(engine, file);
  process.on("SIGHUP", () => void reload(control, lines));
  const findings = stack.use(watchFindings(engine, lines));
  const app = createServer(control, {
    version: version(),
    pid: process.pid,
    status: { startedAt, statePath: options.state, logLinesLost: () => log.lost(), findings },
    onBug: (error) => lines.error({ err: error }, "a call failed that should not have"),
  });
  const onTrouble = (message: string): void => lines.warn(message);
  const listening = stack.use(await listen(app, options.socket, { peerOf, gid, onTrouble }));
  lines.info(
    {
      engine: engine.name,
      socket: listening.path,
      state: options.state ?? "none",
      services: control.state.services.size,
    },
    "the director runs",
  );
  resort.isServing = true;
  lines.info({ signal: await asked }, "ending");
  resort.isServing = false;
  await control.end();
  await stack.disposeAsync();
  lines.info("ended");
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
