/** `sluice drain`: takes servers out of service, and shows how far that is. */

import type { Client } from "../../api/client.ts";
import type { DrainStatus, WireDrainRequest } from "../../api/messages.ts";
import { FLAG, readArguments } from "../arguments.ts";
import { everyServer } from "../every-server.ts";
import { serviceNames } from "../names.ts";
import { nameOf, type PickedServer, pickServers } from "../pick-servers.ts";
import { type Around, ask, EXIT, type ExitCode, UsageError } from "../question.ts";
import { readSeconds } from "../spell-time.ts";
import { processSurroundings } from "../surroundings.ts";
import { drainPage } from "./page.ts";

const HELP = `Usage: sluice drain [--timeout TIME] [--then remove|keep] [--force] [--wait] [--json] SERVER|SERVICE/SERVER
       sluice drain [--json]

Gives a server no new connections; those that it has go on until they end, or the time is over. Clients that persistence
holds to it are sent elsewhere with their next connection. A drain outlives the daemon, and every sluice apply. Without a
server: which ones are drained.

SERVER is an address, of which every service's server is meant, or one with a port (10.0.0.2:80, [2001:db8::2]:80);
SERVICE an id (tcp:10.0.0.1:80, fwmark:7) or a name in the file that was applied.

      --timeout TIME  at most so long, such as 90s or 2h; "none": until the last connection has ended (default: 5m, and
                      with --force alone 0)
      --then WHAT     "keep": it stays, with weight 0, until sluice undrain (default); "remove": it goes then
      --force         at the end of the time, connections that remain are ended: both sides get a TCP reset
      --wait          ends when the drain does, also where nobody looks on. A terminal is shown how far it is; an
                      interrupt (^C) ends the showing, and not the drain
      --json          one JSON object: { drains: [...] }, as GET /v1/drains has it
  -h, --help          this

Finds the daemon by $SLUICE_SOCKET, else at /run/sluice/sluice.sock.

Exit status: 0 done, 1 it could not be done, 2 wrong arguments.
`;

const LOOK_AGAIN_MS = 1_000;
const TIMEOUT_DEFAULT_SECONDS = 300;

export function main(args: readonly string[]): Promise<ExitCode> {
  return run(args, processSurroundings());
}

export function run(args: readonly string[], around: Around): Promise<ExitCode> {
  return ask("drain", around, async (client) => {
    const { values, positionals } = readArguments(args, OPTIONS);
    if (values.help) {
      await around.write(HELP);
      return EXIT.done;
    }
    const [word, ...more] = positionals;
    if (more.length > 0) throw new UsageError(`expected one server, got ${positionals.join(" ")}`);
    if (word === undefined) {
      await show(await drains(client, () => true), around, values.json);
      return EXIT.done;
    }
    const request = requestOf({ ...values, afterwards: values.then });
    const { services } = await everyServer(client);
    const picked = pickServers(word, services, await serviceNames(client));
    await begin(client, picked, request);
    const isOurs = oneOf(picked);
    const isLookedAt = around.isTerminal === true && !values.json;
    if (isLookedAt || values.wait) await follow(client, isOurs, isLookedAt ? around : undefined);
    if (!isLookedAt) {
      const left = await drains(client, isOurs);
      if (left.length > 0 || values.json) await show(left, around, values.json);
      else for (const each of picked) await around.write(`${nameOf(each)}: drained, and gone\n`);
    }
    return EXIT.done;
  });
}

async function begin(
  client: Client,
  picked: readonly PickedServer[],
  body: WireDrainRequest,
): Promise<void> {
  const changes = picked.map(({ service, destination }) => ({
    name: "drain" as const,
    params: { service: service.key, destination: destination.endpoint },
    body,
  }));
  for (const refusal of await client.changes(changes)) if (refusal !== undefined) throw refusal;
}

/** Resolves when all of them have ended. */
async function follow(
  client: Client,
  isOurs: (drain: DrainStatus) => boolean,
  around: Around | undefined,
): Promise<void> {
  let shown = 0;
  for (;;) {
    const all = await drains(client, isOurs);
    const isOver = all.every((drain) => drain.isOver);
    if (around !== undefined) {
      const page = all.length === 0 ? "Drained, and gone.\n" : drainPage(all, new Date());
      // Over the lines of the last look.
      await around.write(`${shown === 0 ? "" : `\u001B[${shown}A\u001B[J`}${page}`);
      shown = page.split("\n").length - 1;
    }
    if (isOver) return;
    await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
  }
}

async function drains(
  client: Client,
  isMeant: (drain: DrainStatus) => boolean,
): Promise<DrainStatus[]> {
  const { drains: all } = await client.call("listDrains", {}, undefined);
  return all.filter(isMeant);
}

async function show(all: readonly DrainStatus[], around: Around, isJson: boolean): Promise<void> {
  if (isJson) await around.write(`${JSON.stringify({ drains: all }, undefined, 2)}\n`);
  else if (all.length === 0) await around.write("No server is drained.\n");
  else await around.write(drainPage(all, new Date()));
}

function oneOf(picked: readonly PickedServer[]): (drain: DrainStatus) => boolean {
  const names = new Set(picked.map(nameOf));
  return ({ service, destination }) => names.has(`${service} -> ${destination}`);
}

function requestOf({
  timeout,
  afterwards,
  force,
}: {
  readonly timeout?: string | undefined;
  readonly afterwards: string;
  readonly force: boolean;
}): WireDrainRequest {
  if (afterwards !== "keep" && afterwards !== "remove") {
    throw new UsageError(`--then ${afterwards}: expected keep or remove`);
  }
  if (timeout === "none") {
    if (force)
      throw new UsageError(
        "--force ends what remains at the end of a time: --timeout none has none",
      );
    return { timeoutSeconds: null, afterwards, force };
  }
  const byDefault = force ? 0 : TIMEOUT_DEFAULT_SECONDS;
  const timeoutSeconds = timeout === undefined ? byDefault : readSeconds("--timeout", timeout);
  return { timeoutSeconds, afterwards, force };
}

const OPTIONS = {
  timeout: { type: "string" },
  // biome-ignore lint/suspicious/noThenProperty: the name of an option, which nobody awaits
  then: { type: "string", default: "keep" }, // oxlint-disable-line unicorn/no-thenable
  force: FLAG,
  wait: FLAG,
  json: FLAG,
} as const;
