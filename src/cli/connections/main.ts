/** `sluice connections`: lists, counts and ends entries of the connection table. */

import type { Client } from "../../api/client.ts";
import { formatEndpointId } from "../../api/ids.ts";
import type { WireConnection } from "../../control/wire.ts";
import { FLAG, readArguments } from "../arguments.ts";
import { type Around, ask, EXIT, type ExitCode, UsageError } from "../question.ts";
import { readSeconds, spellSeconds } from "../spell-time.ts";
import { processSurroundings } from "../surroundings.ts";
import { readTerms } from "../terms.ts";

const TERMS = ["client", "virtual", "server", "service", "state", "protocol", "older", "templates"];
const GROUPINGS = ["client", "server", "state", "service"];
const KILL_ALL = "all";

const HELP = `Usage: sluice connections [--by client|server|state|service] [--kill] [--json] [TERM=VALUE ...]

Lists entries of the connection table, those for which each term is true:

  client=10.0.0.9        a client's address, 10.0.0.0/8, or 10.0.0.9:4711
  virtual=10.0.0.1:80    what it talks to, with or without a port
  server=10.0.0.2:80     the server that it goes to, with or without a port
  service=tcp:10.0.0.1:80   the service that it goes by: an id, or a name in the file that was applied
  state=ESTABLISHED      as listings name it
  protocol=tcp           tcp, udp, sctp; ip: a firewall mark's templates
  older=5m               it began so long ago, or nobody knows when
  templates=only         persistence templates alone; none: without them

      --by WHAT   counts instead, by client, server, state or service, the most first
      --kill      ends them: both sides of a TCP connection get a reset, if its client answers the question where it
                  is; what else there is, is forgotten. Every connection: --kill all
      --json      JSON: an object a line for each entry; one object with --by or --kill
  -h, --help      this

A million entries are looked through in parts; packets go on meanwhile.
Finds the daemon by $SLUICE_SOCKET, else at /run/sluice/sluice.sock.

Exit status: 0 done, 1 it could not be done, 2 wrong arguments.
`;

export function main(args: readonly string[]): Promise<ExitCode> {
  return run(args, processSurroundings());
}

export function run(args: readonly string[], around: Around): Promise<ExitCode> {
  return ask("connections", around, async (client) => {
    const { values, positionals } = readArguments(args, OPTIONS);
    if (values.help) {
      await around.write(HELP);
      return EXIT.done;
    }
    const { by, kill, json } = values;
    if (kill && by !== undefined) throw new UsageError("--kill and --by exclude each other");
    if (by !== undefined && !GROUPINGS.includes(by)) {
      throw new UsageError(`--by ${by}: expected one of ${GROUPINGS.join(", ")}`);
    }
    const isAll = positionals.length === 1 && positionals[0] === KILL_ALL && kill;
    const query = isAll ? { all: "true" } : await readTerms(positionals, TERMS, client, termValue);
    if (kill) await end(client, query, around, json);
    else if (by !== undefined) await count(client, { ...query, by }, around, json);
    else await list(client, query, around, json);
    return EXIT.done;
  });
}

async function list(
  client: Client,
  query: Readonly<Record<string, string>>,
  around: Around,
  isJson: boolean,
): Promise<void> {
  if (!isJson)
    await around.write(row("PRO", "STATE", "AGE", "EXPIRES", "CLIENT", "VIRTUAL", "SERVER"));
  for await (const connection of client.connections(query)) {
    await around.write(isJson ? `${JSON.stringify(connection)}\n` : rowOf(connection));
  }
}

async function count(
  client: Client,
  query: Readonly<Record<string, string>>,
  around: Around,
  isJson: boolean,
): Promise<void> {
  const told = await client.call("countConnections", { query }, undefined);
  if (isJson) {
    await around.write(`${JSON.stringify(told, undefined, 2)}\n`);
    return;
  }
  const width = String(told.count).length;
  for (const { name, count: each } of told.groups) {
    await around.write(`${String(each).padStart(width)}  ${name}\n`);
  }
  if (told.others > 0) await around.write(`${String(told.others).padStart(width)}  others\n`);
  await around.write(`${told.count}  in all\n`);
}

async function end(
  client: Client,
  query: Readonly<Record<string, string>>,
  around: Around,
  isJson: boolean,
): Promise<void> {
  if (Object.keys(query).length === 0) {
    throw new UsageError("--kill: expected which, such as client=10.0.0.9, or all");
  }
  let last = { found: 0, reset: 0, forgotten: 0, isDone: false };
  for await (const ended of client.endConnections(query)) {
    last = ended;
    if (around.isTerminal === true && !isJson && !ended.isDone) {
      await around.write(`${ended.reset + ended.forgotten} of ${ended.found} ended\n`);
    }
  }
  if (!last.isDone) throw new Error("the answer broke off");
  const { found, reset, forgotten } = last;
  await around.write(
    isJson
      ? `${JSON.stringify({ found, reset, forgotten }, undefined, 2)}\n`
      : `Ended ${found}: ${reset} with a reset to both sides, ${forgotten} without.\n`,
  );
}

/** Times are seconds there. */
function termValue(name: string, value: string): string {
  return name === "older" ? String(readSeconds("older", value)) : value;
}

function rowOf(connection: WireConnection): string {
  const { protocol, state, ageSeconds, expiresInMs, client, virtual, destination } = connection;
  return row(
    protocol,
    state,
    ageSeconds === null ? "-" : spellSeconds(ageSeconds),
    spellSeconds(expiresInMs / 1000),
    formatEndpointId(client),
    formatEndpointId(virtual),
    formatEndpointId(destination),
  );
}

const WIDTHS = [5, 12, 8, 8, 22, 22];

function row(...cells: readonly string[]): string {
  return `${cells.map((cell, index) => cell.padEnd(WIDTHS[index] ?? 0)).join(" ")}\n`;
}

const OPTIONS = { by: { type: "string" }, kill: FLAG, json: FLAG } as const;
