/** `sluice daemon`: from its options to its end by a signal. First the socket, so that nobody finds it missing for long. */
import { flushCompileCache } from "node:module";
import { dirname } from "node:path";
import type { Hono } from "hono";
import { listen } from "../api/listen.ts";
import { DEFAULT_SOCKET } from "../api/routes.ts";
import { connectionFileIn } from "../engine/userspace/connection-place.ts";
import { HeadStart } from "../engine/userspace/head-start.ts";
import { withholdOwn } from "./capabilities.ts";
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
    tell: (error) => log.lines.error({ event: "bug", err: error }, "a bug; the director goes on"),
    end: (error) => {
      log.lines.fatal({ err: error }, "a bug ends the director");
      log.complain(`sluice daemon: ${(error as Error).message}\n`);
      log.flush();
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
  mustBePrivileged();
  withholdOwn();
  const { socketGroup, readGroup } = options;
  const gid = socketGroup === undefined ? undefined : groupId(socketGroup);
  const readers =
    readGroup === undefined ? undefined : groupId(readGroup, undefined, "--read-group");
  using manager = await serviceManager(lines);
  const asked = signal();
  // Until there is a control: it reads the file anyway.
  process.on("SIGHUP", () => {});
  await using stack = new AsyncDisposableStack();
  const app = Promise.withResolvers<Hono>();
  const onTrouble = (message: string): void => lines.warn(message);
  // Before all that takes time, and the first to go: what is commanded meanwhile waits.
  const access = { peerOf, gid, readers, onTrouble };
  await using listening = await listen(app.promise, options.socket, access);
  const headStart = stack.use(new HeadStart(connectionFileIn(dirname(options.socket))));
  const { openDirector } = await import("./director.ts");
  // At the end it is too late for one that is killed: the next start shall not compile everything anew.
  flushCompileCache();
  const { control, engine, api, own } = await openDirector(options, headStart, log, stack, manager);
  app.resolve(api);
  lines.info(
    {
      event: "director-runs",
      engine: engine.name,
      ...(options.engine === "auto" && engine.name === "kernel"
        ? { engineReason: "this host takes its programs" }
        : {}),
      socket: listening.path,
      state: options.state ?? "none",
      services: control.state.services.size,
    },
    "the director runs",
  );
  manager?.ready(() => {
    const { size } = control.state.services;
    return `${size} ${size === 1 ? "service" : "services"}, engine ${engine.name}`;
  });
  resort.isServing = true;
  lines.info({ event: "director-ending", signal: await asked }, "ending");
  manager?.stopping();
  resort.isServing = false;
  try {
    await own.farewell();
  } catch (error) {
    // Whoever was to hear of it: the end is to be an orderly one.
    lines.error({ err: error }, "who is told of events may not have been told of the end");
  }
  await control.end();
  await listening[Symbol.asyncDispose]();
  await stack.disposeAsync();
  lines.info({ event: "director-ended" }, "ended");
}

/** Loaded where there is one: most daemons of tests and laboratories have none. */
async function serviceManager(lines: Log["lines"]) {
  if (!process.env.NOTIFY_SOCKET) return undefined;
  const { ServiceManager } = await import("./service-manager.ts");
  return ServiceManager.open(process.env, { onTrouble: (message) => lines.warn(message) });
}

/** Resolves at the first SIGTERM or SIGINT; a second ends the process the hard way, as by default. */
function signal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const name of ["SIGTERM", "SIGINT"] as const) process.once(name, () => resolve(name));
  });
}
