/** `sluice ui`: the daemon's pages for a browser on this host. */
import { existsSync } from "node:fs";
import { socketPath } from "../../api/routes.ts";
import { FLAG, readArguments } from "../arguments.ts";
import { type Around, ask, EXIT, type ExitCode, UsageError } from "../question.ts";
import { processSurroundings } from "../surroundings.ts";
import { serveToBrowser } from "./gateway.ts";

const HELP = `Usage: sluice ui [--port N] [--read-only]

Shows the dashboard and the laboratory to a browser: listens on 127.0.0.1 and hands what the browser asks to the daemon,
with the rights of whoever runs this. Prints a link that works once, for one browser, and the next one when it was used.
Ends with Ctrl-C, and with it what the browser may do.

The daemon serves the same pages at /ui/ on its TCP port (sluice daemon --api), to whoever has a token.

      --port N     listens there; left out: the system chooses
      --read-only  hands on what asks, nothing that changes
  -h, --help       this

Finds the daemon by $SLUICE_SOCKET, else at /run/sluice/sluice.sock.

Exit status: 1 nobody answers there, or the port cannot be had, 2 wrong arguments.
`;

export async function main(args: readonly string[]): Promise<ExitCode | undefined> {
  const around = processSurroundings();
  let isServing = false;
  const code = await run(args, around, () => {
    isServing = true;
  });
  return isServing ? undefined : code;
}

/** Goes on after `onServing`, until the process ends. */
function run(args: readonly string[], around: Around, onServing: () => void): Promise<ExitCode> {
  return ask("ui", around, async (client) => {
    const { values } = readArguments(args, OPTIONS, { allowPositionals: false });
    if (values.help) {
      await around.write(HELP);
      return EXIT.done;
    }
    const port = portOf(values.port);
    const { version } = await client.call("info", {}, undefined);
    await buildPages();
    const gateway = await serveToBrowser(socketPath(around.environment), {
      port,
      isReadOnly: values["read-only"],
      onSold: (next) => void around.write(`It was used. For another browser: ${next}\n`),
    }).catch((error: Error) => error);
    if (gateway instanceof Error) {
      around.complain(`sluice ui: cannot listen on 127.0.0.1: ${gateway.message}\n`);
      return EXIT.failed;
    }
    await around.write(
      `Sluice ${version}${values["read-only"] ? ", to look at" : ""}: ${gateway.link()}\n`,
    );
    onServing();
    return EXIT.done;
  });
}

/** In a checkout they are built when they are wanted; a package has them. */
async function buildPages(): Promise<void> {
  const build = new URL("../../../scripts/web.ts", import.meta.url);
  if (!existsSync(build)) return;
  const { spawnSync } = await import("node:child_process");
  const words = ["--disable-warning=ExperimentalWarning", build.pathname, "--build"];
  spawnSync(process.execPath, words, { stdio: ["ignore", "ignore", "inherit"] });
}

function portOf(text: string | undefined): number {
  const port = Number(text ?? "0");
  if (text !== undefined && (!/^\d+$/.test(text) || port < 1 || port > 65_535)) {
    throw new UsageError(`--port ${text}: expected a number from 1 to 65535`);
  }
  return port;
}

const OPTIONS = { port: { type: "string" }, "read-only": FLAG } as const;
