/** `sluice events`: what happens, as it happens, over lost connections and restarts of the daemon. */

import { setTimeout as sleep } from "node:timers/promises";
import type { StreamedEvent } from "../../api/client.ts";
import { FLAG, readArguments } from "../arguments.ts";
import { type Around, ask, EXIT, type ExitCode, UsageError } from "../question.ts";
import { processSurroundings } from "../surroundings.ts";

const HELP = `Usage: sluice events [--json] [--only NAMES] [--connections N] [--no-follow]

What happened lately, then what happens: changes of the configuration, findings of sluice status, health, drains, reloads.
Each is a line of the daemon's log, too; docs/log-events.md lists their names. A connection that breaks is made anew, and
goes on behind the last event; what could not be kept until then is said to be missing.

      --json           a JSON object a line: id, event, data
      --only NAMES     those whose names begin so, separated by commas: finding,configuration
      --connections N  from time to time a sample of N connections, too
      --no-follow      what happened, and no more
  -h, --help           this

Finds the daemon by $SLUICE_SOCKET, else at /run/sluice/sluice.sock.

Exit status: 0 done, 1 nobody could be asked, 2 wrong arguments.
`;

const RETRY_MS = 1_000;

export function main(args: readonly string[]): Promise<ExitCode> {
  return run(args, processSurroundings());
}

export function run(args: readonly string[], around: Around): Promise<ExitCode> {
  return ask("events", around, async (client) => {
    const options = parse(args);
    if (options.help) {
      await around.write(HELP);
      return EXIT.done;
    }
    const query = {
      follow: options["no-follow"] ? "no" : "yes",
      ...(options.only === undefined ? {} : { only: options.only }),
      ...(options.connections === undefined ? {} : { connections: options.connections }),
    };
    const show = options.json ? inJson : inWords;
    let lastId = "all";
    let hasBegun = false;
    for (;;) {
      try {
        for await (const event of client.events({ ...query, since: lastId })) {
          hasBegun = true;
          if (event.id !== null) lastId = event.id;
          await around.write(show(event));
        }
      } catch (error) {
        // The first time it is for the operator to know; later the daemon is being restarted.
        if (!hasBegun || !isBroken(error)) throw error;
      }
      if (options["no-follow"]) return EXIT.done;
      await sleep(RETRY_MS);
    }
  });
}

function inJson(event: StreamedEvent): string {
  return `${JSON.stringify(event)}\n`;
}

function inWords({ event, data }: StreamedEvent): string {
  const { at, message, ...rest } = data as { at?: string; message?: string };
  if (event === "missed") {
    const { missed } = rest as { readonly missed?: number | null };
    return `-- ${missed ?? "some"} events are missing here: sluice status has how all is now\n`;
  }
  if (message === undefined) return `${event} ${JSON.stringify(rest)}\n`;
  return `${at} ${event}: ${message}\n`;
}

function isBroken(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return ["ECONNREFUSED", "ECONNRESET", "ENOENT", "EPIPE"].includes(code ?? "");
}

function parse(args: readonly string[]) {
  const { values } = readArguments(args, OPTIONS, { allowPositionals: false });
  const { connections } = values;
  if (connections !== undefined && !/^\d{1,4}$/.test(connections)) {
    throw new UsageError(`--connections ${connections}: expected a number up to 1000`);
  }
  return values;
}

const OPTIONS = {
  json: FLAG,
  only: { type: "string" },
  connections: { type: "string" },
  "no-follow": FLAG,
} as const;
