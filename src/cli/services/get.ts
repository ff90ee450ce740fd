/** `sluice get`: services and their servers. */

import { formatEndpointId, formatServiceId } from "../../api/ids.ts";
import { writeConfiguration } from "../../configuration/write.ts";
import type { WireDestinationStatus, WireServiceStatus } from "../../control/wire.ts";
import { readFlags } from "../arguments.ts";
import { pickService } from "../pick-servers.ts";
import { type Around, ask, EXIT, type ExitCode, UsageError } from "../question.ts";
import { processSurroundings } from "../surroundings.ts";
import { contentStanding, type Standing, standing } from "./words.ts";

const HELP = `Usage: sluice get [--yaml|--json] [SERVICE]

Services, a line each; of one service its servers. SERVICE is an id (tcp:10.0.0.1:80, fwmark:7) or a name in the file that
was applied.

      --yaml   what is wanted, as a sluice.yaml says it
      --json   what stands with its traffic, as GET /v1/services has it
  -h, --help   this

Finds the daemon by $SLUICE_SOCKET, else at /run/sluice/sluice.sock.

Exit status: 0 done, 1 it could not be told, 2 wrong arguments.
`;

export function main(args: readonly string[]): Promise<ExitCode> {
  return run(args, processSurroundings());
}

export function run(args: readonly string[], around: Around): Promise<ExitCode> {
  return ask("get", around, async (client) => {
    const { flags, words } = readFlags(args, ["yaml", "json"]);
    if (flags.help) {
      await around.write(HELP);
      return EXIT.done;
    }
    const [word, ...more] = words;
    if (more.length > 0) throw new UsageError(`expected one service, got ${words.join(" ")}`);
    if (flags.yaml && flags.json) throw new UsageError("--yaml and --json exclude each other");
    const { services, names } = await standing(client);
    const one = word === undefined ? undefined : pickService(word, services, names);
    if (flags.yaml) {
      const id = one && formatServiceId(one.key);
      await around.write(writeConfiguration(await contentStanding(client, id), []));
    } else if (flags.json) {
      const told = one === undefined ? { services } : one;
      await around.write(`${JSON.stringify(told, undefined, 2)}\n`);
    } else {
      const rows = one === undefined ? serviceRows({ services, names }) : serverRows(one);
      await around.write(table(rows));
    }
    return EXIT.done;
  });
}

function serviceRows({ services, names }: Standing): string[][] {
  const sum = (all: readonly WireDestinationStatus[], of: "active" | "inactive"): string =>
    String(all.reduce((total, each) => total + each[`${of}Connections`], 0));
  return [
    ["SERVICE", "NAME", "SCHEDULER", "SERVERS", "ACTIVE", "INACTIVE"],
    ...services.map(({ key, scheduler, destinations }) => {
      const id = formatServiceId(key);
      const numbers = [String(destinations.length), sum(destinations, "active")];
      return [id, names.get(id) ?? "-", scheduler, ...numbers, sum(destinations, "inactive")];
    }),
  ];
}

export function serverRows({ destinations }: WireServiceStatus): string[][] {
  return [
    ["SERVER", "FORWARDING", "WEIGHT", "ACTIVE", "INACTIVE", "TEMPLATES", "DRAIN"],
    ...destinations.map((each) => [
      formatEndpointId(each.endpoint),
      each.forwarding.kind === "tunnel" ? each.forwarding.encapsulation : each.forwarding.kind,
      String(each.weight),
      String(each.activeConnections),
      String(each.inactiveConnections),
      String(each.persistentConnections),
      drainWord(each),
    ]),
  ];
}

function drainWord({ drain }: WireDestinationStatus): string {
  if (drain === undefined) return "-";
  return drain.isOver ? "drained" : "draining";
}

/** Columns as wide as they need to be. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, column) => cell.padEnd(widths[column]!))
          .join("  ")
          .trimEnd()}\n`,
    )
    .join("");
}
